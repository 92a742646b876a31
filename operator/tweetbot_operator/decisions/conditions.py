"""Build the conditions that report a run's state."""

from dataclasses import dataclass, replace
from datetime import datetime

from tweetbot_contract.handover import explain_sync
from tweetbot_contract.manifest import BaseTweetBot, TweetBot
from tweetbot_contract.reasons import (
    ACCEPTED,
    ADOPTED,
    BY_NAME,
    DATASET_READY,
    GATE_ADVISORY,
    INVALID_SPEC,
    NO_DATASET,
    NO_MODEL,
    NOT_SUSPENDED,
    PREFIX_OWNED,
    SOURCE_IRREGULAR,
    SUCCEEDED,
    SUSPENDED,
    TRACKED,
    TRACKING_DEGRADED,
    Reason,
)
from tweetbot_contract.status import Condition, ModelStatus, TweetBotStatus
from tweetbot_operator.decisions.pin import describe_pinned_model
from tweetbot_operator.decisions.run import RunUpdate
from tweetbot_operator.types.objects import InvalidTweetBot
from tweetbot_operator.types.stage_state import Summary
from tweetbot_operator.types.times import format_time, make_printable

#: The types of the conditions that the operator sets; other controllers may add others.
CONDITION_TYPES = frozenset([
    "Ready", "Progressing", "Stalled", "Accepted", "ModelReady", "DataReady", "Suspended", "TrackingDegraded",
    "PrefixShared", "GateAdvisory", "DataAdvisory",
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class DesiredCondition:
    """A condition without its transition time."""

    type: str
    holds: bool
    reason: str
    message: str
    generation: int


Desired = tuple[DesiredCondition, ...]
#: Reasons of ModelReady that tell how the served model came about; others are spec.pin's.
_MADE = (SUCCEEDED.name, ADOPTED.name)


def build_conditions(desired: Desired, before: TweetBotStatus, now: datetime) -> tuple[Condition, ...]:
    """Build the conditions, sorted by type; each keeps its transition time unless its status flips."""
    return tuple(_build_condition(each, before, now) for each in sorted(desired, key=lambda each: each.type))


def _build_condition(desired: DesiredCondition, before: TweetBotStatus, now: datetime) -> Condition:
    former, status = before.find_condition(desired.type), "True" if desired.holds else "False"
    content = {
        "status": status,
        "reason": desired.reason,
        "message": make_printable(desired.message, 2048),
        "observed_generation": desired.generation,
    }
    if former and all(getattr(former, name) == value for name, value in content.items()):
        return former
    kept = former.last_transition_time if former and former.status == status else format_time(now)
    return Condition.model_validate({"type": desired.type, "last_transition_time": kept, **content})


def build_desired_conditions(bot: TweetBot, update: RunUpdate, model: ModelStatus | None, summary: Summary) -> Desired:
    """Build every condition of a TweetBot whose spec is valid; a new condition is added here."""
    return (
        *_build_summary_conditions(bot, summary),
        DesiredCondition("Accepted", True, ACCEPTED.name, ACCEPTED.meaning, bot.generation),
        _build_model_condition(bot, update, model),
        *_build_gate_condition(bot, update),
        _build_data_condition(bot, update),
        *_build_data_advisory(bot, update),
        _build_suspended_condition(bot),
        _build_tracking_condition(bot, update),
        *_build_prefix_condition(bot, update),
    )


def build_invalid_spec_conditions(bot: InvalidTweetBot) -> Desired:
    """Build the conditions of a TweetBot whose stored spec breaks a rule; the others stay as they were."""
    message = f"{bot.error}. {INVALID_SPEC.advice}"
    summary = Summary("Failed", INVALID_SPEC.name, message, progressing=False, stalled=True)
    refused = DesiredCondition("Accepted", False, INVALID_SPEC.name, bot.error, bot.generation)
    return _keep_others(bot, (*_build_summary_conditions(bot, summary), refused))


def replace_summary(bot: BaseTweetBot, summary: Summary) -> Desired:
    """Build the conditions that only this summary changes; the others stay as they were."""
    return _keep_others(bot, _build_summary_conditions(bot, summary))


def _keep_others(bot: BaseTweetBot, desired: Desired) -> Desired:
    others = CONDITION_TYPES - {condition.type for condition in desired} - {"Stalled"}
    return (*desired, *(_keep_condition(former) for former in bot.status.conditions if former.type in others))


def _keep_condition(former: Condition) -> DesiredCondition:
    holds = former.status == "True"
    return DesiredCondition(former.type, holds, former.reason, former.message, former.observed_generation)


def _build_summary_conditions(bot: BaseTweetBot, summary: Summary) -> Desired:
    said = summary.alarm or summary
    content = (said.reason, said.message, bot.generation)
    ready = DesiredCondition("Ready", not summary.stalled, *content)
    progressing = DesiredCondition("Progressing", summary.progressing, summary.reason, summary.message, bot.generation)
    # Stalled is abnormal-true: present only where it holds (kstatus).
    return (ready, progressing, *([DesiredCondition("Stalled", True, *content)] if summary.stalled else []))


def _build_model_condition(bot: TweetBot, update: RunUpdate, model: ModelStatus | None) -> DesiredCondition:
    """Observe the newest generation whose identity, or pin, the served model satisfies."""
    run, generation = update.run, bot.generation
    former = bot.status.find_condition("ModelReady")
    if former and former.status != "True":
        former = None
    if update.pin and update.pin.pin:
        kept = former.observed_generation if former and update.pin.pending else generation
        return DesiredCondition("ModelReady", model is not None, *describe_pinned_model(update.pin, model), kept)
    if model is None:
        failed = run.outcome == "Failed" and run.reason
        reason, message = (run.reason or "", run.message) if failed else (NO_MODEL.name, None)
        return DesiredCondition("ModelReady", False, reason, message or NO_MODEL.meaning, generation)
    if model.identity != run.identity and former:
        generation = former.observed_generation
    if model.run_id == run.id and run.outcome == "Succeeded":
        reason = run.reason or SUCCEEDED.name
    else:
        reason = former.reason if former and former.reason in _MADE else SUCCEEDED.name
    verb = "adopted" if reason == ADOPTED.name else "published"
    advisories = "".join(f". {each.message}" for each in _build_gate_condition(bot, update))
    return DesiredCondition(
        "ModelReady", True, reason, f"{model.name} is {verb} at {model.uri}{advisories}", generation
    )


def _build_data_condition(bot: TweetBot, update: RunUpdate) -> DesiredCondition:
    if not update.run.dataset:
        return DesiredCondition("DataReady", False, NO_DATASET.name, NO_DATASET.meaning, bot.generation)
    message = f"Dataset {update.run.dataset[:16]} is in S3."
    return DesiredCondition("DataReady", True, DATASET_READY.name, message, bot.generation)


def _build_data_advisory(bot: TweetBot, update: RunUpdate) -> Desired:
    """Report what the author should know of the data, under the reason of what matters most."""
    warnings = update.prepared.warnings if update.prepared else ()
    message = " ".join(warning.message for warning in warnings)
    reason = BY_NAME.get(warnings[0].reason, SOURCE_IRREGULAR) if warnings else SOURCE_IRREGULAR
    return _build_lasting_condition(bot, "DataAdvisory", reason, update.prepared, message or None)


def _build_suspended_condition(bot: TweetBot) -> DesiredCondition:
    reason = SUSPENDED if bot.spec.suspend else NOT_SUSPENDED
    return DesiredCondition("Suspended", bot.spec.suspend, reason.name, reason.meaning, bot.generation)


def _build_tracking_condition(bot: TweetBot, update: RunUpdate) -> DesiredCondition:
    """Report the latest result's tracking; without a new result the condition stays as it was."""
    adopted = update.prepared and update.prepared.adopted  # its tracking is that of the run that trained it
    result = update.prepared if adopted or not update.trained else update.trained
    former = bot.status.find_condition("TrackingDegraded")
    if result is None and former:
        return replace(_keep_condition(former), generation=bot.generation)
    degraded = result.tracking.degraded if result else None
    reason = TRACKING_DEGRADED if degraded else TRACKED
    message = degraded or TRACKED.meaning
    if update.trained and result is update.trained:
        later = explain_sync(bot.spec, update.trained.model.uri, update.trained.tracking)
        message = f"{message.rstrip('.')}. {later}" if later else message
    return DesiredCondition("TrackingDegraded", bool(degraded), reason.name, message, bot.generation)


def _build_prefix_condition(bot: TweetBot, update: RunUpdate) -> Desired:
    """Report that another TweetBot owns the output's folder."""
    result = update.prepared or update.trained
    return _build_lasting_condition(bot, "PrefixShared", PREFIX_OWNED, result, result.prefix_owned if result else None)


def _build_gate_condition(bot: TweetBot, update: RunUpdate) -> Desired:
    """Report the default gates that the served model misses on little evidence."""
    result = update.served
    advisory = result.gate_advisory if result else None
    return _build_lasting_condition(bot, "GateAdvisory", GATE_ADVISORY, result, advisory)


def _build_lasting_condition(bot: TweetBot, type_: str, reason: Reason, result: object, message: str | None) -> Desired:
    """Report the latest result's message, as long as there is no other result; absent where it has none."""
    if result is None:
        former = bot.status.find_condition(type_)
        return (replace(_keep_condition(former), generation=bot.generation),) if former else ()
    return (DesiredCondition(type_, True, reason.name, message, bot.generation),) if message else ()
