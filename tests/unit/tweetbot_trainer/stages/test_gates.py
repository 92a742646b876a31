"""What a finished model must reach, and what is said of one that does not."""

from typing import Any

import pytest

from builders.manifests import a_spec
from tweetbot_contract.result import Metrics
from tweetbot_trainer.stages.gates import can_publish, find_missed_gates, resolve_gates


def figures(**changes: Any) -> Metrics:
    fields = {"eval_loss": 2, "perplexity": 7.4, "bits_per_byte": 0.9, "base_bits_per_byte": 1.0, "verbatim_rate": 0.1}
    return Metrics(**{**fields, "train_loss": 1.9, "tokens_per_second": 900, "train_seconds": 3, **changes})


def missed(metrics: Metrics, base: str = "hf://gpt2", **gates: int) -> tuple[str, ...]:
    return find_missed_gates(a_spec(model={"base": base}, evaluation={"gates": gates}), metrics)


def test_a_model_within_every_limit_misses_none() -> None:
    assert missed(figures(), maxVerbatimPercent=10, minImprovementPercent=10) == ()


def test_each_missed_gate_says_by_how_much() -> None:
    found = missed(figures(verbatim_rate=0.345, bits_per_byte=0.98), maxVerbatimPercent=20, minImprovementPercent=5)
    assert found == (
        "34.5 % of its samples are verbatim, and maxVerbatimPercent is 20",
        "its 0.980 bits per byte are 2.0 % below the base's 1.000, and minImprovementPercent is 5",
    )


def test_a_figure_that_was_not_measured_reaches_no_gate() -> None:
    assert "not measured" in missed(figures(verbatim_rate=None))[0]


@pytest.mark.parametrize(("base", "limit"), [("hf://gpt2", 20), ("s3://models/gpt2", 20), ("scratch://mini", None)])
def test_the_default_follows_the_base(base: str, limit: int | None) -> None:
    assert resolve_gates(a_spec(model={"base": base})).max_verbatim_percent == limit


def test_unreliable_figures_decide_nothing() -> None:
    spec = a_spec(evaluation={"gates": {"maxVerbatimPercent": 0}})
    assert not can_publish(spec, figures())
    assert can_publish(spec, figures(reliability="Low"))
