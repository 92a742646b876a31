"""What a run is expected to take, and what it took, in its status (docs/decisions/0089). Neither costs a write."""

from dataclasses import replace

from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.platform_class.prices import Prices
from tweetbot_contract.spec.estimate import POST_TOKENS, estimate_training
from tweetbot_contract.spec.sources import X_DOLLAR, X_POST_PRICE
from tweetbot_contract.status import CurrentRun
from tweetbot_contract.status.costs import RunActual, RunEstimate
from tweetbot_contract.status.forecast import build_estimate, find_measured, price_training_hour
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.objects import Observed
from tweetbot_operator.types.stage_state import RunUpdate


def note_costs(update: RunUpdate, used: CurrentRun, bot: TweetBot, observed: Observed) -> RunUpdate:
    """Return the run with its estimate, once posts are known, and with what a stage took that has just ended.

    `used` is the run before, with the seconds of the stage's Pods.
    """
    run, prices = update.run, observed.settings.prices
    if run.outcome is None and run.estimate is None and (posts := _find_posts(update, bot)) is not None:
        run = run.model_copy(update={"estimate": _estimate(update, bot, posts, prices)})
    if (run.stage, run.outcome) != (used.stage, used.outcome) and used.outcome is None:
        run = run.model_copy(update={"actual": _add_stage(update, used, bot, observed.settings)})
    return update if run is update.run else replace(update, run=run)


def _find_posts(update: RunUpdate, bot: TweetBot) -> int | None:
    """Return how many posts this run has prepared, or the latest dataset has."""
    if update.prepared:
        return update.prepared.dataset.table.kept
    return bot.status.data.kept if bot.status.data else None


def _estimate(update: RunUpdate, bot: TweetBot, posts: int, prices: Prices) -> RunEstimate:
    measured = find_measured(bot.spec, bot.status, posts)
    minutes = estimate_training(bot.spec, posts * POST_TOKENS, measured=measured).minutes
    most = [source.x.max_posts for source in bot.spec.sources if source.x]
    charged = sum(most) if update.prepared is None else (update.prepared.billed or {}).get("x", 0)
    return build_estimate(bot.spec, posts, minutes, x_posts=charged if most else None, prices=prices)


def _add_stage(update: RunUpdate, used: CurrentRun, bot: TweetBot, settings: OperatorSettings) -> RunActual:
    """Add what the stage took that has just ended."""
    before = used.actual or RunActual()
    billed = (update.prepared.billed or {}).get("x") if update.prepared else None
    trained, found = update.trained if used.stage == "Train" else None, update.prepared
    cost = _price_stage(used, bot, settings, billed or 0)
    paid = None if billed is None else (before.x_usd or 0) + billed * X_POST_PRICE / X_DOLLAR
    return RunActual(
        posts=found.dataset.table.kept if found else before.posts,
        minutes=before.minutes + used.ran_seconds / 60,
        train_seconds=trained.metrics.train_seconds if trained else before.train_seconds,
        x_usd=before.x_usd if paid is None else round(paid, 3),
        cost=None if cost is None else round((before.cost or 0) + cost, 4),
        currency=None if cost is None else settings.prices.currency,
    )


def _price_stage(used: CurrentRun, bot: TweetBot, settings: OperatorSettings, posts: int) -> float | None:
    prices = settings.prices
    hour = (
        prices.price_hour(settings.prepare_cpu, settings.prepare_memory)
        if used.stage == "Prepare"
        else price_training_hour(bot.spec, prices)
    )
    bill = prices.price_posts(posts)
    return used.ran_seconds / 3600 * hour + bill if prices.known and hour is not None and bill is not None else None
