"""Runs over one cache: no post is paid for twice, and the same cache gives the same posts."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.trainer import Pages, on_a_busy_machine
from builders.x import SECRET, Clock, an_x_source, failure, no_sockets, read
from tweetbot_contract import reasons
from tweetbot_fakes.remotes import x_api as fake
from tweetbot_fakes.remotes import x_api_answers as answers
from tweetbot_fakes.remotes.x_api import Account, FakeX
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.runtime.log import Log

ID = 10**18


def gull(x: FakeX) -> Account:
    return x.accounts["harbour_gull"]


def numbers(posts: list[Post]) -> list[int]:
    return [int(post.id) - ID for post in posts]


def down(first: int, last: int = 1) -> list[int]:
    return list(range(first, last - 1, -1))


def write(account: Account, count: int) -> None:
    """Let the account write more posts."""
    newest = int(account.posts[0]["id"]) - ID if account.posts else 0
    account.posts[:0] = [fake.tweet(number) for number in down(newest + count, newest + 1)]


def test_a_later_run_pays_only_for_what_is_new(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    read(x, clock, pages)
    write(gull(x), 130)
    cost = x.cost
    assert numbers(read(x, clock, pages.as_run("run2"))) == down(380)
    assert x.cost - cost == 130 * fake.POST_PRICE + fake.USER_PRICE
    assert set(x.billed.values()) == {1}
    assert [query.get("since_id") for query in x.asked("timeline")[3:]] == [str(ID + 250)] * 2


def test_a_run_without_news_asks_once_and_gives_the_same_posts(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    before = read(x, clock, pages)
    kept, requests = len(pages.kept), len(x.requests)
    assert read(x, clock, pages.as_run("run2")) == before
    assert len(x.requests) - requests == 2
    assert len(pages.kept) - kept == 2  # the run's own notes


def test_a_retry_after_a_late_failure_asks_nothing(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    before = read(x, clock, pages)
    write(gull(x), 5)
    requests, cost = len(x.requests), x.cost
    assert read(x, clock, pages) == before
    assert (len(x.requests), x.cost) == (requests, cost)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_an_interrupted_walk_goes_on_where_it_stood(x: FakeX, clock: Clock, after: int) -> None:
    pages = Pages()
    x.fault(answers.CREDITS_DEPLETED, on="timeline", after=after)
    assert failure(x, clock, pages).reason is reasons.CREDITS_DEPLETED
    x.tokens.clear()  # none of X's tokens is needed again
    assert numbers(read(x, clock, pages)) == down(250)
    assert set(x.billed.values()) == {1}
    assert len(x.asked("user")) == 1
    assert len(x.asked("timeline")) == 4


def test_a_walk_killed_between_two_posts_pays_for_no_page_twice(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    reading = an_x_source(x, clock, pages=pages).read_posts()
    first = [next(reading) for _ in range(150)]  # killed in the second page
    cost = x.cost
    again = read(x, clock, pages)
    assert again[:150] == first
    assert len(again) == 250
    assert x.cost - cost == 50 * fake.POST_PRICE


def test_a_gap_that_an_earlier_run_left_is_filled(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    x.fault(answers.UNAUTHORIZED, on="timeline", after=1)
    failure(x, clock, pages)
    write(gull(x), 120)
    x.fault(answers.UNAUTHORIZED, on="timeline", after=1)
    failure(x, clock, pages.as_run("run2"))
    write(gull(x), 3)
    assert numbers(read(x, clock, pages.as_run("run3"))) == down(373)
    assert set(x.billed.values()) == {1}


def test_the_newest_max_posts_are_read_and_more_of_them_later(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    assert numbers(read(x, clock, pages, maxPosts=60)) == down(250, 191)
    write(gull(x), 10)
    assert numbers(read(x, clock, pages.as_run("run2"), maxPosts=60)) == down(260, 201)
    assert numbers(read(x, clock, pages.as_run("run3"), maxPosts=240)) == down(260, 21)
    assert set(x.billed.values()) == {1}


def test_a_retry_reads_up_to_the_post_that_its_run_began_with(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    next(an_x_source(x, clock, pages=pages).read_posts())
    write(gull(x), 7)
    read(x, clock, pages.as_run("run2"))
    assert numbers(read(x, clock, pages)) == down(250)


def test_a_retry_leaves_newer_posts_out_where_later_pages_hold_them(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    read(x, clock, pages)
    write(gull(x), 7)
    for name in [name for name in pages.kept if "/runs/" not in name]:
        del pages.kept[name]
    assert numbers(read(x, clock, pages.as_run("run2"))) == down(257)
    assert numbers(read(x, clock, pages)) == down(250)


def test_another_account_behind_the_handle_is_read_again(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    read(x, clock, pages)
    x.add_account("harbour_gull", posts=3, id="77")
    assert numbers(read(x, clock, pages.as_run("run2"))) == down(3)
    assert len(read(x, clock, pages)) == 250  # the first run's account is the first one


def test_another_server_has_its_own_pages(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    read(x, clock, pages)
    with FakeX(token=SECRET) as other:
        other.add_account("harbour_gull", posts=4)
        assert numbers(read(other, clock, pages)) == down(4)


def test_a_page_that_somebody_removed_is_read_again_without_what_x_deleted(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    read(x, clock, pages)
    page = next(name for name in sorted(pages.kept) if f"/{ID + 150:020}-" in name)
    del pages.kept[page]
    gull(x).posts = [one for one in gull(x).posts if one["id"] != str(ID + 100)]
    cost = x.cost
    assert numbers(read(x, clock, pages.as_run("run2"))) == [number for number in down(250) if number != 100]
    assert x.cost - cost == 99 * fake.POST_PRICE + fake.USER_PRICE


def test_what_x_serves_no_more_is_asked_for_once(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    read(x, clock, pages, maxPosts=100)
    gull(x).posts[:0] = [fake.retweet(number) for number in down(250 + fake.HISTORY, 251)]
    for run in ("run2", "run3"):  # 150 posts lie beyond the newest 3,200, which are all retweets
        assert numbers(read(x, clock, pages.as_run(run), excludeRetweets=True)) == down(250, 151)
    assert [query.get("until_id") for query in x.asked("timeline")[1:]] == [None, *[str(ID + 151)] * 2, None]
    assert x.billed.total() == 100 + fake.SMALLEST_PAGE  # five retweets showed that X serves no more
    assert set(x.billed.values()) == {1}


def test_kept_retweets_are_left_out_where_they_are_not_asked_for(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    gull(x).posts[:2] = [fake.retweet(250), fake.retweet(249)]
    assert numbers(read(x, clock, pages)) == down(250)
    assert numbers(read(x, clock, pages.as_run("run2"), excludeRetweets=True)) == down(248)


def test_retweets_that_an_earlier_run_left_out_are_reported(x: FakeX, clock: Clock) -> None:
    pages, log = Pages(), StringIO()
    gull(x).posts[:2] = [fake.retweet(250), fake.retweet(249)]
    read(x, clock, pages, excludeRetweets=True)
    write(gull(x), 2)
    assert numbers(list(an_x_source(x, clock, pages=pages.as_run("run2"), log=Log(log)).read_posts())) == [
        252,
        251,
        *down(250)[:2],
        *down(248),
    ]
    assert '"partly read"' in log.getvalue()


def test_a_damaged_page_is_reported_by_its_name(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    read(x, clock, pages)
    name = next(name for name in sorted(pages.kept) if f"/{ID + 150:020}-" in name)
    for content in (b"{", b"[]", b'{"schema": 2}'):
        pages.kept[name] = content
        failed = failure(x, clock, pages)
        assert failed.reason is reasons.SOURCE_UNREADABLE
        assert name in failed.message


def test_a_server_that_knows_no_since_id_is_asked_once(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    gull(x).posts = gull(x).posts[:5]
    before, log = read(x, clock, pages), StringIO()
    x.fault(answers.said({"data": gull(x).posts, "meta": {"next_token": "more"}}), on="timeline")
    assert list(an_x_source(x, clock, pages=pages.as_run("run2"), log=Log(log)).read_posts()) == before
    assert len(x.asked("timeline")) == 2
    assert '"spent": "$0.035"' in log.getvalue()  # the lookup, and five posts that it had already


@on_a_busy_machine
@given(
    st.lists(
        st.tuples(st.integers(0, 150), st.integers(1, 300), st.one_of(st.none(), st.integers(0, 3))),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_interrupts_its_runs_a_bot_pays_for_no_post_twice(steps: list[tuple[int, int, int | None]]) -> None:
    clock, pages = Clock(), Pages()
    with FakeX(token=SECRET) as x, no_sockets(x):
        account = x.add_account("harbour_gull", posts=40)
        for number, (written, wanted, broken_after) in enumerate(steps):
            write(account, written)
            run = pages.as_run(f"run{number}")
            if broken_after is not None:
                x.fault(answers.UNAUTHORIZED, on="timeline", after=broken_after)
            try:
                posts = read(x, clock, run, maxPosts=wanted)
            except StageError:
                posts = read(x, clock, run, maxPosts=wanted)
            x.faults.clear()
            newest = len(account.posts)
            assert numbers(posts) == down(newest, max(newest - wanted, 0) + 1)
        assert max(x.billed.values()) == 1
