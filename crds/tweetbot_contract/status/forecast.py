"""What the next run of a TweetBot is expected to take: from what its earlier runs took, else from the base."""

from tweetbot_contract.identity import compute_run_id, hash_identity
from tweetbot_contract.platform_class.prices import Prices
from tweetbot_contract.result import Figures
from tweetbot_contract.spec.estimate import MeasuredTraining, Span
from tweetbot_contract.spec.memory import resolve_memory
from tweetbot_contract.spec.sources import X_DOLLAR, X_POST_PRICE
from tweetbot_contract.spec.spec import MAX_VERBATIM_PERCENT, TweetBotSpec
from tweetbot_contract.status import TweetBotStatus
from tweetbot_contract.status.costs import RunEstimate

#: Test posts below which there is no interval of the improvement, and held-out posts below which no style is measured.
FEWEST_FOR_INTERVALS, FEWEST_FOR_STYLE = 10, 30


def find_measured(spec: TweetBotSpec, status: TweetBotStatus, posts: int) -> MeasuredTraining | None:
    """Return how long the same spec trained before, in proportion to the posts; None if it did not, or nobody knows."""
    for record in status.runs:
        took = record.actual
        if took and took.train_seconds and took.posts and record.id == compute_run_id(spec, record.trigger):
            beside = max(took.minutes * 60 - took.train_seconds, 0.0)
            return MeasuredTraining(took.train_seconds * posts / took.posts, beside)
    same = status.model is not None and status.model.identity == hash_identity(spec)
    if not (same and status.metrics and status.data and status.data.kept):
        return None
    return MeasuredTraining(status.metrics.train_seconds * posts / status.data.kept, None)


def foresee_gates(spec: TweetBotSpec, posts: int | None, figures: Figures | None) -> tuple[str, ...]:
    """Return which gates of the spec cannot be met, or were not by the model with these figures of the same spec."""
    gates, random = spec.evaluation.gates, spec.model.base.startswith("scratch://")
    held_out = None if posts is None else posts * spec.training.holdout_percent // 100
    copied, style = (figures.verbatim_rate, figures.style_score) if figures else (None, None)
    found: list[str] = []
    if gates.min_improvement_percent and held_out is not None and held_out < FEWEST_FOR_INTERVALS:
        found.append(f"minImprovementPercent cannot be met: {held_out} test posts are too few for an interval")
    if gates.min_style and held_out is not None and 2 * held_out < FEWEST_FOR_STYLE:
        found.append(f"minStyle cannot be met: {2 * held_out} posts held out are too few to measure style by")
    limit = gates.max_verbatim_percent
    limit = limit if limit is not None or random else MAX_VERBATIM_PERCENT
    if limit is not None and copied is not None and 100 * copied > limit:
        found.append(
            f"maxVerbatimPercent is {limit}, and {100 * copied:.1f} % of the last model's samples were verbatim"
        )
    if gates.min_style and style is not None and 100 * style < gates.min_style:
        found.append(f"minStyle is {gates.min_style}, and the last model's style score was {100 * style:.0f} %")
    return tuple(found)


def find_figures(spec: TweetBotSpec, status: TweetBotStatus) -> Figures | None:
    """Return the figures of the newest model that the same spec trained, published or not."""
    records = (each for each in status.runs if each.figures and each.id == compute_run_id(spec, each.trigger))
    return next((record.figures for record in records), None)


def build_estimate(
    spec: TweetBotSpec, posts: int, minutes: Span | None, *, x_posts: int | None, prices: Prices
) -> RunEstimate:
    """Return an estimate as the status has it; `x_posts` are those that X charges for at most, None without X."""
    cost = price_run(spec, minutes, x_posts or 0, prices) if minutes else None
    return RunEstimate(
        posts=posts,
        minutes_least=minutes.least if minutes else None,
        minutes_most=minutes.most if minutes else None,
        x_usd=None if x_posts is None else x_posts * X_POST_PRICE / X_DOLLAR,
        cost_least=cost.least if cost else None,
        cost_most=cost.most if cost else None,
        currency=prices.currency if cost else None,
    )


def price_run(spec: TweetBotSpec, minutes: Span, x_posts: int, prices: Prices) -> Span | None:
    """Return what a run costs, as if all its minutes were the training's; None where the table lacks a price."""
    hour, bill = price_training_hour(spec, prices), prices.price_posts(x_posts)
    if not prices.known or hour is None or bill is None:
        return None
    return Span(round(minutes.least / 60 * hour, 4), round(minutes.most / 60 * hour + bill, 4))


def price_training_hour(spec: TweetBotSpec, prices: Prices) -> float | None:
    """Return the price of an hour of the training's Pod; None where its accelerators have none."""
    wanted = spec.resources
    return prices.price_hour(wanted.cpu, resolve_memory(spec), wanted.gpu.resource, wanted.gpu.count)
