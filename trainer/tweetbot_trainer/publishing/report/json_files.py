"""The report's files for machines: evaluation.json, samples.jsonl, metrics.jsonl."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tweetbot_contract.result import Sample
from tweetbot_trainer.learning.training.metrics import LogEntry
from tweetbot_trainer.publishing.report.card_facts import CardData

SCHEMA = 1


def build_evaluation(facts: CardData) -> dict[str, Any]:
    """Return what evaluation.json holds: the figures, and all that is needed to measure them again."""
    train, validation, test = facts.parts
    return {
        "schema": SCHEMA,
        "model": facts.model_name,
        "metrics": facts.metrics.to_dict(),
        "baseBitsPerByte": facts.metrics.base_bits_per_byte,
        "bitsPerByteInterval": facts.interval,
        "ratioToBaseInterval": facts.ratio_interval,
        "memorisation": facts.memorization.as_json() if facts.memorization else None,
        "gates": facts.gates.to_dict(),
        "split": {"train": train, "validation": validation, "test": test, "orderedBy": facts.ordered_by},
        "dataset": facts.dataset_digest,
        "base": facts.base.as_json() | {"uri": facts.base.uri},
        "training": facts.values.as_json(),
        "outcome": {
            "steps": facts.outcome.steps,
            "epochs": facts.outcome.epochs,
            "bestEpoch": facts.outcome.best_epoch,
            "labelTokens": facts.outcome.tokens,
            "device": facts.outcome.device.device_type,
            "processor": facts.outcome.device.name,
            "threads": facts.outcome.device.threads,
            "precision": facts.outcome.device.precision,
            "passesHalvedTo": facts.outcome.reduced_to,
        },
        "prompts": list(facts.prompts),
    }


def build_sample_records(samples: Iterable[Sample], model_name: str) -> list[dict[str, Any]]:
    """Return the lines of samples.jsonl; each says by itself that a machine wrote it."""
    return [
        {"prompt": sample.prompt, "text": sample.text, "model": model_name, "ai_generated": True} for sample in samples
    ]


def build_metrics_records(entries: Iterable[LogEntry]) -> list[dict[str, Any]]:
    """Return the lines of metrics.jsonl."""
    return [entry.as_json() for entry in entries]


def format_json_lines(records: Iterable[Mapping[str, Any]]) -> str:
    """Return records as JSON, one a line; no figure may be NaN or infinite."""
    return "".join(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n" for record in records)
