"""Standing, run and model → the conditions, each with its own generation and time of transition."""

from dataclasses import dataclass
from datetime import datetime

from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import (
    ACCEPTED,
    ADOPTED,
    DATASET_READY,
    EVICTED,
    INVALID_SPEC,
    NO_DATASET,
    NO_MODEL,
    NOT_SUSPENDED,
    NOTHING_NEW,
    PREPARING,
    QUEUED,
    RESULT_LOST,
    RETRY_BACKOFF,
    SUCCEEDED,
    SUSPENDED,
    TRACKED,
    TRACKING_DEGRADED,
    TRAINING,
    WAITING_FOR_PREVIOUS_POD,
    Reason,
)
from tweetbot_contract.status import Condition, CurrentRun, ModelStatus, Phase, TweetBotStatus
from tweetbot_operator.decisions.actions import find_start_problem, get_queue_position, is_previous_run_ending
from tweetbot_operator.decisions.run import RunUpdate
from tweetbot_operator.decisions.stage import Stage
from tweetbot_operator.types.objects import QueuePosition
from tweetbot_operator.types.stage_state import Active, JobMissing, ResultLost, StartProblem, Suspended, Terminating
from tweetbot_operator.types.times import format_time, make_printable, parse_time, sanitize


@dataclass(frozen=True, slots=True)
class Summary:
    """What Ready, Stalled, Progressing and phase say together.

    There is no row for `Reconciling`: until the operator has recorded a generation, `observedGeneration` differs, and
    kstatus reads exactly that as InProgress; from then on it has been acted on.
    """

    phase: Phase
    reason: str
    message: str
    progressing: bool = True
    stalled: bool = False


def summarize_run(stage: Stage) -> Summary:
    """Say where the run stands; the first case that holds counts."""
    run = stage.run
    if stage.bot.spec.suspend:
        return Summary("Suspended", SUSPENDED.name, _format_reason(SUSPENDED), progressing=False)
    if run.outcome is not None:
        return _summarize_ended(run)
    if problem := find_start_problem(stage):
        return _summarize_problem(run, problem)
    if position := get_queue_position(stage):
        return summarize_queued(position, stage.bot.status.find_condition("Progressing"))
    if run.retry_at and parse_time(run.retry_at) > stage.now:
        return _summarize_backoff(run, run.retry_at)
    return _summarize_active(stage)


def _summarize_ended(run: CurrentRun) -> Summary:
    reason, message = run.reason or "", run.message or ""
    if run.outcome == "Failed":
        return Summary("Failed", reason, message, progressing=False, stalled=True)
    ends = {ADOPTED.name: ADOPTED, NOTHING_NEW.name: NOTHING_NEW}
    return Summary("Succeeded", reason, ends.get(reason, SUCCEEDED).meaning, progressing=False)


def _summarize_problem(run: CurrentRun, problem: StartProblem) -> Summary:
    progressing = not problem.stalled
    return Summary(_get_phase(run), problem.reason, problem.message, progressing=progressing, stalled=problem.stalled)


def summarize_queued(position: QueuePosition, former: Condition | None) -> Summary:
    """Return the row of a run that waits. The number is that of its joining: to follow it would write for ever."""
    cause = f"{QUEUED.meaning} {position.limit}. "
    if former and former.reason == QUEUED.name and former.message.startswith(cause):
        return Summary("Queued", QUEUED.name, former.message)
    return Summary("Queued", QUEUED.name, f"{cause}When it joined, {position.before} of its namespace were before it.")


def _summarize_backoff(run: CurrentRun, until: str) -> Summary:
    cause = f"{run.reason}: {run.message}. " if run.reason != RETRY_BACKOFF.name else ""
    return Summary(_get_phase(run), RETRY_BACKOFF.name, f"{cause}Round {run.retries + 1} begins at {until}.")


def _summarize_active(stage: Stage) -> Summary:
    run = stage.run
    match stage.state:
        case ResultLost() | Terminating(lost=True):
            return Summary("Queued", RESULT_LOST.name, _format_reason(RESULT_LOST))
        case Terminating():
            return Summary("Queued", WAITING_FOR_PREVIOUS_POD.name, _format_reason(WAITING_FOR_PREVIOUS_POD))
        case Active(evicted=True):
            return Summary("Queued", EVICTED.name, _format_reason(EVICTED))
        case Suspended() as held:
            return _summarize_suspended(held)
    if isinstance(stage.state, JobMissing) and is_previous_run_ending(stage):
        return Summary("Queued", WAITING_FOR_PREVIOUS_POD.name, _format_reason(WAITING_FOR_PREVIOUS_POD))
    reason = PREPARING if run.stage == "Prepare" else TRAINING
    attempt = f" (attempt {run.attempt})" if run.attempt > 1 else ""
    return Summary(_get_phase(run), reason.name, reason.meaning.rstrip(".") + attempt + ".")


def _summarize_suspended(held: Suspended) -> Summary:
    queue, cause = held.job.queue, f": {sanitize(held.cause)}" if held.cause else ""
    if not queue:
        words = "The Job is suspended, by somebody else than the operator; it goes on when it no longer is."
    elif held.job.spec_edited:
        words = (
            f"Queue {queue} took the place back; the run goes on from its last checkpoint when admitted again{cause}."
        )
    else:
        words = f"Queue {queue} has not admitted the Job yet{cause}."
    return Summary("Queued", (EVICTED if held.job.spec_edited else QUEUED).name, words)


def _get_phase(run: CurrentRun) -> Phase:
    return "Preparing" if run.stage == "Prepare" else "Training"


def _format_reason(reason: Reason) -> str:
    return f"{reason.meaning} {reason.advice}"


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
