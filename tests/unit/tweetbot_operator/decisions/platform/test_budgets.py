"""Whether a run fits the budgets of its class, and when it will."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.operator import NOON, a_bot, a_bot_in, a_run, an_observed, seconds_after_noon
from tweetbot_contract.platform_class.budgets import Budget
from tweetbot_contract.platform_class.run_class import RunClass
from tweetbot_contract.platform_class.usage import RunUsage
from tweetbot_contract.status import RunRecord
from tweetbot_operator.decisions.platform.budgets import compute_ratios, expect_usage, find_budget_wait
from tweetbot_operator.types.usage import Account, BudgetWait, ClassAccounts, Expectation, RunUse

NOW, HOUR = int(NOON.timestamp()), 3600
GOLD = RunClass(name="gold", generation=1)
X = {"x": {"handle": "gull", "tokenSecret": {"name": "x", "key": "t"}, "acceptTerms": True, "maxSpendUSD": 2}}


def a_use(ended: int | None = 0, *, began: int | None = None, gpu: int = 0, price: int = 0, **more: int) -> RunUse:
    """Return the use of a run that ended this many seconds before noon; None: it is active."""
    began_at = NOW - (began if began is not None else ended or 0)
    return RunUse("gull", "run", began_at, None if ended is None else NOW - ended, 1, gpu, price, **more)


def accounts_of(*uses: RunUse, others: tuple[RunUse, ...] = (), **budget: object) -> ClassAccounts:
    own = Account(uses)
    return ClassAccounts((Budget.model_validate({"windowHours": 1, **budget}),), own, (own, Account(others)))


def wait_for(accounts: ClassAccounts, run: RunUsage | None = None, **spec: Any) -> BudgetWait | None:
    bot = a_bot(**spec)
    observed = replace(an_observed(bot), accounts={"gold": accounts})
    return find_budget_wait(bot, a_run(bot, run_class=GOLD, usage=run), observed)


def test_what_is_used_leaves_the_window_an_hour_after_the_run_s_end() -> None:
    uses = a_use(2000, gpu=400), a_use(1000, gpu=500), a_use(3600, gpu=10_000)
    wait = wait_for(accounts_of(*uses, gpuSeconds=1399))
    assert wait is not None
    assert wait.fits_at == seconds_after_noon(1600)
    assert "1399 GPU seconds in 1 h: 900 GPU seconds used" in wait.message
    assert wait_for(accounts_of(*uses, gpuSeconds=1400)) is None


def test_a_run_counts_from_its_begin_and_what_it_used_until_after_its_end() -> None:
    long = a_use(10, began=5000, gpu=100)
    assert wait_for(accounts_of(long, runs=1)) is None
    wait = wait_for(accounts_of(long, gpuSeconds=100))
    assert wait is not None
    assert wait.fits_at == seconds_after_noon(3590)


def test_active_runs_hold_what_they_used_or_are_expected_to_use() -> None:
    active = a_use(None, began=60, gpu=100, expected_gpu_seconds=700), a_use(None, began=60, gpu=300)
    wait = wait_for(accounts_of(*active, gpuSeconds=1000))
    assert wait is not None
    assert wait.fits_at == seconds_after_noon(3600), "at the latest, if they ended now"
    assert wait_for(accounts_of(*active, gpuSeconds=1001)) is None


def test_a_budget_of_the_class_counts_all_namespaces() -> None:
    theirs = (a_use(100),)
    assert wait_for(accounts_of(others=theirs, runs=1)) is None
    wait = wait_for(accounts_of(others=theirs, runs=1, per="Class"))
    assert wait is not None
    assert "allows all namespaces together 1 run in 1 h" in wait.message


def test_a_run_that_has_begun_and_one_without_a_class_go_on() -> None:
    full = accounts_of(a_use(1), runs=1)
    assert wait_for(full) is not None
    assert wait_for(full, RunUsage(class_name="gold", began_at="2026-01-01T12:00:00Z")) is None
    bot = a_bot()
    assert find_budget_wait(bot, a_run(bot), replace(an_observed(bot), accounts={"gold": full})) is None


def test_of_several_budgets_the_last_to_have_room_counts_and_one_that_is_too_small_above_all() -> None:
    runs, gpu = Budget(window_hours=1, runs=1), Budget(window_hours=2, gpu_seconds=50)
    own = Account((a_use(100, gpu=50),))
    wait = wait_for(ClassAccounts((runs, gpu), own, (own,)))
    assert wait is not None
    assert wait.fits_at == seconds_after_noon(7100)
    never = wait_for(ClassAccounts((runs, gpu, Budget(window_hours=1, gpu_seconds=0)), own, (own,)))
    assert never is not None
    assert never.fits_at is None


@pytest.mark.parametrize(
    ("record", "spec", "expected"),
    [
        ({}, {}, Expectation(300)),
        ({"reason": "NothingNew"}, {}, Expectation(40)),
        ({"outcome": "Superseded"}, {}, Expectation(40)),
        ({"id": "another spec"}, {}, Expectation(40)),
        ({}, {"sources": [X]}, Expectation(300, 1500)),
        ({"usage": None}, {"sources": [X]}, Expectation(40, 2000)),
        ({}, {"resources": {"gpu": {"count": 0}}}, Expectation(0)),
    ],
)
def test_a_run_is_expected_to_use_what_the_last_training_of_its_spec_did_else_the_median_of_its_namespace(
    record: dict[str, Any], spec: dict[str, Any], expected: Expectation
) -> None:
    bot = a_bot_in("Prepare", **spec)
    usage = RunUsage(class_name="gold", gpu_seconds=300, x_usd=1.5)
    times = {"started_at": "2026-01-01T12:00:00Z", "finished_at": "2026-01-01T12:00:00Z"}
    fields = {"id": a_run(bot).id, "number": 1, "outcome": "Succeeded", "reason": "Succeeded", "usage": usage}
    past = RunRecord.model_validate({**fields, "attempts": 1, **times, **record})
    bot = replace(bot, status=bot.status.model_copy(update={"runs": (past,)}))
    others = a_use(1, gpu=40, price=9000), a_use(2, gpu=10, price=9000), a_use(3, gpu=90), a_use(4)
    assert expect_usage(bot, accounts_of(*others, runs=1)) == expected


def test_ratios_tell_what_is_used_of_each_bound() -> None:
    accounts = accounts_of(a_use(1, gpu=30), runs=2, gpuSeconds=40, xUSD=0)
    assert [(kind, ratio) for _, kind, ratio in compute_ratios(accounts, NOW)] == [("gpuSeconds", 0.75), ("runs", 0.5)]


USES = st.lists(
    st.builds(
        a_use,
        st.one_of(st.none(), st.integers(0, 2 * HOUR)),
        gpu=st.integers(0, 500),
        expected_gpu_seconds=st.integers(0, 500),
    ),
    max_size=12,
)


@given(USES, st.integers(0, 2000))
def test_at_the_time_that_is_told_the_run_fits_and_a_second_before_it_does_not(uses: list[RunUse], limit: int) -> None:
    wait = wait_for(accounts_of(*uses, gpuSeconds=limit))
    expected = max(expect_usage(a_bot(), accounts_of(*uses, runs=1)).gpu_seconds, 1)

    def count(at: int) -> int:
        held = sum(max(use.gpu_seconds, use.expected_gpu_seconds) for use in uses if use.ended_at is None)
        done = sum(use.gpu_seconds for use in uses if use.ended_at is not None and use.ended_at > at - HOUR)
        return done + (held if at - HOUR < NOW else 0)

    if wait is None:
        assert count(NOW) + expected <= limit
    elif wait.fits_at is None:
        assert expected > limit
    else:
        at = int(wait.fits_at.timestamp())
        assert count(at) + expected <= limit < count(at - 1) + expected


@given(USES, USES)
def test_an_account_that_goes_on_is_one_that_is_built_again(before: list[RunUse], after: list[RunUse]) -> None:
    account, uses = Account(before), before[:]
    for place, use in enumerate(after):
        known = uses[place] if place < len(uses) else None
        if known is None:
            account.add(use)
            uses.append(use)
        elif account.go_on(known, use):
            uses[place] = use
    again = Account(uses)
    for at in range(NOW, NOW + 3 * HOUR, 500):
        assert account.count("gpuSeconds", HOUR, at, NOW) == again.count("gpuSeconds", HOUR, at, NOW)
        assert account.count("runs", HOUR, at, NOW) == again.count("runs", HOUR, at, NOW)
    assert account.get_median("gpuSeconds") == again.get_median("gpuSeconds")
