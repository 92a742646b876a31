"""Run, its Job's outcome and what stands in the way → the row of the condition table."""

from dataclasses import dataclass
from datetime import datetime

from tweetbot_contract.reasons import (
    ADOPTED,
    EVICTED,
    NOTHING_NEW,
    PREPARING,
    QUEUED,
    RESULT_LOST,
    RETRY_BACKOFF,
    SUCCEEDED,
    SUSPENDED,
    TRAINING,
    WAITING_FOR_PREVIOUS_POD,
    Reason,
)
from tweetbot_contract.status import CurrentRun, Phase
from tweetbot_operator.types.stage_state import (
    Active,
    JobMissing,
    ResultLost,
    StageState,
    StartProblem,
    Suspended,
    Terminating,
)
from tweetbot_operator.types.summary import Summary
from tweetbot_operator.types.times import parse_time, sanitize


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What beside the run decides where it stands."""

    suspended: bool
    waiting: bool
    """A Job or Pod of an earlier run is still ending."""
    outcome: StageState
    blockage: StartProblem | None
    """Why a Pod does not start or end, or why the Job cannot be created."""
    now: datetime


def summarize_run(run: CurrentRun, around: Circumstances) -> Summary:
    """Return the row that holds: the first one whose condition is met."""
    if around.suspended:
        return Summary("Suspended", SUSPENDED.name, _format_reason(SUSPENDED), progressing=False)
    if run.outcome is not None:
        return _summarize_ended(run)
    if around.blockage:
        return _summarize_problem(run, around.blockage)
    if run.retry_at and parse_time(run.retry_at) > around.now:
        return _summarize_backoff(run, run.retry_at)
    return _summarize_active(run, around)


def _summarize_ended(run: CurrentRun) -> Summary:
    reason, message = run.reason or "", run.message or ""
    if run.outcome == "Failed":
        return Summary("Failed", reason, message, progressing=False, stalled=True)
    ends = {ADOPTED.name: ADOPTED, NOTHING_NEW.name: NOTHING_NEW}
    return Summary("Succeeded", reason, ends.get(reason, SUCCEEDED).meaning, progressing=False)


def _summarize_problem(run: CurrentRun, problem: StartProblem) -> Summary:
    progressing = not problem.stalled
    return Summary(_get_phase(run), problem.reason, problem.message, progressing=progressing, stalled=problem.stalled)


def _summarize_backoff(run: CurrentRun, until: str) -> Summary:
    cause = f"{run.reason}: {run.message}. " if run.reason != RETRY_BACKOFF.name else ""
    return Summary(_get_phase(run), RETRY_BACKOFF.name, f"{cause}Round {run.retries + 1} begins at {until}.")


def _summarize_active(run: CurrentRun, around: Circumstances) -> Summary:
    match around.outcome:
        case ResultLost() | Terminating(lost=True):
            return Summary("Queued", RESULT_LOST.name, _format_reason(RESULT_LOST))
        case Terminating():
            return Summary("Queued", WAITING_FOR_PREVIOUS_POD.name, _format_reason(WAITING_FOR_PREVIOUS_POD))
        case Active(evicted=True):
            return Summary("Queued", EVICTED.name, _format_reason(EVICTED))
        case Suspended() as held:
            return _summarize_suspended(held)
    if around.waiting and isinstance(around.outcome, JobMissing):
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
