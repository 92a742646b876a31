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
from tweetbot_operator.decisions.run import RunUpdate
from tweetbot_operator.types.summary import Summary
from tweetbot_operator.types.times import format_time, make_printable


@dataclass(frozen=True, slots=True)
class DesiredCondition:
    """A condition without its time: what is claimed, of which generation."""

    type: str
    holds: bool
    reason: str
    message: str
    generation: int


def build_conditions(
    desired: tuple[DesiredCondition, ...], before: TweetBotStatus, now: datetime
) -> tuple[Condition, ...]:
    """Return the conditions by type; the time of transition is kept unless the status flips."""
    return tuple(
        _build_condition(condition, before, now) for condition in sorted(desired, key=lambda condition: condition.type)
    )


def _build_condition(desired: DesiredCondition, before: TweetBotStatus, now: datetime) -> Condition:
    former, status = before.find_condition(desired.type), "True" if desired.holds else "False"
    said = {
        "status": status,
        "reason": desired.reason,
        "message": make_printable(desired.message, 2048),
        "observed_generation": desired.generation,
    }
    if former and all(getattr(former, name) == value for name, value in said.items()):
        return former
    kept = former.last_transition_time if former and former.status == status else format_time(now)
    return Condition.model_validate({"type": desired.type, "last_transition_time": kept, **said})


def build_desired_conditions(
    bot: TweetBot, update: RunUpdate, model: ModelStatus | None, summary: Summary
) -> tuple[DesiredCondition, ...]:
    """Return everything that is claimed of a TweetBot whose spec is valid."""
    generation = bot.generation
    return (
        *build_summary_conditions(summary, generation),
        DesiredCondition("Accepted", True, ACCEPTED.name, ACCEPTED.meaning, generation),
        _build_model_condition(bot, update, model),
        _build_data_condition(update, generation),
        _build_suspended_condition(bot),
        _build_tracking_condition(bot, update),
    )


def build_invalid_spec_conditions(
    message: str, before: TweetBotStatus, generation: int
) -> tuple[DesiredCondition, ...]:
    """Return what is claimed where the stored spec breaks a rule: all else stays as it was."""
    summary = summarize_invalid_spec(message)
    refused = DesiredCondition("Accepted", False, INVALID_SPEC.name, message, generation)
    return _merge_conditions((*build_summary_conditions(summary, generation), refused), before)


def conditions_from_summary(summary: Summary, before: TweetBotStatus, generation: int) -> tuple[DesiredCondition, ...]:
    """Return what is claimed where only this standing is new: all else stays as it was."""
    return _merge_conditions(build_summary_conditions(summary, generation), before)


def _merge_conditions(own: tuple[DesiredCondition, ...], before: TweetBotStatus) -> tuple[DesiredCondition, ...]:
    settled = {condition.type for condition in own} | {"Stalled"}
    kept = tuple(_keep_condition(former) for former in before.conditions if former.type not in settled)
    return (*own, *kept)


def summarize_invalid_spec(message: str) -> Summary:
    """Return the row of a spec that breaks a rule."""
    return Summary("Failed", INVALID_SPEC.name, f"{message}. {INVALID_SPEC.advice}", progressing=False, stalled=True)


def build_summary_conditions(summary: Summary, generation: int) -> tuple[DesiredCondition, ...]:
    """Return Ready and Progressing, and Stalled where it holds (abnormal-true: present only then)."""
    said = (summary.reason, summary.message, generation)
    ready = DesiredCondition("Ready", not summary.stalled, *said)
    progressing = DesiredCondition("Progressing", summary.progressing, *said)
    return (ready, progressing, DesiredCondition("Stalled", True, *said)) if summary.stalled else (ready, progressing)


def _build_model_condition(bot: TweetBot, update: RunUpdate, model: ModelStatus | None) -> DesiredCondition:
    """It speaks of the newest generation whose identity the served model satisfies."""
    if model is None:
        why = update.run.reason if update.run.outcome == "Failed" else None
        return DesiredCondition(
            "ModelReady", False, why or NO_MODEL.name, (why and update.run.message) or NO_MODEL.meaning, bot.generation
        )
    former = bot.status.find_condition("ModelReady")
    generation = bot.generation
    if model.identity != update.run.identity and former and former.status == "True":
        generation = former.observed_generation
    if model.run_id == update.run.id and update.run.outcome == "Succeeded":
        reason = update.run.reason or SUCCEEDED.name
    else:
        reason = former.reason if former and former.status == "True" else SUCCEEDED.name
    verb = "adopted" if reason == ADOPTED.name else "published"
    return DesiredCondition("ModelReady", True, reason, f"{model.name} is {verb} at {model.uri}", generation)


def _build_data_condition(update: RunUpdate, generation: int) -> DesiredCondition:
    if update.run.dataset:
        return DesiredCondition(
            "DataReady", True, DATASET_READY.name, f"Dataset {update.run.dataset[:16]} stands in S3.", generation
        )
    return DesiredCondition("DataReady", False, NO_DATASET.name, NO_DATASET.meaning, generation)


def _build_suspended_condition(bot: TweetBot) -> DesiredCondition:
    reason = SUSPENDED if bot.spec.suspend else NOT_SUSPENDED
    return DesiredCondition("Suspended", bot.spec.suspend, reason.name, reason.meaning, bot.generation)


def _build_tracking_condition(bot: TweetBot, update: RunUpdate) -> DesiredCondition:
    """The latest result has the word; without one, what was said before stands."""
    results = [
        result.tracking for result in (update.prepared, None if _is_adopted(update) else update.trained) if result
    ]
    if results:
        degraded = results[-1].degraded
        reason = TRACKING_DEGRADED if degraded else TRACKED
        return DesiredCondition(
            "TrackingDegraded", bool(degraded), reason.name, degraded or TRACKED.meaning, bot.generation
        )
    former = bot.status.find_condition("TrackingDegraded")
    if former:
        return DesiredCondition(former.type, former.status == "True", former.reason, former.message, bot.generation)
    return DesiredCondition("TrackingDegraded", False, TRACKED.name, TRACKED.meaning, bot.generation)


def _is_adopted(update: RunUpdate) -> bool:
    """An adopted model carries the tracking of the run that made it, which is none of this run's."""
    return update.prepared is not None and update.prepared.adopted is not None


def _keep_condition(former: Condition) -> DesiredCondition:
    return DesiredCondition(
        former.type, former.status == "True", former.reason, former.message, former.observed_generation
    )
