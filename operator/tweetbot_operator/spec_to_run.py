"""TweetBot → the run that its spec asks for: the recorded one, the recorded one revived, or a new one."""

from datetime import datetime

from tweetbot_contract.handover import job_name
from tweetbot_contract.identity import execution_of, identity_of, run_id
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.times import stamp


def trigger_of(bot: TweetBot) -> str:
    """Return the retrain-at time that forced the run. One that was handled stays in force when the user removes it."""
    return bot.retrain_at or bot.status.last_handled_retrain_at or ""


def run_for(bot: TweetBot, now: datetime) -> CurrentRun:
    """Return the run that spec and annotation ask for at this moment."""
    recorded, wanted = bot.status.current_run, run_id(bot.spec, trigger_of(bot))
    if recorded is None or recorded.id != wanted:
        return _new_run(bot, wanted, now)
    execution = execution_of(bot.spec)
    if recorded.execution == execution or recorded.outcome == "Succeeded":
        return recorded
    return _revived(recorded, execution)


def _new_run(bot: TweetBot, wanted: str, now: datetime) -> CurrentRun:
    former = bot.status.current_run
    return CurrentRun(
        id=wanted,
        number=former.number + 1 if former else 1,
        trigger=trigger_of(bot),
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


def round_of(run: CurrentRun) -> str:
    """Return which creation of its stage's Job the run is at."""
    return f"{run.number}-{run.retries}"
