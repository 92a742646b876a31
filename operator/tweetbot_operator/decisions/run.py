"""TweetBot → the run that its spec asks for: the recorded one, the recorded one revived, or a new one."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from tweetbot_contract.handover import SCHEDULE_TRIGGER, build_job_name
from tweetbot_contract.identity import compute_run_id, hash_execution, hash_identity
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import ADOPTED, NOTHING_NEW, SUCCEEDED
from tweetbot_contract.result import PrepareSucceeded, TrainSucceeded
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.types.stage_state import (
    Active,
    Failed,
    JobMissing,
    Outdated,
    PrepareComplete,
    ResultLost,
    ResultPending,
    RetryableFailure,
    StageState,
    Suspended,
    Terminating,
    TrainComplete,
)
from tweetbot_operator.types.times import add_seconds, compute_backoff, format_time

#: Seconds of the pause after attempts that a temporary fault ended; it doubles each time.
RETRY_SECONDS = 300
#: Seconds of the longest such pause.
RETRY_CAP_SECONDS = 3600
#: Seconds of all such pauses together after which the run fails: a service away for a day will not be back soon.
RETRY_TOTAL_SECONDS = 86400


def decide_trigger(bot: TweetBot, due: datetime | None) -> str:
    """Return what asks for the run beside the spec: a new retrain-at, a time of the schedule, else what did before.

    A trigger stays in force when its cause goes: removing the annotation, or the schedule, starts nothing, nor does an
    older annotation that a backup or Git brings back. A schedule waits until the run before it has ended and nobody has
    asked for a pause.
    """
    recorded = bot.status.current_run
    handled = {bot.status.last_handled_retrain_at, *(record.trigger for record in bot.status.runs)}
    if bot.retrain_at and bot.retrain_at not in handled:
        return bot.retrain_at
    if due and recorded and recorded.outcome is not None and not bot.spec.suspend:
        return f"{SCHEDULE_TRIGGER}{format_time(due)}"
    return recorded.trigger if recorded else ""


def decide_run(bot: TweetBot, trigger: str, now: datetime) -> CurrentRun:
    """Return the run that spec and trigger ask for at this moment."""
    recorded, wanted = bot.status.current_run, compute_run_id(bot.spec, trigger)
    if recorded is None or recorded.id != wanted:
        return _create_run(bot, wanted, trigger, now)
    execution = hash_execution(bot.spec)
    if recorded.execution == execution or recorded.outcome == "Succeeded":
        return recorded
    return _restart(recorded, execution)


def _create_run(bot: TweetBot, wanted: str, trigger: str, now: datetime) -> CurrentRun:
    former = bot.status.current_run
    return CurrentRun(
        id=wanted,
        number=former.number + 1 if former else 1,
        trigger=trigger,
        identity=hash_identity(bot.spec),
        execution=hash_execution(bot.spec),
        stage="Prepare",
        job_name=build_job_name(bot.name, wanted, "Prepare"),
        attempt=1,
        started_at=format_time(now),
    )


def _restart(run: CurrentRun, execution: str) -> CurrentRun:
    """An edit of how the run is executed gives it new attempts and time under the same id, from its stage on."""
    reset = {"outcome": None, "reason": None, "message": None, "finished_at": None, "retry_at": None}
    unused = {"attempt": 1, "retries": 0, "ran_seconds": 0, "disruptions": 0}
    return run.model_copy(update={**reset, **unused, "execution": execution})


@dataclass(frozen=True, slots=True)
class RunUpdate:
    """The run after an outcome, and what it brought for the status."""

    run: CurrentRun
    prepared: PrepareSucceeded | None = None
    trained: TrainSucceeded | None = None


def advance_run(bot: TweetBot, run: CurrentRun, state: StageState, now: datetime) -> RunUpdate:
    """Return what the outcome makes of the run. A run that has ended stays as it is, whatever its Jobs look like."""
    if run.outcome is not None:
        return RunUpdate(run)
    match state:
        case PrepareComplete(result):
            return _finish_prepare(bot, run, result, now)
        case TrainComplete(result):
            return RunUpdate(_end_run(run, SUCCEEDED.name, now), trained=result)
        case Failed(reason, message):
            return RunUpdate(_end_run(run, reason, now, message=message))
        case RetryableFailure(reason, message):
            return RunUpdate(_schedule_retry(run, Failed(reason, message), now))
        case Active(attempt=attempt) | Suspended(attempt=attempt):
            return RunUpdate(
                run.model_copy(update={"attempt": attempt, "retry_at": None, "reason": None, "message": None})
            )
        case JobMissing() | Terminating() | Outdated() | ResultPending() | ResultLost():
            return RunUpdate(run)
        case _:
            assert_never(state)


def _finish_prepare(bot: TweetBot, run: CurrentRun, result: PrepareSucceeded, now: datetime) -> RunUpdate:
    """With a model to adopt or to keep the run is at its end; else the train stage begins, with attempts of its own."""
    fresh = {"retries": 0, "retry_at": None, "reason": None, "message": None}
    data = {"dataset": result.dataset.digest, **fresh}
    if result.adopted:
        return RunUpdate(_end_run(run.model_copy(update=data), ADOPTED.name, now), result, result.adopted)
    if result.new_posts is not None:
        return RunUpdate(_end_run(run.model_copy(update=data), NOTHING_NEW.name, now), result)
    unused = {"attempt": 1, "ran_seconds": 0, "disruptions": 0, "counted_pods": ()}
    stage = {"stage": "Train", "job_name": build_job_name(bot.name, run.id, "Train"), **unused}
    return RunUpdate(run.model_copy(update=data | stage), result)


def _schedule_retry(run: CurrentRun, fault: Failed, now: datetime) -> CurrentRun:
    """The pause doubles from round to round; a fault that outlasts them all is no longer temporary."""
    retries = run.retries + 1
    pause = compute_retry_delay(retries)
    if pause is None:
        return _end_run(run, fault.reason, now, message=fault.message)
    why = {"reason": fault.reason, "message": fault.message, "attempt": 1, "disruptions": 0}
    return run.model_copy(update={"retries": retries, "retry_at": format_time(add_seconds(now, pause)), **why})


def compute_retry_delay(retries: int) -> float | None:
    """Return the seconds before the retry of this number (from 1), or None when retrying has gone on long enough."""
    pauses = [compute_backoff(number, RETRY_SECONDS, RETRY_CAP_SECONDS) for number in range(1, retries + 1)]
    return pauses[-1] if sum(pauses) <= RETRY_TOTAL_SECONDS else None


def _end_run(run: CurrentRun, reason: str, now: datetime, *, message: str | None = None) -> CurrentRun:
    outcome = "Succeeded" if message is None else "Failed"
    end = {"outcome": outcome, "reason": reason, "message": message, "retry_at": None, "finished_at": format_time(now)}
    return run.model_copy(update=end)
