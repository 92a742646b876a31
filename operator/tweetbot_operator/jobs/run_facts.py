"""TODO."""

from tweetbot_contract.handover import SCHEDULE_TRIGGER
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.status import CurrentRun


def get_min_new_posts(bot: TweetBot, run: CurrentRun) -> int:
    """Return how many posts that the served model has not seen the run needs; 0 where it trains in any case.

    It holds for scheduled runs of what is served: an edit of what is trained takes effect however old the posts are.
    """
    model, schedule = bot.status.model, bot.spec.schedule
    if schedule is None or model is None or model.identity != run.identity:
        return 0
    return schedule.min_new_posts if run.trigger.startswith(SCHEDULE_TRIGGER) else 0


def creation_key(run: CurrentRun) -> str:
    """Return which creation of its stage's Job the run is at."""
    return f"{run.number}-{run.retries}"
