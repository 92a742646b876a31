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
from tweetbot_operator.types.stage_state import Blockage, Going, Held, Leaving, Lost, NoJob, Outcome
from tweetbot_operator.types.summary import Standing
from tweetbot_operator.types.times import clause, moment_of


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What beside the run decides where it stands."""

    suspended: bool
    waiting: bool
    """A Job or Pod of an earlier run is still ending."""
    outcome: Outcome
    blockage: Blockage | None
    """Why a Pod does not start or end, or why the Job cannot be created."""
    now: datetime


def standing_of(run: CurrentRun, around: Circumstances) -> Standing:
    """Return the row that holds: the first one whose condition is met."""
    if around.suspended:
        return Standing("Suspended", SUSPENDED.name, _phrase(SUSPENDED), progressing=False)
    if run.outcome is not None:
        return _ended(run)
    if around.blockage:
        return _blocked(run, around.blockage)
    if run.retry_at and moment_of(run.retry_at) > around.now:
        return _backing_off(run, run.retry_at)
    return _going(run, around)


def _ended(run: CurrentRun) -> Standing:
    reason, message = run.reason or "", run.message or ""
    if run.outcome == "Failed":
        return Standing("Failed", reason, message, progressing=False, stalled=True)
    ends = {ADOPTED.name: ADOPTED, NOTHING_NEW.name: NOTHING_NEW}
    return Standing("Succeeded", reason, ends.get(reason, SUCCEEDED).meaning, progressing=False)


def _blocked(run: CurrentRun, blockage: Blockage) -> Standing:
    progressing = not blockage.stalled
    return Standing(_phase(run), blockage.reason, blockage.message, progressing=progressing, stalled=blockage.stalled)


def _backing_off(run: CurrentRun, until: str) -> Standing:
    cause = f"{run.reason}: {run.message}. " if run.reason != RETRY_BACKOFF.name else ""
    return Standing(_phase(run), RETRY_BACKOFF.name, f"{cause}Round {run.retries + 1} begins at {until}.")


def _going(run: CurrentRun, around: Circumstances) -> Standing:
    match around.outcome:
        case Lost() | Leaving(lost=True):
            return Standing("Queued", RESULT_LOST.name, _phrase(RESULT_LOST))
        case Leaving():
            return Standing("Queued", WAITING_FOR_PREVIOUS_POD.name, _phrase(WAITING_FOR_PREVIOUS_POD))
        case Going(evicted=True):
            return Standing("Queued", EVICTED.name, _phrase(EVICTED))
        case Held() as held:
            return _held(held)
    if around.waiting and isinstance(around.outcome, NoJob):
        return Standing("Queued", WAITING_FOR_PREVIOUS_POD.name, _phrase(WAITING_FOR_PREVIOUS_POD))
    reason = PREPARING if run.stage == "Prepare" else TRAINING
    attempt = f" (attempt {run.attempt})" if run.attempt > 1 else ""
    return Standing(_phase(run), reason.name, reason.meaning.rstrip(".") + attempt + ".")


def _held(held: Held) -> Standing:
    queue, cause = held.job.queue, f": {clause(held.cause)}" if held.cause else ""
    if not queue:
        words = "The Job is suspended, by somebody else than the operator; it goes on when it no longer is."
    elif held.job.resumed:
        words = (
            f"Queue {queue} took the place back; the run goes on from its last checkpoint when admitted again{cause}."
        )
    else:
        words = f"Queue {queue} has not admitted the Job yet{cause}."
    return Standing("Queued", (EVICTED if held.job.resumed else QUEUED).name, words)


def _phase(run: CurrentRun) -> Phase:
    return "Preparing" if run.stage == "Prepare" else "Training"


def _phrase(reason: Reason) -> str:
    return f"{reason.meaning} {reason.advice}"
