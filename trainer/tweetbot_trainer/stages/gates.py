"""What a finished model must reach to be published: an ordered table of checks that answer with what is missed."""

from tweetbot_contract import reasons
from tweetbot_contract.result import Metrics
from tweetbot_contract.spec.spec import Gates, TweetBotSpec
from tweetbot_trainer.runtime.errors import GateFailed

#: The limit where the spec gives none; a model from nothing knows no other words than those of its posts.
MAX_VERBATIM_PERCENT = 20


def find_missed_gates(spec: TweetBotSpec, metrics: Metrics) -> tuple[str, ...]:
    """Return for each gate that the model misses by how much; they decide only where the figures are reliable."""
    gates = resolve_gates(spec)
    return tuple(missed for check in (_check_verbatim, _check_improvement) if (missed := check(gates, metrics)))


def resolve_gates(spec: TweetBotSpec) -> Gates:
    """Return the spec's gates with the defaults of its base."""
    given = spec.evaluation.gates
    if given.max_verbatim_percent is not None or spec.model.base.startswith("scratch://"):
        return given
    return given.model_copy(update={"max_verbatim_percent": MAX_VERBATIM_PERCENT})


def can_publish(spec: TweetBotSpec, metrics: Metrics) -> bool:
    """Tell whether a model with these figures may be published."""
    return metrics.reliability == "Low" or not find_missed_gates(spec, metrics)


def build_gate_error(missed: tuple[str, ...], kept_at: str) -> GateFailed:
    """Return the failure; the model lies at `kept_at`."""
    return GateFailed(
        reasons.GATE_FAILED, f"{'; '.join(missed)}. The model lies at {kept_at}. {reasons.GATE_FAILED.advice}"
    )


def _check_verbatim(gates: Gates, metrics: Metrics) -> str | None:
    limit, rate = gates.max_verbatim_percent, metrics.verbatim_rate
    if limit is None or (rate is not None and 100 * rate <= limit):
        return None
    if rate is None:
        return f"how much of it is verbatim was not measured, and maxVerbatimPercent is {limit}"
    return f"{100 * rate:.1f} % of its samples are verbatim, and maxVerbatimPercent is {limit}"


def _check_improvement(gates: Gates, metrics: Metrics) -> str | None:
    limit, base = gates.min_improvement_percent, metrics.base_bits_per_byte
    if limit is None or not base:
        return None
    gained = 100 * (1 - metrics.bits_per_byte / base)
    if round(gained, 6) >= limit:
        return None
    return (
        f"its {metrics.bits_per_byte:.3f} bits a byte are {gained:.1f} % below the base's {base:.3f}, "
        f"and minImprovementPercent is {limit}"
    )
