"""Standing, run and model → the conditions, each with its own generation and time of transition."""

from dataclasses import dataclass
from datetime import datetime

from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import (
    ACCEPTED,
    ADOPTED,
    DATASET_READY,
    INVALID_SPEC,
    NO_DATASET,
    NO_MODEL,
    NOT_SUSPENDED,
    SUCCEEDED,
    SUSPENDED,
    TRACKED,
    TRACKING_DEGRADED,
)
from tweetbot_contract.status import Condition, ModelStatus, TweetBotStatus
from tweetbot_operator.decisions.run import Turn
from tweetbot_operator.types.summary import Standing
from tweetbot_operator.types.times import printable, stamp


@dataclass(frozen=True, slots=True)
class Claim:
    """A condition without its time: what is claimed, of which generation."""

    type: str
    holds: bool
    reason: str
    message: str
    generation: int


def conditions_after(claims: tuple[Claim, ...], before: TweetBotStatus, now: datetime) -> tuple[Condition, ...]:
    """Return the conditions by type; the time of transition is kept unless the status flips."""
    return tuple(_condition(claim, before, now) for claim in sorted(claims, key=lambda claim: claim.type))


def _condition(claim: Claim, before: TweetBotStatus, now: datetime) -> Condition:
    former, status = before.condition(claim.type), "True" if claim.holds else "False"
    said = {
        "status": status,
        "reason": claim.reason,
        "message": printable(claim.message, 2048),
        "observed_generation": claim.generation,
    }
    if former and all(getattr(former, name) == value for name, value in said.items()):
        return former
    kept = former.last_transition_time if former and former.status == status else stamp(now)
    return Condition.model_validate({"type": claim.type, "last_transition_time": kept, **said})


def claims_of(bot: TweetBot, turn: Turn, model: ModelStatus | None, standing: Standing) -> tuple[Claim, ...]:
    """Return everything that is claimed of a TweetBot whose spec is valid."""
    generation = bot.generation
    return (
        *standing_claims(standing, generation),
        Claim("Accepted", True, ACCEPTED.name, ACCEPTED.meaning, generation),
        _model_claim(bot, turn, model),
        _data_claim(turn, generation),
        _suspended_claim(bot),
        _tracking_claim(bot, turn),
    )


def invalid_spec_claims(message: str, before: TweetBotStatus, generation: int) -> tuple[Claim, ...]:
    """Return what is claimed where the stored spec breaks a rule: all else stays as it was."""
    standing = invalid_spec_standing(message)
    refused = Claim("Accepted", False, INVALID_SPEC.name, message, generation)
    return _over((*standing_claims(standing, generation), refused), before)


def claims_saying(standing: Standing, before: TweetBotStatus, generation: int) -> tuple[Claim, ...]:
    """Return what is claimed where only this standing is new: all else stays as it was."""
    return _over(standing_claims(standing, generation), before)


def _over(own: tuple[Claim, ...], before: TweetBotStatus) -> tuple[Claim, ...]:
    settled = {claim.type for claim in own} | {"Stalled"}
    kept = tuple(_claim(former) for former in before.conditions if former.type not in settled)
    return (*own, *kept)


def invalid_spec_standing(message: str) -> Standing:
    """Return the row of a spec that breaks a rule."""
    return Standing("Failed", INVALID_SPEC.name, f"{message}. {INVALID_SPEC.advice}", progressing=False, stalled=True)


def standing_claims(standing: Standing, generation: int) -> tuple[Claim, ...]:
    """Return Ready and Progressing, and Stalled where it holds (abnormal-true: present only then)."""
    said = (standing.reason, standing.message, generation)
    ready = Claim("Ready", not standing.stalled, *said)
    progressing = Claim("Progressing", standing.progressing, *said)
    return (ready, progressing, Claim("Stalled", True, *said)) if standing.stalled else (ready, progressing)


def _model_claim(bot: TweetBot, turn: Turn, model: ModelStatus | None) -> Claim:
    """It speaks of the newest generation whose identity the served model satisfies."""
    if model is None:
        why = turn.run.reason if turn.run.outcome == "Failed" else None
        return Claim(
            "ModelReady", False, why or NO_MODEL.name, (why and turn.run.message) or NO_MODEL.meaning, bot.generation
        )
    former = bot.status.condition("ModelReady")
    generation = bot.generation
    if model.identity != turn.run.identity and former and former.status == "True":
        generation = former.observed_generation
    if model.run_id == turn.run.id and turn.run.outcome == "Succeeded":
        reason = turn.run.reason or SUCCEEDED.name
    else:
        reason = former.reason if former and former.status == "True" else SUCCEEDED.name
    verb = "adopted" if reason == ADOPTED.name else "published"
    return Claim("ModelReady", True, reason, f"{model.name} is {verb} at {model.uri}", generation)


def _data_claim(turn: Turn, generation: int) -> Claim:
    if turn.run.dataset:
        return Claim(
            "DataReady", True, DATASET_READY.name, f"Dataset {turn.run.dataset[:16]} stands in S3.", generation
        )
    return Claim("DataReady", False, NO_DATASET.name, NO_DATASET.meaning, generation)


def _suspended_claim(bot: TweetBot) -> Claim:
    reason = SUSPENDED if bot.spec.suspend else NOT_SUSPENDED
    return Claim("Suspended", bot.spec.suspend, reason.name, reason.meaning, bot.generation)


def _tracking_claim(bot: TweetBot, turn: Turn) -> Claim:
    """The latest result has the word; without one, what was said before stands."""
    results = [result.tracking for result in (turn.prepared, None if _adopts(turn) else turn.trained) if result]
    if results:
        degraded = results[-1].degraded
        reason = TRACKING_DEGRADED if degraded else TRACKED
        return Claim("TrackingDegraded", bool(degraded), reason.name, degraded or TRACKED.meaning, bot.generation)
    former = bot.status.condition("TrackingDegraded")
    if former:
        return Claim(former.type, former.status == "True", former.reason, former.message, bot.generation)
    return Claim("TrackingDegraded", False, TRACKED.name, TRACKED.meaning, bot.generation)


def _adopts(turn: Turn) -> bool:
    """An adopted model carries the tracking of the run that made it, which is none of this run's."""
    return turn.prepared is not None and turn.prepared.adopted is not None


def _claim(former: Condition) -> Claim:
    return Claim(former.type, former.status == "True", former.reason, former.message, former.observed_generation)
