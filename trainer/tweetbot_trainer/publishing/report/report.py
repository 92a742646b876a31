"""Write the card with its pictures into the model's folder, and what programs read about a model into the report's."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tweetbot_trainer.publishing.disclosure import build_disclosure
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

#: The version of evaluation.json.
SCHEMA = 1


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


def build_evaluation(card: CardData) -> dict[str, Any]:
    """Return the content of evaluation.json: the figures, and all that is needed to measure them again."""
    train, validation, test = card.parts
    outcome, device = card.outcome, card.outcome.device
    return {
        "schema": SCHEMA,
        "model": card.model_name,
        "metrics": card.metrics.to_dict(),
        "baseBitsPerByte": card.metrics.base_bits_per_byte,
        "bitsPerByteInterval": card.interval,
        "ratioToBaseInterval": card.ratio_interval,
        "memorisation": card.memorization.as_json() if card.memorization else None,
        "style": card.style.as_json() if card.style else None,
        "gates": card.gates.to_dict(),
        "missedGates": list(card.missed_gates),
        "comparison": card.comparison.as_json() if card.comparison else None,
        "split": {"train": train, "validation": validation, "test": test, "orderedBy": card.ordered_by},
        "dataset": card.dataset_digest,
        "base": card.base.as_json() | {"uri": card.base.uri},
        "training": card.values.as_json(),
        "outcome": {
            "steps": outcome.steps,
            "epochs": outcome.epochs,
            "bestEpoch": outcome.best_epoch,
            "labelTokens": outcome.tokens,
            "device": device.device_type,
            "processor": device.name,
            "threads": device.threads,
            "precision": device.precision,
            "productSeconds": device.products.as_json() if device.products else None,
            "passesHalvedTo": outcome.reduced_to,
        },
        "prompts": list(card.prompts),
    }


def build_sample_records(card: CardData) -> list[dict[str, Any]]:
    """Return the lines of samples.jsonl. Each is marked as AI-generated."""
    common = {"model": card.model_name, "ai_generated": True, "disclosure": build_disclosure(card.handle)}
    return [{"prompt": sample.prompt, "text": sample.text, **common} for sample in card.samples]


def format_json_lines(records: Iterable[Mapping[str, Any]]) -> str:
    """Format records as JSON, one per line. Raises ValueError for NaN and infinite numbers."""
    return "".join(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n" for record in records)
