"""The files of the report that programs read."""

import json

import pytest

from builders.model import an_outcome, some_card_data
from tweetbot_trainer.publishing.report.report import (
    build_evaluation,
    build_sample_records,
    format_json_lines,
)


def test_the_evaluation_holds_the_figures_and_where_they_come_from() -> None:
    document = json.loads(json.dumps(build_evaluation(some_card_data()), allow_nan=False))
    assert document["metrics"]["bitsPerByte"] == 0.2197
    assert document["baseBitsPerByte"] is None
    assert document["split"] == {"train": 1220, "validation": 152, "test": 152, "orderedBy": "created_at"}
    assert (document["dataset"], document["base"]["uri"]) == ("d" * 64, "scratch://mini")
    assert (document["training"]["seed"], document["outcome"]["precision"]) == (42, "FP32")


def test_every_sample_says_that_a_machine_wrote_it() -> None:
    card = some_card_data()
    (record,) = build_sample_records(card.samples, card.model_name)
    assert record["ai_generated"] is True
    assert record["prompt"] == "My dream is"


def test_metrics_are_one_object_per_line() -> None:
    lines = format_json_lines(entry.as_json() for entry in an_outcome().log_history).splitlines()
    assert [sorted(json.loads(line)) for line in lines[:2]] == [
        ["epoch", "eval_loss", "step"],
        ["epoch", "learning_rate", "step", "tokens_per_second", "train_loss"],
    ]


def test_a_figure_that_is_no_number_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        format_json_lines([{"loss": float("nan")}])
