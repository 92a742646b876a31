"""Quality gates: what a model must reach to be published."""

from tweetbot_contract import reasons
from tweetbot_contract.result import Metrics
from tweetbot_contract.spec.spec import Gates, TweetBotSpec
from tweetbot_trainer.runtime.errors import GateFailed

#: Default of maxVerbatimPercent. A model from scratch has none: it knows only the words of its posts.
MAX_VERBATIM_PERCENT = 20


def find_missed_gates(spec: TweetBotSpec, metrics: Metrics) -> tuple[str, ...]:
    """Describe each gate that the model misses, and by how much. See can_publish for what follows."""
    gates = resolve_gates(spec)
    return tuple(missed for check in (_check_verbatim, _check_improvement) if (missed := check(gates, metrics)))


def resolve_gates(spec: TweetBotSpec) -> Gates:
    """Return the spec's gates, with the defaults for its base model."""
    given = spec.evaluation.gates
    if given.max_verbatim_percent is not None or spec.model.base.startswith("scratch://"):
        return given
    return given.model_copy(update={"max_verbatim_percent": MAX_VERBATIM_PERCENT})


def can_publish(spec: TweetBotSpec, metrics: Metrics) -> bool:
    """Tell whether a model with these metrics may be published: gates count only if the metrics are reliable."""
    return metrics.reliability == "Low" or not find_missed_gates(spec, metrics)


def build_gate_error(missed: tuple[str, ...], kept_at: str) -> GateFailed:
    """Return the error for a model that was stored at `kept_at`."""
    return GateFailed(
        reasons.GATE_FAILED, f"{'; '.join(missed)}. The model is stored at {kept_at}. {reasons.GATE_FAILED.advice}"
    )


def _check_verbatim(gates: Gates, metrics: Metrics) -> str | None:
    limit, rate = gates.max_verbatim_percent, metrics.verbatim_rate
    if limit is None or (rate is not None and 100 * rate <= limit):
        return None
    if rate is None:
        return f"its verbatim rate was not measured, and maxVerbatimPercent is {limit}"
    return f"{100 * rate:.1f} % of its samples are verbatim, and maxVerbatimPercent is {limit}"


def _check_improvement(gates: Gates, metrics: Metrics) -> str | None:
    limit, base = gates.min_improvement_percent, metrics.base_bits_per_byte
    if limit is None or not base:
        return None
    gained = 100 * (1 - metrics.bits_per_byte / base)
    if round(gained, 6) >= limit:
        return None
    return (
        f"its {metrics.bits_per_byte:.3f} bits per byte are {gained:.1f} % below the base's {base:.3f}, "
        f"and minImprovementPercent is {limit}"
    )
