"""What a finished model must reach, how much evidence that takes, and what is said of a model that does not."""

from typing import Any

import pytest

from builders.manifests import a_spec
from tweetbot_contract.result import Metrics
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_trainer.learning.evaluation.comparison import Comparison, NoComparison
from tweetbot_trainer.stages.gates import build_advisory, build_gate_error, can_publish, judge_gates, resolve_gates


def figures(**changes: Any) -> Metrics:
    fields = {"eval_loss": 2, "perplexity": 7.4, "bits_per_byte": 0.9, "base_bits_per_byte": 1.0, "verbatim_rate": 0.1}
    return Metrics(**{**fields, "train_loss": 1.9, "tokens_per_second": 900, "train_seconds": 3, **changes})


def few(**changes: Any) -> Metrics:
    """Return the figures of a model with 20 test posts."""
    return figures(**{"reliability": "Low", "test_posts": 20, **changes})


def a_gated_spec(base: str = "hf://gpt2", **gates: int) -> TweetBotSpec:
    return a_spec(model={"base": base}, evaluation={"gates": gates})


def missed(metrics: Metrics, **gates: Any) -> tuple[str, ...]:
    return tuple(miss.finding.why for miss in judge_gates(a_gated_spec(**gates), metrics))


def outcome(metrics: Metrics, base: str = "hf://gpt2", **gates: Any) -> str:
    """Return what becomes of a model: the reason of its failure, `advisory`, or `published`."""
    misses = judge_gates(a_gated_spec(base, **gates), metrics)
    if not can_publish(misses):
        return str(build_gate_error(misses, metrics, "s3://b/rejected/1").reason)
    return "advisory" if build_advisory(misses) else "published"


def test_a_model_within_every_limit_misses_none() -> None:
    assert missed(figures(), maxVerbatimPercent=10, minImprovementPercent=10) == ()


def test_each_missed_gate_says_by_how_much() -> None:
    found = missed(figures(verbatim_rate=0.345, bits_per_byte=0.98), maxVerbatimPercent=20, minImprovementPercent=5)
    assert found == (
        "34.5 % of its samples are verbatim, and maxVerbatimPercent is 20",
        "its 0.980 bits per byte are 2.0 % below the base's 1.000, and minImprovementPercent is 5",
    )


@pytest.mark.parametrize(("base", "limit"), [("hf://gpt2", 20), ("s3://models/gpt2", 20), ("scratch://mini", None)])
def test_the_default_follows_the_base(base: str, limit: int | None) -> None:
    assert resolve_gates(a_gated_spec(base)).max_verbatim_percent == limit


@pytest.mark.parametrize("metrics", [figures(verbatim_rate=0.73), few(verbatim_rate=0.73)])
@pytest.mark.parametrize("gates", [{"maxVerbatimPercent": 5}, {}])
def test_what_a_thousand_samples_repeat_binds_whatever_the_number_of_test_posts(
    metrics: Metrics, gates: dict[str, int]
) -> None:
    assert outcome(metrics, "hf://gpt2", **gates) == "GateFailed"


def test_a_limit_that_the_spec_sets_never_passes_without_a_measure() -> None:
    assert outcome(figures(verbatim_rate=None), maxVerbatimPercent=20) == "GateNotMeasurable"
    assert outcome(few(verbatim_rate=None), maxVerbatimPercent=20) == "GateNotMeasurable"
    assert outcome(figures(base_bits_per_byte=None), minImprovementPercent=5) == "GateNotMeasurable"


def test_a_default_without_a_measure_is_an_advisory() -> None:
    assert outcome(figures(verbatim_rate=None)) == "advisory"
    advisory = build_advisory(judge_gates(a_gated_spec(), figures(verbatim_rate=None)))
    assert advisory is not None
    assert advisory.startswith("Look at its samples before you rely on it: how much it repeats could not be measured (")


@pytest.mark.parametrize(
    ("metrics", "found"),
    [
        (figures(), "published"),  # 10 % better
        (figures(bits_per_byte=0.96), "GateFailed"),
        (few(bits_per_byte=0.96, improvement_low=-3), "GateFailed"),
        (few(improvement_low=6), "published"),
        (few(improvement_low=-3), "GateNotMeasurable"),
        (few(), "GateNotMeasurable"),  # so few posts that they have no interval
    ],
)
def test_an_improvement_on_few_test_posts_must_be_certain(metrics: Metrics, found: str) -> None:
    assert outcome(metrics, minImprovementPercent=5) == found


@pytest.mark.parametrize(
    ("metrics", "found"),
    [
        (figures(style_score=0.7, style_score_low=0.6), "published"),
        (figures(style_score=0.69, style_score_low=0.6), "GateFailed"),
        (few(style_score=0.69, style_score_low=0.6), "GateFailed"),
        (few(style_score=0.8, style_score_low=0.71), "published"),
        (few(style_score=0.8, style_score_low=0.6), "GateNotMeasurable"),
        (figures(style_not_measured="its posts are few"), "GateNotMeasurable"),
        (figures(), "GateNotMeasurable"),  # of a version that no style was measured of
    ],
)
def test_a_style_must_be_measured_and_reached(metrics: Metrics, found: str) -> None:
    assert outcome(metrics, minStyle=70) == found
    assert outcome(metrics) == "published"


def test_a_missed_style_says_the_score_or_why_there_is_none() -> None:
    assert missed(figures(style_score=0.412), minStyle=70) == (
        "its style score is 41 % of its author's, and minStyle is 70",
    )
    few_posts = "it takes 100 posts to train on and 30 held out, and there are 40 and 8"
    assert missed(figures(style_not_measured=few_posts), minStyle=70) == (
        f"its style was not measured, because {few_posts}, and minStyle is 70",
    )


def test_the_error_says_where_the_model_is_and_what_helps() -> None:
    metrics = few(improvement_low=-3)
    error = build_gate_error(judge_gates(a_gated_spec(minImprovementPercent=5), metrics), metrics, "s3://b/rejected/1")
    assert error.message == (
        "Its 0.900 bits per byte are 10.0 % below the base's 1.000 (95 % interval from -3.0 %), but 20 test posts are "
        "too few to be sure that they are 5 % below it. The model is stored at s3://b/rejected/1. Raise "
        "spec.training.holdoutPercent, give more posts, or lower or remove the limit. If you loosen the gate, this "
        "model is published as it is."
    )
    assert error.figures == metrics.figures


def test_only_binding_gates_are_blamed() -> None:
    metrics = figures(verbatim_rate=None, bits_per_byte=0.99)
    error = build_gate_error(judge_gates(a_gated_spec(minImprovementPercent=5), metrics), metrics, "s3://b")
    assert str(error.reason) == "GateFailed"
    assert "could not be measured" not in error.message


# ---- the served version as the measure


def beside(ratio: float, low: float, high: float, posts: int = 100) -> Comparison:
    interval = (low, high) if posts >= 10 else None
    return Comparison("aaaa", figures(verbatim_rate=0.02), posts, ratio, interval)


def outcome_beside(comparison: Comparison | NoComparison | None, **gates: Any) -> str:
    misses = judge_gates(a_gated_spec(**gates), figures(), comparison)
    if not can_publish(misses):
        return str(build_gate_error(misses, figures(), "s3://b/rejected/1").reason)
    return "advisory" if build_advisory(misses) else "published"


LOST = NoComparison("aaaa", "its manifest is gone")


@pytest.mark.parametrize(
    ("comparison", "found"),
    [
        (None, "published"),  # the first version
        (beside(0.9, 0.8, 0.95), "published"),
        (beside(1.6, 1.4, 1.8), "GateFailed"),
        (beside(1.6, 1.4, 1.8, posts=12), "GateFailed"),
        (beside(1.01, 0.97, 1.05), "published"),  # as good, as far as a hundred posts can tell
        (beside(1.03, 1.012, 1.042), "published"),  # another seed does as much
        (beside(1.05, 1.021, 1.08), "GateFailed"),
        (beside(1.05, 0.97, 1.12, posts=12), "advisory"),
        (beside(1.01, 0.97, 1.05, posts=12), "published"),
        (beside(1.6, 0, 0, posts=9), "advisory"),
        (beside(0.9, 0, 0, posts=1), "published"),
        (LOST, "advisory"),
    ],
)
def test_without_a_limit_what_is_clearly_worse_than_the_served_version_is_kept_back(
    comparison: Comparison | NoComparison | None, found: str
) -> None:
    assert outcome_beside(comparison) == found


@pytest.mark.parametrize(
    ("comparison", "limit", "found"),
    [
        (None, 0, "published"),
        (beside(1.04, 1.02, 1.06), 5, "published"),
        (beside(1.06, 1.02, 1.1), 5, "GateFailed"),
        (beside(1.06, 0.9, 1.1, posts=12), 5, "GateFailed"),
        (beside(0.98, 0.9, 1.04, posts=12), 5, "published"),
        (beside(0.98, 0.9, 1.07, posts=12), 5, "GateNotMeasurable"),
        (beside(0.98, 0, 0, posts=9), 5, "GateNotMeasurable"),
        (LOST, 5, "GateNotMeasurable"),
        (LOST, 99, "GateNotMeasurable"),
        (LOST, 100, "published"),
        (beside(3, 2.5, 3.5), 100, "published"),
    ],
)
def test_a_limit_says_how_much_worse_than_the_served_version_a_model_may_be(
    comparison: Comparison | NoComparison | None, limit: int, found: str
) -> None:
    assert outcome_beside(comparison, maxRegressionPercent=limit) == found


def test_a_model_that_is_worse_is_set_beside_the_served_version_figure_by_figure() -> None:
    misses = judge_gates(a_gated_spec(), figures(), beside(1.598, 1.411, 1.782))
    assert build_gate_error(misses, figures(), "s3://b/rejected/1").message == (
        "Its bits per byte are 59.8 % above those of the served version aaaa on the same 100 test posts (95 % interval "
        "+41.1 to +78.2 %; verbatim 10.0 %, that version 2.0 %). The model is stored at s3://b/rejected/1. Go back to "
        "the posts and settings of that version, or set spec.evaluation.gates.maxRegressionPercent: 100 to publish "
        "whatever comes. If you loosen the gate, this model is published as it is."
    )
