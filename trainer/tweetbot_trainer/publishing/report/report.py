"""Write the card into the model's folder, and what else people and machines read about a model into the report's."""

import json
from pathlib import Path

from tweetbot_trainer.publishing.registry.manifest import ADAPTER_FOLDER, MODEL_FOLDER, REPORT_FOLDER
from tweetbot_trainer.publishing.report.badges import build_badges, render_badges
from tweetbot_trainer.publishing.report.card import render_adapter_card, render_card
from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.json_files import build_evaluation, build_sample_records, format_json_lines
from tweetbot_trainer.publishing.report.loss_plot import render_loss_plot
from tweetbot_trainer.publishing.report.predictions_picture import (
    AVATAR_SIDE,
    SMALL_AVATAR_SIDE,
    crop_to_circle,
    render_predictions,
)

#: A training writes it line by line, while it runs.
METRICS_FILE = "metrics.jsonl"


def write_report(card: CardData, folder: Path, *, base_loss: float | None) -> None:
    """Write every card and file of the report below the folder.

    `base_loss`, for the plot, is the loss of the untrained base on the test posts, in nats per token.
    """
    model, report = folder / MODEL_FOLDER, folder / REPORT_FOLDER
    report.mkdir(parents=True, exist_ok=True)
    evaluation = json.dumps(build_evaluation(card), ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    texts = {
        model / "README.md": render_card(card),
        report / "evaluation.json": evaluation,
        report / "samples.jsonl": format_json_lines(build_sample_records(card.samples, card.model_name)),
        report / "badges.svg": render_badges(build_badges(card)),
    }
    if card.values.lora:
        texts[folder / ADAPTER_FOLDER / "README.md"] = render_adapter_card(card)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    _write_pictures(card, report, base_loss)


def _write_pictures(card: CardData, report: Path, base_loss: float | None) -> None:
    handle, log, best = card.subject.handle, card.outcome.log_history, card.outcome.best_epoch
    plot = render_loss_plot(log, handle=handle, best_epoch=best, base_loss=base_loss)
    (report / "loss.png").write_bytes(plot)
    side = AVATAR_SIDE if len(card.pictures) == 1 else SMALL_AVATAR_SIDE
    for name, picture in card.pictures.items():
        crop_to_circle(picture, side).save(report / name, "PNG")
    (report / "predictions.png").write_bytes(render_predictions(card))
