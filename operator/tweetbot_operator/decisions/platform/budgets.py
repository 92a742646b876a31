"""Decide whether a run fits the budgets of its class, and when it will; say why a run is queued."""

from datetime import UTC, datetime

from tweetbot_contract.identity import compute_run_id
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.platform_class.budgets import Budget
from tweetbot_contract.reasons import ADOPTED, BUDGET_EXCEEDED, BUDGET_TOO_SMALL, NOTHING_NEW, QUEUED
from tweetbot_contract.spec.sources import X_DOLLAR, XSource
from tweetbot_contract.status import Condition, CurrentRun, RunRecord
from tweetbot_operator.decisions.platform.usage import begin_usage
from tweetbot_operator.types.objects import Observed, QueuePosition
from tweetbot_operator.types.stage_state import Summary
from tweetbot_operator.types.times import format_time
from tweetbot_operator.types.usage import Account, BudgetWait, ClassAccounts, Expectation, UsageKind

HOUR = 3600
#: Ends of a run that has not trained, and so tells nothing of the next.
_IDLE_ENDS = (ADOPTED.name, NOTHING_NEW.name)


def record_begin(bot: TweetBot, run: CurrentRun, observed: Observed) -> CurrentRun:
    """Return the run as one that begins now, with what it is expected to use; without a class it stays as it is."""
    if run.run_class is None:
        return run
    name = run.run_class.name
    return begin_usage(run, name, expect_usage(bot, observed.accounts.get(name)), observed)


def find_budget_wait(bot: TweetBot, run: CurrentRun, observed: Observed) -> BudgetWait | None:
    """Return what keeps a run from beginning; None if it fits every budget of its class, or has begun."""
    accounts = observed.accounts.get(run.run_class.name) if run.run_class else None
    if accounts is None or run.run_class is None or (run.usage and run.usage.began_at):
        return None
    expected, now = expect_usage(bot, accounts), int(observed.now.timestamp())
    found = [
        wait
        for budget in accounts.budgets
        for kind, limit in list_limits(budget)
        if (
            wait := _check(
                kind, limit, budget, accounts, expected.get(kind), now, f"TweetBotClass {run.run_class.name}"
            )
        )
    ]
    never = [wait for wait in found if wait.fits_at is None]
    return never[0] if never else max(found, key=lambda wait: wait.fits_at or observed.now, default=None)


def list_limits(budget: Budget) -> tuple[tuple[UsageKind, int], ...]:
    """Return the amounts that a budget bounds, money in tenths of a US cent."""
    dollars = None if budget.x_usd is None else budget.x_usd * X_DOLLAR
    limits: tuple[tuple[UsageKind, int | None], ...] = (
        ("gpuSeconds", budget.gpu_seconds),
        ("xUSD", dollars),
        ("runs", budget.runs),
    )
    return tuple((kind, limit) for kind, limit in limits if limit is not None)


def count_used(budget: Budget, kind: UsageKind, accounts: ClassAccounts, at: int, now: int) -> int:
    """Return how much counts against a budget at a time, if all active runs ended now."""
    counted: tuple[Account, ...] = (accounts.own,) if budget.per == "Namespace" else accounts.every
    return sum(account.count(kind, budget.window_hours * HOUR, at, now) for account in counted)


def compute_ratios(accounts: ClassAccounts, now: int) -> tuple[tuple[Budget, UsageKind, float], ...]:
    """Return the share of each budget that is used; there is none of nothing."""
    return tuple(
        (budget, kind, count_used(budget, kind, accounts, now, now) / limit)
        for budget in accounts.budgets
        for kind, limit in list_limits(budget)
        if limit
    )


def _check(
    kind: UsageKind, limit: int, budget: Budget, accounts: ClassAccounts, more: int, now: int, whose: str
) -> BudgetWait | None:
    used = count_used(budget, kind, accounts, now, now)
    if more == 0 or used + more <= limit:
        return None
    who = "a namespace" if budget.per == "Namespace" else "all namespaces together"
    allowed = f"{whose} allows {who} {_format_amount(kind, limit)} in {budget.window_hours} h"
    if more > limit:
        return BudgetWait(f"{allowed}, and this run is expected to take {_format_amount(kind, more)}.", None)
    fits_at = datetime.fromtimestamp(_find_time(kind, limit - more, budget, accounts, now), UTC)
    taken = f"{_format_amount(kind, used)} used, or held by active runs"
    need = "" if kind == "runs" else f", and this run is expected to take {_format_amount(kind, more)}"
    return BudgetWait(f"{allowed}: {taken}{need}.", fits_at)


def _find_time(kind: UsageKind, room: int, budget: Budget, accounts: ClassAccounts, now: int) -> int:
    """Return the first time at which no more than this counts, by bisection: what counts only falls."""
    early, late = now, now + budget.window_hours * HOUR
    while late - early > 1:
        middle = (early + late) // 2
        fits = count_used(budget, kind, accounts, middle, now) <= room
        early, late = (early, middle) if fits else (middle, late)
    return late


def expect_usage(bot: TweetBot, accounts: ClassAccounts | None) -> Expectation:
    """Return what a run is expected to use: as much as the TweetBot's last training, else the median of its namespace.

    Where nothing is known it is the least amount, so that no run begins once a budget is used up.
    """
    last = _find_last_training(bot)
    own = accounts.own if accounts else Account()
    gpu = last.usage.gpu_seconds if last and last.usage else own.get_median("gpuSeconds")
    price = round(last.usage.x_usd * X_DOLLAR) if last and last.usage else own.get_median("xUSD")
    paid = [source.x for source in bot.spec.sources if isinstance(source.x, XSource)]
    most = sum(source.max_spend_usd for source in paid) * X_DOLLAR
    return Expectation(max(gpu, 1) if bot.spec.resources.gpu.count else 0, min(max(price, 1), most))


def _find_last_training(bot: TweetBot) -> RunRecord | None:
    """Return the record of the last run that trained what the spec asks for now."""
    return next(
        (
            record
            for record in bot.status.runs
            if record.usage and record.outcome != "Superseded" and record.reason not in _IDLE_ENDS
            if record.id == compute_run_id(bot.spec, record.trigger)
        ),
        None,
    )


def _format_amount(kind: UsageKind, amount: int) -> str:
    if kind == "xUSD":
        return f"${amount / X_DOLLAR:.3f}"
    unit = "GPU second" if kind == "gpuSeconds" else "run"
    return f"{amount} {unit}{'' if amount == 1 else 's'}"


def _summarize_budget_wait(wait: BudgetWait) -> Summary:
    """Summarize a run that does not fit a budget."""
    if wait.fits_at is None:
        message = f"{wait.message} {BUDGET_TOO_SMALL.advice}"
        return Summary("Queued", BUDGET_TOO_SMALL.name, message, progressing=False, stalled=True)
    message = f"The budget has room at {format_time(wait.fits_at)}. {wait.message} {BUDGET_EXCEEDED.advice}"
    return Summary("Queued", BUDGET_EXCEEDED.name, message)


def summarize_queued(position: QueuePosition | BudgetWait, former: Condition | None) -> Summary:
    """Summarize a run that waits for a slot. It keeps the number from its start: each change would cost a write."""
    if isinstance(position, BudgetWait):
        return _summarize_budget_wait(position)
    cause = f"{QUEUED.meaning} {position.limit}. "
    if former and former.reason == QUEUED.name and former.message.startswith(cause):
        return Summary("Queued", QUEUED.name, former.message)
    return Summary("Queued", QUEUED.name, f"{cause}When it joined, {position.before} of its namespace were before it.")
