"""Quality gates: what a model must reach to be published, and how much evidence each gate needs.

                   enough evidence   little evidence   no measure
set in the spec    GateFailed        GateFailed        GateNotMeasurable
on by default      GateFailed        an advisory       an advisory

Decision 54. Another gate is a field of `Gates`, a function that judges it, and an entry of GATES.
"""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from tweetbot_contract import reasons
from tweetbot_contract.data_table import REASON_LIMIT
from tweetbot_contract.reasons.reason import FORCE
from tweetbot_contract.result import Metrics
from tweetbot_contract.spec.spec import MAX_VERBATIM_PERCENT, Gates, TweetBotSpec
from tweetbot_trainer.data.dataset.splits import RELIABLE_TEST_POSTS
from tweetbot_trainer.learning.evaluation.comparison import Comparison, NoComparison
from tweetbot_trainer.runtime.errors import GateFailed

#: A maxRegressionPercent that accepts anything: no comparison is needed.
ANY_REGRESSION = 100
#: What another seed alone does to bits per byte, in percent (docs/experiments.md, "The spread of seeds").
SEED_PERCENT = 2

#: How much a finding rests on: enough to decide by, too little for that, or nothing that could be measured.
Evidence = Literal["Enough", "Little", "None"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """The model that is judged, and how it compares with the served version, None if there is none."""

    metrics: Metrics
    comparison: Comparison | NoComparison | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a model is not within a gate's limit, and what helps, as sentences without their full stops."""

    why: str
    advice: str
    evidence: Evidence = "Enough"


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate: its field of `Gates`, and the function that judges a model by its limit, None if that is unset."""

    field: str
    judge: Callable[[int | None, Candidate], Finding | None]


@dataclass(frozen=True, slots=True)
class Miss:
    """A gate that a model does not pass."""

    finding: Finding
    is_stated: bool

    @property
    def is_binding(self) -> bool:
        """Whether the model may not be published."""
        return self.is_stated or self.finding.evidence == "Enough"


def judge_gates(
    spec: TweetBotSpec, metrics: Metrics, comparison: Comparison | NoComparison | None = None
) -> tuple[Miss, ...]:
    """Return the gates that the model does not pass, in the order of GATES."""
    limits, candidate = resolve_gates(spec), Candidate(metrics, comparison)
    found = ((gate.field, gate.judge(getattr(limits, gate.field), candidate)) for gate in GATES)
    stated = spec.evaluation.gates
    return tuple(Miss(finding, getattr(stated, field) is not None) for field, finding in found if finding)


def resolve_gates(spec: TweetBotSpec) -> Gates:
    """Return the spec's gates, with the defaults for its base model."""
    given = spec.evaluation.gates
    if given.max_verbatim_percent is not None or spec.model.base.startswith("scratch://"):
        return given
    return given.model_copy(update={"max_verbatim_percent": MAX_VERBATIM_PERCENT})


def can_publish(misses: Collection[Miss]) -> bool:
    """Tell whether a model that misses these gates may be published."""
    return not any(miss.is_binding for miss in misses)


def build_advisory(misses: Collection[Miss]) -> str | None:
    """Return what the status says of a model that is published although it misses these gates, None without any."""
    if not misses or not can_publish(misses):
        return None
    return f"Look at its samples before you rely on it: {'; '.join(miss.finding.why for miss in misses)}."[
        :REASON_LIMIT
    ]


def build_gate_error(misses: Collection[Miss], metrics: Metrics, kept_at: str) -> GateFailed:
    """Return the error for a model that was stored at `kept_at`."""
    findings = [miss.finding for miss in misses if miss.is_binding]
    measured = any(finding.evidence != "None" for finding in findings)
    reason = reasons.GATE_FAILED if measured else reasons.GATE_NOT_MEASURABLE
    why, advice = "; ".join(one.why for one in findings), ". ".join(one.advice for one in findings)
    end = "If you loosen the gate, this model is published as it is."
    message = f"{why[0].upper()}{why[1:]}. The model is stored at {kept_at}. {advice}. {end}"
    return GateFailed(reason, message, metrics.figures)


def _judge_verbatim(limit: int | None, candidate: Candidate) -> Finding | None:
    """Compare the share of 1,000 samples that copy train posts, which are always enough."""
    rate = candidate.metrics.verbatim_rate
    if limit is None or (rate is not None and 100 * rate <= limit):
        return None
    if rate is None:
        cause = "no post that it was trained on has 50 characters, or an earlier release trained it"
        why = f"how much it repeats could not be measured ({cause}), and maxVerbatimPercent is {limit}"
        return Finding(why, f"Remove maxVerbatimPercent, or to have a model trained and measured, {FORCE}", "None")
    why = f"{100 * rate:.1f} % of its samples are verbatim, and maxVerbatimPercent is {limit}"
    return Finding(why, "Train for fewer epochs or at a lower learning rate, give more posts, or raise the limit")


def _judge_improvement(limit: int | None, candidate: Candidate) -> Finding | None:
    """Compare the gain over the base; with few test posts the lower end of its interval must reach the limit, too."""
    if limit is None:
        return None
    metrics, base = candidate.metrics, candidate.metrics.base_bits_per_byte
    if not base:
        why = f"the bits per byte of its base were not measured, and minImprovementPercent is {limit}"
        return Finding(why, f"To have a model trained and measured, {FORCE}, or remove minImprovementPercent", "None")
    gained = 100 * (1 - metrics.bits_per_byte / base)
    what = f"its {metrics.bits_per_byte:.3f} bits per byte are {gained:.1f} % below the base's {base:.3f}"
    if round(gained, 6) < limit:
        why = f"{what}, and minImprovementPercent is {limit}"
        return Finding(why, "Train for more epochs, give more posts, or lower the limit")
    low = metrics.improvement_low
    if metrics.reliability == "Normal" or (low is not None and low >= limit):
        return None
    posts = "the test posts" if metrics.test_posts is None else f"{metrics.test_posts} test posts"
    seen = f" (95 % interval from {low:.1f} %)" if low is not None else ""
    why = f"{what}{seen}, but {posts} are too few to be sure that they are {limit} % below it"
    return Finding(why, "Raise spec.training.holdoutPercent, give more posts, or lower or remove the limit", "None")


def _judge_style(limit: int | None, candidate: Candidate) -> Finding | None:
    """Compare the style score; with few test posts the lower end of its interval must reach the limit, too."""
    metrics, score, low = candidate.metrics, candidate.metrics.style_score, candidate.metrics.style_score_low
    if limit is None:
        return None
    if score is None and metrics.style_not_measured:
        why = f"its style was not measured, because {metrics.style_not_measured}, and minStyle is {limit}"
        return Finding(why, "Remove minStyle, or give more posts if they are too few", "None")
    if score is None:
        why = f"its style was not measured, and minStyle is {limit}"
        return Finding(why, f"To have a model trained and measured, {FORCE}, or remove minStyle", "None")
    what = f"its style score is {100 * score:.0f} %"
    if round(100 * score, 6) < limit:
        why = f"{what} of its author's, and minStyle is {limit}"
        return Finding(why, "Train for more epochs, give more posts, or lower the limit")
    if metrics.reliability == "Normal" or (low is not None and 100 * low >= limit):
        return None
    seen = f" (95 % interval from {100 * low:.0f} %)" if low is not None else ""
    why = f"{what}{seen}, but there are too few test posts to be sure that it reaches {limit} %"
    return Finding(why, "Raise spec.training.holdoutPercent, give more posts, or lower or remove the limit", "None")


def _judge_regression(limit: int | None, candidate: Candidate) -> Finding | None:
    """Compare with the served version: by the interval without a limit, else by the limit, on few posts by both."""
    found = candidate.comparison
    if found is None or limit == ANY_REGRESSION:
        return None
    escape = f"set spec.evaluation.gates.maxRegressionPercent: {ANY_REGRESSION} to publish whatever comes"
    if isinstance(found, NoComparison):
        why = f"it could not be compared with the served version {found.version}: {found.why}"
        return Finding(why, f"Put back what is missing, or {escape}", "None")
    what, few = f"its {found.describe(candidate.metrics)}", found.posts < RELIABLE_TEST_POSTS
    back = f"Go back to the posts and settings of that version, or {escape}"
    worse, low, high = (round(100 * (each - 1), 6) for each in (found.ratio, *(found.interval or (0.0, math.inf))))
    if limit is None and low > SEED_PERCENT:
        return Finding(what, back)
    if limit is None:
        return Finding(f"{what}; so few posts prove nothing", back, "Little") if few and worse > SEED_PERCENT else None
    if worse > limit:
        return Finding(f"{what}, and maxRegressionPercent is {limit}", back)
    if few and high > limit:
        why = f"{what}, which is too few posts to be sure that it is not more than {limit} % worse"
        return Finding(why, f"Raise spec.training.holdoutPercent, give more posts, or {escape}", "None")
    return None


GATES = (
    Gate("max_verbatim_percent", _judge_verbatim),
    Gate("min_improvement_percent", _judge_improvement),
    Gate("min_style", _judge_style),
    Gate("max_regression_percent", _judge_regression),
)
