"""Summarize a run's state: its phase, its reason, and a message for people."""

from dataclasses import replace

from tweetbot_contract.reasons import (
    ADOPTED,
    BY_NAME,
    EVICTED,
    NOTHING_NEW,
    PREFIX_OWNED,
    PREPARING,
    QUEUED,
    RESULT_LOST,
    RETRY_BACKOFF,
    SUCCEEDED,
    SUSPENDED,
    TRAINING,
    WAITING_FOR_PREVIOUS_POD,
)
from tweetbot_contract.status import Condition, CurrentRun, Phase
from tweetbot_operator.decisions.actions import find_start_problem, get_queue_position, is_previous_run_ending
from tweetbot_operator.decisions.failures import describe_trouble
from tweetbot_operator.decisions.progress import find_wait
from tweetbot_operator.decisions.stage import Stage
from tweetbot_operator.types.objects import QueuePosition
from tweetbot_operator.types.stage_state import Active, JobMissing, ResultLost, Summary, Suspended, Terminating
from tweetbot_operator.types.times import make_printable, parse_time, sanitize


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


def summarize_queued(position: QueuePosition, former: Condition | None) -> Summary:
    """Summarize a run that waits for a slot. It keeps the number from its start: each change would cost a write."""
    cause = f"{QUEUED.meaning} {position.limit}. "
    if former and former.reason == QUEUED.name and former.message.startswith(cause):
        return Summary("Queued", QUEUED.name, former.message)
    return Summary("Queued", QUEUED.name, f"{cause}When it joined, {position.before} of its namespace were before it.")


def _summarize_active(stage: Stage) -> Summary:
    run = stage.run
    match stage.state:
        case Suspended() as state:
            return _summarize_suspended(state)
        case ResultLost() | Terminating(lost=True):
            reason = RESULT_LOST
        case Active(evicted=True):
            reason = EVICTED
        case Terminating():
            reason = WAITING_FOR_PREVIOUS_POD
        case JobMissing() if is_previous_run_ending(stage):
            reason = WAITING_FOR_PREVIOUS_POD
        case Active(start_problem=None) if wait := find_wait(run, stage.observed):
            said = f"{make_printable(wait.message).rstrip('.')}. The stage has waited since {wait.since}."
            return Summary(_get_phase(run), wait.reason, f"{said} {BY_NAME[wait.reason].advice}")
        case _:
            active = PREPARING if run.stage == "Prepare" else TRAINING
            attempt = f" (attempt {run.attempt} of {stage.limits.attempts})" if run.attempt > 1 else ""
            return Summary(_get_phase(run), active.name, f"{active.meaning.rstrip('.')}{attempt}.")
    return Summary("Queued", reason.name, f"{reason.meaning} {reason.advice}")


def _summarize_suspended(state: Suspended) -> Summary:
    queue, cause = state.job.queue, f": {sanitize(state.cause)}" if state.cause else ""
    if not queue:
        message = "The Job is suspended, but not by the operator; it goes on when it no longer is."
    elif state.job.spec_edited:
        message = f"Queue {queue} evicted the Job; when admitted again, it goes on from its last checkpoint{cause}."
    else:
        message = f"Queue {queue} has not admitted the Job yet{cause}."
    return Summary("Queued", (EVICTED if state.job.spec_edited else QUEUED).name, message)


def _get_phase(run: CurrentRun) -> Phase:
    return "Preparing" if run.stage == "Prepare" else "Training"
