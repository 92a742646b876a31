"""The files of the report that programs read."""

import json
from dataclasses import replace

import pytest

from builders.model import DEVICE, an_outcome, some_card_data
from tweetbot_trainer.learning.training.precision import ProductSeconds
from tweetbot_trainer.publishing.report.card_tables import render_values_table
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


def test_the_report_tells_by_which_times_the_number_format_was_chosen() -> None:
    measured = replace(DEVICE, bf16=True, products=ProductSeconds(fp32=0.012, bf16=0.00617))
    card = some_card_data(outcome=an_outcome(device=measured))
    assert "BF16, as measured: a product of the model's shape took 12 ms in FP32, 6.17 ms in BF16" in (
        render_values_table(card).replace("\\", "")
    )
    outcome = build_evaluation(card)["outcome"]
    assert (outcome["precision"], outcome["productSeconds"]) == ("BF16", {"FP32": 0.012, "BF16": 0.00617})


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
