"""A run costs what its ceiling allows or says what it would cost; what was paid for is never lost."""

from builders.trainer import Pages
from builders.x import Clock, failure, read
from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import XSource
from tweetbot_fakes.remotes import x_api as fake
from tweetbot_fakes.remotes import x_api_answers as answers
from tweetbot_fakes.remotes.x_api import FakeX
from tweetbot_trainer.data.sources.x_api.spend_limit import SpendLimit
from tweetbot_trainer.runtime.errors import SpecRefused


def says_no_count(x: FakeX) -> None:
    """Let X not say how many posts the account has, so that the bill cannot be foreseen."""
    x.accounts["harbour_gull"].more = {"public_metrics": {}}


def test_a_bill_that_can_be_foreseen_is_refused_before_a_post_is_paid(x: FakeX, clock: Clock) -> None:
    failed = failure(x, clock, maxSpendUSD=1)
    assert (failed.reason, type(failed)) == (reasons.SPEND_LIMIT_REACHED, SpecRefused)
    assert "250 posts of @Harbour_Gull cost $1.260" in failed.message
    assert "set it to 2, or maxPosts to 198" in failed.message
    assert x.cost == fake.USER_PRICE
    assert len(x.requests) == 1


def test_both_ways_on_that_the_message_names_lead_on(x: FakeX, clock: Clock) -> None:
    assert len(read(x, clock, maxSpendUSD=2)) == 250
    x.cost = 0
    assert len(read(x, clock, maxSpendUSD=1, maxPosts=198)) == 198
    assert x.cost == 1000


def test_a_bill_that_cannot_be_foreseen_stops_before_the_page_that_would_pass_the_ceiling(
    x: FakeX, clock: Clock
) -> None:
    says_no_count(x)
    failed = failure(x, clock, maxSpendUSD=1)
    assert failed.reason is reasons.SPEND_LIMIT_REACHED
    assert "198 posts are read, $1.000 are spent" in failed.message
    assert "or set maxPosts to 198" in failed.message
    assert x.cost == 1000


def test_a_raised_ceiling_goes_on_where_the_lower_one_stopped(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    says_no_count(x)
    failure(x, clock, pages, maxSpendUSD=1)
    assert len(read(x, clock, pages.as_run("run2"), maxSpendUSD=2)) == 250
    assert set(x.billed.values()) == {1}


def test_what_was_read_before_the_ceiling_can_be_used_for_nothing_more(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    says_no_count(x)
    failure(x, clock, pages, maxSpendUSD=1)
    cost = x.cost
    assert len(read(x, clock, pages.as_run("run2"), maxSpendUSD=1, maxPosts=198)) == 198
    assert x.cost - cost == fake.USER_PRICE


def test_all_attempts_of_a_run_have_one_ceiling(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    says_no_count(x)
    x.fault(answers.UNAUTHORIZED, on="timeline", after=1)
    failure(x, clock, pages, maxSpendUSD=1)
    assert failure(x, clock, pages, maxSpendUSD=1).reason is reasons.SPEND_LIMIT_REACHED
    assert failure(x, clock, pages, maxSpendUSD=1).reason is reasons.SPEND_LIMIT_REACHED
    assert x.cost == 1000


def test_every_run_has_its_own_ceiling(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    x.accounts["harbour_gull"].posts[:] = x.accounts["harbour_gull"].posts[60:]
    assert len(read(x, clock, pages, maxSpendUSD=1)) == 190
    x.accounts["harbour_gull"].posts[:0] = [fake.tweet(number) for number in range(400, 250, -1)]
    assert len(read(x, clock, pages.as_run("run2"), maxSpendUSD=1)) == 340


def test_what_earlier_runs_paid_for_is_not_on_a_runs_bill(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    read(x, clock, pages, maxSpendUSD=1, maxPosts=190)
    assert len(read(x, clock, pages.as_run("run2"), maxSpendUSD=1)) == 250
    assert set(x.billed.values()) == {1}


def test_the_defaults_pay_for_all_that_x_serves() -> None:
    spec = XSource.model_validate({"handle": "gull", "tokenSecret": {"name": "x", "key": "token"}, "acceptTerms": True})
    SpendLimit(spec, 0).require(spec.max_posts)
