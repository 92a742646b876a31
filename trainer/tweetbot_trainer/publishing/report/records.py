"""What programs read about a model: its figures as one document, its samples as lines. Draws nothing."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tweetbot_trainer.publishing.disclosure import build_disclosure
from tweetbot_trainer.publishing.report.card_data import CardData

#: The version of evaluation.json.
SCHEMA = 1


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
            "recomputed": outcome.recomputed,
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
