"""Write the card with its pictures into the model's folder, and what programs read about a model into the report's."""

import json
from collections.abc import Mapping
from pathlib import Path

from tweetbot_trainer.publishing.registry.manifest import ADAPTER_FOLDER, MODEL_FOLDER, REPORT_FOLDER
from tweetbot_trainer.publishing.report.badges import build_badges, render_badges
from tweetbot_trainer.publishing.report.card import render_adapter_card, render_card
from tweetbot_trainer.publishing.report.card_data import CardData
from tweetbot_trainer.publishing.report.loss_plot import render_loss_plot
from tweetbot_trainer.publishing.report.pipeline_picture import render_pipeline
from tweetbot_trainer.publishing.report.predictions_picture import (
    AVATAR_SIDE,
    SMALL_AVATAR_SIDE,
    crop_to_circle,
    encode_png,
    render_predictions,
)
from tweetbot_trainer.publishing.report.records import build_evaluation, build_sample_records, format_json_lines


def write_report(card: CardData, folder: Path, *, base_loss: float | None) -> None:
    """Write every card and file of the report below the folder.

    `base_loss`, for the plot, is the loss of the untrained base on the test posts, in nats per token.
    """
    model, report = folder / MODEL_FOLDER, folder / REPORT_FOLDER
    evaluation = json.dumps(build_evaluation(card), ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    samples = format_json_lines(build_sample_records(card))
    plot = render_loss_plot(card, base_loss=base_loss)
    head = _render_head(card)
    _write_files(report, {"evaluation.json": evaluation.encode(), "samples.jsonl": samples.encode()})
    _write_files(model, {"README.md": render_card(card).encode(), **head, "loss.png": plot})
    _write_files(model, {"pipeline.svg": render_pipeline(card).encode()})
    if card.values.lora:
        _write_files(folder / ADAPTER_FOLDER, {"README.md": render_adapter_card(card).encode(), **head})


def _render_head(card: CardData) -> dict[str, bytes]:
    """Return the pictures that every card has, by their file names."""
    side = AVATAR_SIDE if len(card.pictures) == 1 else SMALL_AVATAR_SIDE
    return {
        "badges.svg": render_badges(build_badges(card)).encode(),
        "predictions.png": render_predictions(card),
        **{name: encode_png(crop_to_circle(picture, side)) for name, picture in card.pictures.items()},
    }


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
