"""Write what people and machines read about a model beside it."""

import json
from pathlib import Path

from tweetbot_trainer.publishing.registry.manifest import ADAPTER_FOLDER, MODEL_FOLDER, REPORT_FOLDER
from tweetbot_trainer.publishing.report.badges import build_badges, render_badges
from tweetbot_trainer.publishing.report.card import render_card
from tweetbot_trainer.publishing.report.card_adapter import render_adapter_card
from tweetbot_trainer.publishing.report.card_facts import CardData
from tweetbot_trainer.publishing.report.json_files import build_evaluation, build_sample_records, format_json_lines
from tweetbot_trainer.publishing.report.loss_plot import render_loss_plot
from tweetbot_trainer.publishing.report.predictions_picture import (
    ALONE,
    AMONG_OTHERS,
    PictureSubject,
    crop_to_circle_png,
    render_predictions,
)

#: The hook of the training has written metrics.jsonl, line by line.
METRICS_FILE = "metrics.jsonl"


def write_report(facts: CardData, folder: Path, *, base_loss: float | None) -> None:
    """Write the card into the model's folder, an adapter's into its own, and everything else into the report's.

    `base_loss` is the untrained base's on the test posts, in nats a token, for the plot.
    """
    model, report = folder / MODEL_FOLDER, folder / REPORT_FOLDER
    report.mkdir(parents=True, exist_ok=True)
    (model / "README.md").write_text(render_card(facts), encoding="utf-8")
    if facts.values.lora:
        (folder / ADAPTER_FOLDER / "README.md").write_text(render_adapter_card(facts), encoding="utf-8")
    evaluation = json.dumps(build_evaluation(facts), ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    (report / "evaluation.json").write_text(evaluation, encoding="utf-8")
    samples = format_json_lines(build_sample_records(facts.samples, facts.model_name))
    (report / "samples.jsonl").write_text(samples, encoding="utf-8")
    (report / "loss.png").write_bytes(_render_loss_plot(facts, base_loss))
    (report / "badges.svg").write_text(render_badges(build_badges(facts)), encoding="utf-8")
    side = ALONE if len(facts.pictures) == 1 else AMONG_OTHERS
    for name, picture in facts.pictures.items():
        (report / name).write_bytes(crop_to_circle_png(picture, side))
    subject = PictureSubject(facts.name, facts.subject.handle, facts.model_name, tuple(facts.pictures.values()))
    (report / "predictions.png").write_bytes(render_predictions(subject, facts.samples))


def _render_loss_plot(facts: CardData, base_loss: float | None) -> bytes:
    outcome = facts.outcome
    return render_loss_plot(
        outcome.log_history, handle=facts.subject.handle, best_epoch=outcome.best_epoch, base_loss=base_loss
    )
