"""The report's files for machines: evaluation.json, samples.jsonl, metrics.jsonl."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tweetbot_contract.result import Sample
from tweetbot_trainer.learning.training.metrics import MetricsRow
from tweetbot_trainer.publishing.report.card_facts import CardFacts

SCHEMA = 1


def evaluation_document(facts: CardFacts) -> dict[str, Any]:
    """Return what evaluation.json holds: the figures, and all that is needed to measure them again."""
    train, validation, test = facts.parts
    return {
        "schema": SCHEMA,
        "model": facts.model_name,
        "metrics": facts.metrics.as_json(),
        "baseBitsPerByte": facts.metrics.base_bits_per_byte,
        "bitsPerByteInterval": facts.interval,
        "ratioToBaseInterval": facts.ratio_interval,
        "memorisation": facts.memorisation.as_json() if facts.memorisation else None,
        "gates": facts.gates.as_json(),
        "split": {"train": train, "validation": validation, "test": test, "orderedBy": facts.ordered_by},
        "dataset": facts.dataset_digest,
        "base": facts.base.as_json() | {"uri": facts.base.uri},
        "training": facts.values.as_json(),
        "outcome": {
            "steps": facts.outcome.steps,
            "epochs": facts.outcome.epochs,
            "bestEpoch": facts.outcome.best_epoch,
            "labelTokens": facts.outcome.tokens,
            "device": facts.outcome.processor.device,
            "processor": facts.outcome.processor.name,
            "threads": facts.outcome.processor.threads,
            "precision": facts.outcome.processor.precision,
            "passesHalvedTo": facts.outcome.halved_to,
        },
        "prompts": list(facts.prompts),
    }


def sample_records(samples: Iterable[Sample], model_name: str) -> list[dict[str, Any]]:
    """Return the lines of samples.jsonl; each says by itself that a machine wrote it."""
    return [
        {"prompt": sample.prompt, "text": sample.text, "model": model_name, "ai_generated": True} for sample in samples
    ]


def metrics_records(rows: Iterable[MetricsRow]) -> list[dict[str, Any]]:
    """Return the lines of metrics.jsonl."""
    return [row.as_json() for row in rows]


def json_lines(records: Iterable[Mapping[str, Any]]) -> str:
    """Return records as JSON, one a line; no figure may be NaN or infinite."""
    return "".join(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n" for record in records)
