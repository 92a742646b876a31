"""Run and outcome → the run as it stands after that, and the result that came with it."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from tweetbot_contract.handover import job_name
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import ADOPTED, NOTHING_NEW, SUCCEEDED
from tweetbot_contract.result import PrepareSucceeded, TrainSucceeded
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.outcomes import (
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
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.times import stamp


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
