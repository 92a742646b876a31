"""TweetBot → the run that its spec asks for: the recorded one, the recorded one revived, or a new one."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from tweetbot_contract.handover import SCHEDULE_TRIGGER, job_name
from tweetbot_contract.identity import execution_of, identity_of, run_id
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import ADOPTED, NOTHING_NEW, SUCCEEDED
from tweetbot_contract.result import PrepareSucceeded, TrainSucceeded
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.stage_state import (
    Broken,
    Going,
    Held,
    Interrupted,
    Leaving,
    Lost,
    NoJob,
    Outcome,
    Prepared,
    Stale,
    Trained,
    Unread,
)
from tweetbot_operator.types.times import stamp


def trigger_of(bot: TweetBot, due: datetime | None) -> str:
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
        return f"{SCHEDULE_TRIGGER}{stamp(due)}"
    return recorded.trigger if recorded else ""


def run_for(bot: TweetBot, trigger: str, now: datetime) -> CurrentRun:
    """Return the run that spec and trigger ask for at this moment."""
    recorded, wanted = bot.status.current_run, run_id(bot.spec, trigger)
    if recorded is None or recorded.id != wanted:
        return _new_run(bot, wanted, trigger, now)
    execution = execution_of(bot.spec)
    if recorded.execution == execution or recorded.outcome == "Succeeded":
        return recorded
    return _revived(recorded, execution)


def _new_run(bot: TweetBot, wanted: str, trigger: str, now: datetime) -> CurrentRun:
    former = bot.status.current_run
    return CurrentRun(
        id=wanted,
        number=former.number + 1 if former else 1,
        trigger=trigger,
        identity=identity_of(bot.spec),
        execution=execution_of(bot.spec),
        stage="Prepare",
        job_name=job_name(bot.name, wanted, "Prepare"),
        attempt=1,
        started_at=stamp(now),
    )


def _revived(run: CurrentRun, execution: str) -> CurrentRun:
    """An edit of how the run is executed gives it new attempts and time under the same id, from its stage on."""
    anew = {"outcome": None, "reason": None, "message": None, "finished_at": None, "retry_at": None}
    unused = {"attempt": 1, "retries": 0, "ran_seconds": 0, "disruptions": 0}
    return run.model_copy(update={**anew, **unused, "execution": execution})


@dataclass(frozen=True, slots=True)
class Turn:
    """The run after an outcome, and what it brought for the status."""

    run: CurrentRun
    prepared: PrepareSucceeded | None = None
    trained: TrainSucceeded | None = None


def turn_after(bot: TweetBot, run: CurrentRun, outcome: Outcome, now: datetime, settings: OperatorSettings) -> Turn:
    """Return what the outcome makes of the run. A run that has ended stays as it is, whatever its Jobs look like."""
    if run.outcome is not None:
        return Turn(run)
    match outcome:
        case Prepared(result):
            return _prepared(bot, run, result, now)
        case Trained(result):
            return Turn(_ended(run, SUCCEEDED.name, now), trained=result)
        case Broken(reason, message):
            return Turn(_ended(run, reason, now, message=message))
        case Interrupted(reason, message):
            return Turn(_paused(run, Broken(reason, message), now, settings))
        case Going(attempt=attempt) | Held(attempt=attempt):
            return Turn(run.model_copy(update={"attempt": attempt, "retry_at": None, "reason": None, "message": None}))
        case NoJob() | Leaving() | Stale() | Unread() | Lost():
            return Turn(run)
        case _:
            assert_never(outcome)


def _prepared(bot: TweetBot, run: CurrentRun, result: PrepareSucceeded, now: datetime) -> Turn:
    """With a model to adopt or to keep the run is at its end; else the train stage begins, with attempts of its own."""
    fresh = {"retries": 0, "retry_at": None, "reason": None, "message": None}
    data = {"dataset": result.dataset.digest, **fresh}
    if result.adopted:
        return Turn(_ended(run.model_copy(update=data), ADOPTED.name, now), result, result.adopted)
    if result.new_posts is not None:
        return Turn(_ended(run.model_copy(update=data), NOTHING_NEW.name, now), result)
    unused = {"attempt": 1, "ran_seconds": 0, "disruptions": 0, "counted_pods": ()}
    stage = {"stage": "Train", "job_name": job_name(bot.name, run.id, "Train"), **unused}
    return Turn(run.model_copy(update=data | stage), result)


def _paused(run: CurrentRun, fault: Broken, now: datetime, settings: OperatorSettings) -> CurrentRun:
    """The pause doubles from round to round; a fault that outlasts them all is no longer temporary."""
    retries = run.retries + 1
    pause = settings.retry_delay(retries)
    if pause is None:
        return _ended(run, fault.reason, now, message=fault.message)
    why = {"reason": fault.reason, "message": fault.message, "attempt": 1, "disruptions": 0}
    return run.model_copy(update={"retries": retries, "retry_at": stamp(now + pause), **why})


def _ended(run: CurrentRun, reason: str, now: datetime, *, message: str | None = None) -> CurrentRun:
    outcome = "Succeeded" if message is None else "Failed"
    end = {"outcome": outcome, "reason": reason, "message": message, "retry_at": None, "finished_at": stamp(now)}
    return run.model_copy(update=end)
