"""Summarize a run's state, and build the conditions that report it."""

from dataclasses import replace

from tweetbot_contract.handover import explain_hub_fault, explain_sync
from tweetbot_contract.manifest import BaseTweetBot, TweetBot
from tweetbot_contract.reasons import (
    ACCEPTED,
    ADOPTED,
    BY_NAME,
    DATASET_READY,
    EVICTED,
    GATE_ADVISORY,
    HUB_DEGRADED,
    KUEUE_NOT_FOUND,
    NO_DATASET,
    NO_MODEL,
    NOT_SUSPENDED,
    NOTHING_NEW,
    PREFIX_OWNED,
    PREPARING,
    QUEUED,
    RESULT_LOST,
    RETRY_BACKOFF,
    SOURCE_IRREGULAR,
    SUCCEEDED,
    SUSPENDED,
    TRACKED,
    TRACKING_DEGRADED,
    TRAINING,
    TRAINING_ADVISORY,
    WAITING_FOR_PREVIOUS_POD,
    Reason,
)
from tweetbot_contract.status import Condition, CurrentRun, ModelStatus, Phase
from tweetbot_operator.decisions.actions import find_start_problem, get_queue_position, is_previous_run_ending
from tweetbot_operator.decisions.advice import find_advice
from tweetbot_operator.decisions.failures import describe_trouble
from tweetbot_operator.decisions.platform.budgets import summarize_queued
from tweetbot_operator.decisions.pod_problems import find_start_step
from tweetbot_operator.decisions.progress import describe_activity, describe_wait, find_wait
from tweetbot_operator.decisions.run import get_hub, get_served
from tweetbot_operator.decisions.stage import Stage
from tweetbot_operator.decisions.tasks.forget_condition import describe_forgetting
from tweetbot_operator.decisions.tasks.pin import describe_pinned_model
from tweetbot_operator.types.objects import InvalidTweetBot
from tweetbot_operator.types.stage_state import (
    Active,
    Desired,
    DesiredCondition,
    JobMissing,
    ResultLost,
    RunUpdate,
    Summary,
    Suspended,
    Terminating,
)
from tweetbot_operator.types.times import parse_time, sanitize

#: The types of the conditions that the operator sets; other controllers may add others.
CONDITION_TYPES = frozenset([
    "Ready", "Progressing", "Stalled", "Accepted", "ModelReady", "DataReady", "Suspended", "TrackingDegraded",
    "PrefixShared", "GateAdvisory", "DataAdvisory", "TrainingAdvisory", "HubDegraded", "DataStale",
])  # fmt: skip


def summarize_run(stage: Stage) -> Summary:
    """Summarize the run by the first case that holds."""
    run = stage.run
    if stage.bot.spec.suspend:
        return Summary("Suspended", SUSPENDED.name, f"{SUSPENDED.meaning} {SUSPENDED.advice}", progressing=False)
    if run.outcome is not None:
        return _summarize_ended(run)
    summary = _summarize_unended(stage)
    trouble = run.last_trouble
    known = summary.reason == RETRY_BACKOFF.name or (trouble is not None and trouble.message in summary.message)
    if trouble is None or trouble.pod is None or trouble.stage != run.stage or known:
        return summary
    return replace(summary, message=f"{summary.message} Last trouble: {describe_trouble(trouble)}")


def _summarize_unended(stage: Stage) -> Summary:
    run = stage.run
    if problem := find_start_problem(stage):
        stalled = problem.stalled
        return Summary(_get_phase(run), problem.reason, problem.message, progressing=not stalled, stalled=stalled)
    if position := get_queue_position(stage):
        return summarize_queued(position, stage.bot.status.find_condition("Progressing"))
    if run.retry_at and parse_time(run.retry_at) > stage.now:
        return _summarize_pause(run)
    return _summarize_active(stage)


def _summarize_pause(run: CurrentRun) -> Summary:
    if run.reason == PREFIX_OWNED.name:
        message = f"{run.message} It is looked at again at {run.retry_at}."
        return Summary(_get_phase(run), PREFIX_OWNED.name, message, progressing=False, stalled=True)
    prefix = "" if run.reason == RETRY_BACKOFF.name else f"{run.reason}: "
    cause = "" if run.message == RETRY_BACKOFF.meaning else f"{prefix}{run.message}. "
    what = f"Attempt {run.attempt}" if run.attempt > 1 else f"Retry {run.retries}"
    return Summary(_get_phase(run), RETRY_BACKOFF.name, f"{cause}{what} begins at {run.retry_at}.")


def _summarize_ended(run: CurrentRun) -> Summary:
    reason, message = run.reason or "", run.message or ""
    if run.outcome == "Failed":
        return Summary("Failed", reason, message, progressing=False, stalled=True)
    ends = {ADOPTED.name: ADOPTED, NOTHING_NEW.name: NOTHING_NEW}
    return Summary("Succeeded", reason, ends.get(reason, SUCCEEDED).meaning, progressing=False)


def _summarize_active(stage: Stage) -> Summary:
    run, pod = stage.run, next((pod for pod in reversed(stage.pods) if not pod.ended), None)
    match stage.state:
        case Suspended() as state:
            return _summarize_suspended(state, stage)
        case ResultLost() | Terminating(lost=True):
            reason = RESULT_LOST
        case Active() if pod and not pod.started_at and (step := find_start_step(pod, stage.now)):
            return Summary(_get_phase(run), step.reason, step.message)
        case Active(evicted=True):
            reason = EVICTED
        case Terminating():
            reason = WAITING_FOR_PREVIOUS_POD
        case JobMissing() if is_previous_run_ending(stage):
            reason = WAITING_FOR_PREVIOUS_POD
        case Active() if wait := find_wait(stage.observed.latest_report, run.id, run.stage, stage.observed):
            message = describe_wait(wait, describe_activity(run, pod))
            return Summary(_get_phase(run), wait.reason, message)
        case _:
            active = PREPARING if run.stage == "Prepare" else TRAINING
            attempt = f" (attempt {run.attempt} of {stage.limits.attempts})" if run.attempt > 1 else ""
            return Summary(_get_phase(run), active.name, describe_activity(run, pod, attempt))
    return Summary("Queued", reason.name, f"{reason.meaning} {reason.advice}")


def _summarize_suspended(state: Suspended, stage: Stage) -> Summary:
    queue, cause = state.job.queue, f": {sanitize(state.cause)}" if state.cause else ""
    if not queue:
        message = "The Job is suspended, but not by the operator; it goes on when it no longer is."
    elif state.unserved:
        message = f"{KUEUE_NOT_FOUND.meaning} {KUEUE_NOT_FOUND.advice}"
        return Summary("Queued", KUEUE_NOT_FOUND.name, message, progressing=False, stalled=True)
    elif state.job.spec_edited:
        message = f"Queue {queue} evicted the Job; when admitted again, it goes on from its last checkpoint{cause}."
    else:
        advice = find_advice(QUEUED, state.cause, stage.bot.spec, stage.run.stage)
        message = " ".join((f"Queue {queue} has not admitted the Job yet{cause}.", *advice))
    return Summary("Queued", (EVICTED if state.job.spec_edited else QUEUED).name, message)


def _get_phase(run: CurrentRun) -> Phase:
    return "Preparing" if run.stage == "Prepare" else "Training"


#: Reasons of ModelReady that tell how the served model came about; others are spec.pin's.
_MADE = (SUCCEEDED.name, ADOPTED.name)


def build_desired_conditions(bot: TweetBot, update: RunUpdate, model: ModelStatus | None, summary: Summary) -> Desired:
    """Build every condition of a TweetBot whose spec is valid; a new condition is added here."""
    return (
        *_build_summary_conditions(bot, summary),
        DesiredCondition("Accepted", True, ACCEPTED.name, ACCEPTED.meaning, bot.generation),
        _build_model_condition(bot, update, model),
        *_build_gate_condition(bot, update),
        *_build_hub_condition(bot, update, model),
        _build_data_condition(bot, update),
        *_build_data_advisory(bot, update),
        _build_suspended_condition(bot),
        _build_tracking_condition(bot, update),
        *_build_result_conditions(bot, update),
        *(DesiredCondition("DataStale", *describe_forgetting(one), bot.generation) for one in (update.forget,) if one),
    )


def build_invalid_spec_conditions(bot: InvalidTweetBot) -> Desired:
    """Build the conditions of a TweetBot whose stored spec breaks a rule; the others stay as they were."""
    message = f"{bot.error}. {BY_NAME[bot.reason].advice}"
    summary = Summary("Failed", bot.reason, message, progressing=False, stalled=True)
    refused = DesiredCondition("Accepted", False, bot.reason, bot.error, bot.generation)
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
    places = f"{model.uri} and {model.hugging_face.url}" if model.hugging_face else model.uri
    reported = (*_build_gate_condition(bot, update), *_build_hub_condition(bot, update, model))
    advisories = "".join(f". {each.message}" for each in reported)
    return DesiredCondition("ModelReady", True, reason, f"{model.name} is {verb} at {places}{advisories}", generation)


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
    if result is None and former and not update.degraded:
        return replace(_keep_condition(former), generation=bot.generation)
    degraded = result.tracking.degraded if result else update.degraded
    reason = TRACKING_DEGRADED if degraded else TRACKED
    message = degraded or TRACKED.meaning
    if update.trained and result is update.trained:
        later = explain_sync(bot.spec, update.trained.model.uri, update.trained.tracking)
        message = f"{message.rstrip('.')}. {later}" if later else message
    return DesiredCondition("TrackingDegraded", bool(degraded), reason.name, message, bot.generation)


def _build_result_conditions(bot: TweetBot, update: RunUpdate) -> Desired:
    """Report that another TweetBot owns the output's folder, and what the training did less than was asked for."""
    last, trained = update.prepared or update.trained, update.trained
    shared = _build_lasting_condition(bot, "PrefixShared", PREFIX_OWNED, last, last.prefix_owned if last else None)
    notes = trained.advisory if trained else None
    return shared + _build_lasting_condition(bot, "TrainingAdvisory", TRAINING_ADVISORY, trained, notes)


def _build_gate_condition(bot: TweetBot, update: RunUpdate) -> Desired:
    """Report the default gates that the served model misses on little evidence."""
    made = get_served(update)
    return _build_lasting_condition(bot, "GateAdvisory", GATE_ADVISORY, made, made.gate_advisory if made else None)


def _build_hub_condition(bot: TweetBot, update: RunUpdate, model: ModelStatus | None) -> Desired:
    """Report that the served version is not on the Hub as the spec asks; nothing once the spec asks for no copy."""
    if bot.spec.output.hugging_face is None:
        return ()
    hub = get_hub(update)
    message = explain_hub_fault(bot.spec, model.uri, hub) if model and hub else None
    return _build_lasting_condition(bot, "HubDegraded", HUB_DEGRADED, get_served(update) or hub, message)


def _build_lasting_condition(bot: TweetBot, type_: str, reason: Reason, result: object, message: str | None) -> Desired:
    """Report the latest result's message, as long as there is no other result; absent where it has none."""
    if result is None:
        former = bot.status.find_condition(type_)
        return (replace(_keep_condition(former), generation=bot.generation),) if former else ()
    return (DesiredCondition(type_, True, reason.name, message, bot.generation),) if message else ()
