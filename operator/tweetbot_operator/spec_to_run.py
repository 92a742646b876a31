"""TweetBot → the run that its spec asks for: the recorded one, the recorded one revived, or a new one."""

from datetime import datetime

from tweetbot_contract.handover import SCHEDULE_TRIGGER, job_name
from tweetbot_contract.identity import execution_of, identity_of, run_id
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.status import CurrentRun
from tweetbot_operator.times import stamp


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


def min_new_posts_of(bot: TweetBot, run: CurrentRun) -> int:
    """Return how many posts that the served model has not seen the run needs; 0 where it trains in any case.

    It holds for scheduled runs of what is served: an edit of what is trained takes effect however old the posts are.
    """
    model, schedule = bot.status.model, bot.spec.schedule
    if schedule is None or model is None or model.identity != run.identity:
        return 0
    return schedule.min_new_posts if run.trigger.startswith(SCHEDULE_TRIGGER) else 0


def round_of(run: CurrentRun) -> str:
    """Return which creation of its stage's Job the run is at."""
    return f"{run.number}-{run.retries}"
