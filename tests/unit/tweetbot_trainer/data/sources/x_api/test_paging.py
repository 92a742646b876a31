"""What ends a timeline: X's faults with pages and tokens, each with its requests and its price."""

import json
from contextlib import suppress
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.trainer import Pages, on_a_busy_machine
from builders.x import SECRET, Clock, an_x_source, failure, no_sockets, read
from tweetbot_contract import reasons
from tweetbot_contract.reasons import Reason
from tweetbot_fakes.remotes import x_api as fake
from tweetbot_fakes.remotes import x_api_answers as answers
from tweetbot_fakes.remotes.x_api import FakeX, PageTrouble
from tweetbot_fakes.storage import Killed
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.x_api.client import IdRange
from tweetbot_trainer.data.sources.x_api.page_cache import Span
from tweetbot_trainer.data.sources.x_api.paging import END_PAUSES, LONGEST_GAP, find_settled_span
from tweetbot_trainer.data.sources.x_api.source import XApiSource
from tweetbot_trainer.runtime.errors import SpecRefused, StageError, TemporaryError, TooLittleData

ID = 10**18
#: Ids of real posts are years of milliseconds apart, so that there is always room between two pages.
STEP = 1000
WINDOW = LONGEST_GAP


@pytest.fixture
def sparse(x: FakeX) -> FakeX:
    """An account of 320 posts, with room between their ids."""
    x.add_account("harbour_gull").posts = [fake.tweet(number) for number in all_of(320)]
    return x


def all_of(count: int) -> list[int]:
    return [number * STEP for number in range(count, 0, -1)]


def numbers(posts: list[Post]) -> list[int]:
    return [int(post.id) - ID for post in posts]


def says(x: FakeX, count: int | None) -> None:
    """Let X say another number of posts than the account has."""
    x.accounts["harbour_gull"].more = {"public_metrics": {} if count is None else {"tweet_count": count}}


def price(posts: int) -> int:
    return fake.USER_PRICE + posts * fake.POST_PRICE


# ---- empty pages that have a token


@pytest.mark.parametrize("times", [1, 7, WINDOW])
@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize("excluded", [False, True])
def test_empty_pages_are_passed_and_x_is_asked_for_their_range(
    sparse: FakeX, clock: Clock, times: int, after: int, excluded: bool
) -> None:
    sparse.fault_pages("empty", after=after, times=times)
    assert numbers(read(sparse, clock, excludeRetweets=excluded)) == all_of(320)
    assert sparse.cost == price(320)
    assert len(sparse.asked("timeline")) == 4 + times + 1
    assert clock.waits == []


@pytest.mark.parametrize("after", [0, 1])
def test_posts_that_empty_pages_hid_are_read_in_their_place(sparse: FakeX, clock: Clock, after: int) -> None:
    sparse.fault_pages("skipped", after=after, times=2)
    assert numbers(read(sparse, clock)) == all_of(320)
    assert sparse.cost == price(320)


def test_a_kill_after_empty_pages_leaves_their_range_to_the_next_attempt(sparse: FakeX, clock: Clock) -> None:
    pages = Pages()
    sparse.fault_pages("skipped", after=1, times=2)
    sparse.fault(answers.UNAUTHORIZED, on="timeline", after=4)
    assert failure(sparse, clock, pages).reason is reasons.X_NOT_AUTHORIZED
    assert numbers(read(sparse, clock, pages)) == all_of(320)
    assert set(sparse.billed.values()) == {1}


def test_more_empty_pages_than_x_can_have_end_in_a_question_by_ids(sparse: FakeX, clock: Clock) -> None:
    sparse.fault_pages("empty", after=1, times=WINDOW + 1)
    assert numbers(read(sparse, clock)) == all_of(320)
    assert sparse.cost == price(320)


@pytest.mark.parametrize(("after", "posts"), [(0, 0), (1, 100), (3, 300)])
def test_endless_empty_pages_end_the_attempt_and_the_next_goes_on(
    sparse: FakeX, clock: Clock, after: int, posts: int
) -> None:
    pages = Pages()
    sparse.fault_pages("empty", after=after, times=10_000)
    failed = failure(sparse, clock, pages)
    assert (failed.reason, type(failed)) == (reasons.TIMELINE_INCOMPLETE, TemporaryError)
    assert f"{posts} of 320 posts of @Harbour_Gull are read" in failed.message
    assert "filter" not in failed.message
    assert sparse.cost == price(posts)
    assert len(sparse.asked("timeline")) == after + 2 * (WINDOW + 1)
    sparse.page_faults.clear()
    assert numbers(read(sparse, clock, pages)) == all_of(320)
    assert sparse.cost == price(320)


def test_a_few_posts_are_looked_for_in_larger_pages_where_small_ones_are_empty(sparse: FakeX, clock: Clock) -> None:
    sparse.fault_pages("empty", times=10_000)
    assert failure(sparse, clock, maxPosts=5).reason is reasons.TIMELINE_INCOMPLETE
    sizes = [query["max_results"] for query in sparse.asked("timeline")]
    assert (sizes.count("5"), sizes.count("100")) == (2 * (WINDOW + 1), 2 * WINDOW)


def test_the_advice_of_an_incomplete_timeline_trains_on_what_was_read(sparse: FakeX, clock: Clock) -> None:
    pages = Pages()
    sparse.fault_pages("empty", after=1, times=10_000)
    assert "set spec.sources[0].x.maxPosts to 100" in failure(sparse, clock, pages).message
    cost, source = sparse.cost, an_x_source(sparse, clock, pages=pages.as_run("run2"), maxPosts=100)
    assert numbers(list(source.read_posts())) == all_of(320)[:100]
    assert sparse.cost - cost == price(0)
    report = source.build_report()
    assert (report.claimed, report.left_out["older"]) == (320, 220)


# ---- tokens that lead nowhere


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_token_that_leads_to_its_own_page_is_left(sparse: FakeX, clock: Clock, after: int) -> None:
    sparse.fault_pages("circle", after=after, times=1)
    assert numbers(read(sparse, clock)) == all_of(320)
    assert sparse.cost == price(320 + 100)  # the page that came twice
    assert max(sparse.billed.values()) == 2


def test_tokens_that_all_lead_back_are_followed_once(sparse: FakeX, clock: Clock) -> None:
    sparse.fault_pages("circle", times=10_000)
    assert numbers(read(sparse, clock)) == all_of(320)
    assert sparse.billed.total() == 320 + 100 + fake.SMALLEST_PAGE
    assert [query["max_results"] for query in sparse.asked("timeline")] == ["100", "100", "5", "100", "100", "100", "5"]


def test_a_token_that_comes_twice_is_followed_once(sparse: FakeX, clock: Clock) -> None:
    posts = sparse.accounts["harbour_gull"].posts
    first = [answers.said({"data": posts[at : at + 100], "meta": {"next_token": "again"}}) for at in (0, 100)]
    sparse.fault(*first, on="timeline")
    assert numbers(read(sparse, clock)) == all_of(320)
    assert [query.get("pagination_token") for query in sparse.asked("timeline")[:3]] == [None, "again", None]
    assert sparse.cost == price(120)


def test_a_server_that_sends_one_page_again_and_again_is_left(sparse: FakeX, clock: Clock) -> None:
    page = {"data": sparse.accounts["harbour_gull"].posts[:100], "meta": {"next_token": "again"}}
    sparse.fault(answers.said(page), on="timeline", times=1000)
    failed = failure(sparse, clock)
    assert (failed.reason, type(failed)) == (reasons.TIMELINE_INCOMPLETE, TemporaryError)
    assert [query["max_results"] for query in sparse.asked("timeline")] == ["100", "100", "5"]


def test_a_circle_at_the_end_of_what_x_has_is_an_end(sparse: FakeX, clock: Clock) -> None:
    sparse.fault_pages("circle", after=3, times=10_000)
    pages = Pages()
    assert numbers(read(sparse, clock, pages)) == all_of(320)
    cost = sparse.cost
    sparse.page_faults.clear()
    assert numbers(read(sparse, clock, pages.as_run("run2"))) == all_of(320)
    assert sparse.cost - cost == price(0)


# ---- an end that comes too early


def test_an_early_end_is_asked_about_by_ids(sparse: FakeX, clock: Clock) -> None:
    sparse.fault_pages("end", after=1)
    assert numbers(read(sparse, clock)) == all_of(320)
    assert sparse.cost == price(320)
    assert [query["max_results"] for query in sparse.asked("timeline")] == ["100", "100", "5", "100", "100"]


def test_an_empty_page_without_a_token_is_asked_for_again(sparse: FakeX, clock: Clock) -> None:
    sparse.fault_pages("empty end", after=1, times=3)
    assert numbers(read(sparse, clock)) == all_of(320)
    assert sparse.cost == price(320)
    assert clock.waits == list(END_PAUSES)


@pytest.mark.parametrize("excluded", [False, True])
@pytest.mark.parametrize("percent", [None, 100])
def test_no_post_of_an_account_that_has_some_is_no_end(
    sparse: FakeX, clock: Clock, excluded: bool, percent: int | None
) -> None:
    pages = Pages()
    sparse.fault_pages("empty end", times=10_000)
    source = an_x_source(sparse, clock, pages=pages, max_missing_percent=percent, excludeRetweets=excluded)
    with pytest.raises(StageError) as raised:
        list(source.read_posts())
    failed = raised.value
    assert (failed.reason, type(failed)) == (reasons.TIMELINE_INCOMPLETE, TemporaryError)
    assert "X sends no posts, although it says that there are 320" in failed.message
    assert "filter" not in failed.message
    assert sparse.cost == price(0)
    sparse.page_faults.clear()
    assert numbers(read(sparse, clock, pages, excludeRetweets=excluded)) == all_of(320)


def test_an_early_end_that_lasts_fails_the_run_and_a_later_run_reads_the_rest(sparse: FakeX, clock: Clock) -> None:
    pages = Pages()
    sparse.fault_pages("end", after=1)
    sparse.fault_pages("empty end", after=1, times=10_000)
    failed = failure(sparse, clock, pages)
    assert (failed.reason, type(failed)) == (reasons.POSTS_MISSING, SpecRefused)
    assert "X says that @Harbour_Gull has 320 posts, and ended after 200: 120 of 320 (37.5 %)" in failed.message
    assert "set spec.sources[0].maxMissingPercent to 38" in failed.message
    assert sparse.cost == price(200)
    sparse.page_faults.clear()
    assert numbers(read(sparse, clock, pages.as_run("run2"))) == all_of(320)
    assert set(sparse.billed.values()) == {1}


def test_a_run_that_takes_what_there_is_leaves_the_rest_to_a_later_one(sparse: FakeX, clock: Clock) -> None:
    pages = Pages()
    sparse.fault_pages("end", after=1)
    sparse.fault_pages("empty end", after=1, times=10_000)
    source = an_x_source(sparse, clock, pages=pages, max_missing_percent=38)
    assert numbers(list(source.read_posts())) == all_of(320)[:200]
    assert source.build_report().claimed == 320
    sparse.page_faults.clear()
    assert numbers(read(sparse, clock, pages.as_run("run2"))) == all_of(320)


def test_news_that_end_early_are_read_by_a_later_run(sparse: FakeX, clock: Clock) -> None:
    pages, posts = Pages(), sparse.accounts["harbour_gull"].posts
    sparse.accounts["harbour_gull"].posts = posts[200:]
    read(sparse, clock, pages)
    sparse.accounts["harbour_gull"].posts = posts
    sparse.fault_pages("end")
    sparse.fault_pages("empty end", times=10_000)
    failed = failure(sparse, clock, pages.as_run("run2"))
    assert failed.reason is reasons.POSTS_MISSING
    assert "ended after 220" in failed.message
    sparse.page_faults.clear()
    assert numbers(read(sparse, clock, pages.as_run("run3"))) == all_of(320)
    assert set(sparse.billed.values()) == {1}


@pytest.mark.parametrize("count", [320, 330, 336])
def test_a_count_that_is_a_little_high_is_believed_and_asked_about_no_more(
    sparse: FakeX, clock: Clock, count: int
) -> None:
    pages = Pages()
    says(sparse, count)
    for run in ("run1", "run2"):
        source = an_x_source(sparse, clock, pages=pages.as_run(run))
        assert len(list(source.read_posts())) == 320
        assert source.build_report().claimed == count
    assert len(sparse.asked("timeline")) == 4 + 1
    assert sparse.cost == price(320) + fake.USER_PRICE


def test_a_count_that_is_wrong_costs_no_page_again(sparse: FakeX, clock: Clock) -> None:
    pages = Pages()
    says(sparse, 3200)
    assert failure(sparse, clock, pages).reason is reasons.POSTS_MISSING
    assert len(list(an_x_source(sparse, clock, pages=pages.as_run("run2"), max_missing_percent=90).read_posts())) == 320
    assert sparse.billed.total() <= 320 + 2 * fake.SMALLEST_PAGE  # each run asked for five posts below the lowest


# ---- what X counts


@pytest.mark.parametrize(
    ("count", "spec", "claimed", "left_out"),
    [
        (320, {}, 320, {"older": 0}),
        (320, {"maxPosts": 120}, 320, {"older": 200}),
        (9000, {"maxPosts": 320}, 9000, {"older": 8680}),
        (None, {}, None, {}),
        (320, {"excludeRetweets": True}, None, {}),
        (310, {}, None, {}),  # ten posts were written since the lookup
    ],
)
def test_what_x_says_it_has_is_reported_where_it_can_be_compared(
    sparse: FakeX, clock: Clock, count: int | None, spec: dict[str, Any], claimed: int | None, left_out: dict[str, int]
) -> None:
    says(sparse, count)
    source = an_x_source(sparse, clock, **spec)
    posts = list(source.read_posts())
    report = source.build_report()
    assert (report.claimed, report.left_out) == (claimed, {"unreadable": 0} | left_out)
    assert claimed is None or claimed == len(posts) + sum(report.left_out.values())


def test_a_record_without_text_beyond_the_posts_that_are_wanted_adds_up(sparse: FakeX, clock: Clock) -> None:
    del sparse.accounts["harbour_gull"].posts[0]["text"]
    source = an_x_source(sparse, clock, maxPosts=100)
    assert len(list(source.read_posts())) == 100
    report = source.build_report()
    assert (report.claimed, report.left_out) == (320, {"unreadable": 1, "older": 219})


def test_posts_that_were_deleted_since_are_more_than_x_counts(sparse: FakeX, clock: Clock) -> None:
    pages = Pages()
    read(sparse, clock, pages)
    del sparse.accounts["harbour_gull"].posts[5:50]
    source = an_x_source(sparse, clock, pages=pages.as_run("run2"))
    assert len(list(source.read_posts())) == 320
    assert source.build_report().claimed is None


def test_pages_without_retweets_are_not_compared_with_a_count_that_has_them(sparse: FakeX, clock: Clock) -> None:
    pages = Pages()
    sparse.accounts["harbour_gull"].posts[100:300] = [fake.retweet(number) for number in all_of(320)[100:300]]
    read(sparse, clock, pages, excludeRetweets=True)
    source = an_x_source(sparse, clock, pages=pages.as_run("run2"))
    assert len(list(source.read_posts())) == 120
    assert source.build_report().claimed is None


@pytest.mark.parametrize("count", [0, None])
def test_an_account_without_posts_is_said_to_have_none(x: FakeX, clock: Clock, count: int | None) -> None:
    x.add_account("harbour_gull")
    says(x, count)
    failed = failure(x, clock)
    assert (failed.reason, type(failed)) == (reasons.TOO_FEW_POSTS, TooLittleData)
    assert "@Harbour_Gull has no posts on X" in failed.message
    assert "filter" not in failed.message
    assert (len(x.requests), x.cost, clock.waits) == (2, fake.USER_PRICE, [])


# ---- pages of nothing but retweets


@pytest.mark.parametrize("token_on_empty", [True, False])
@pytest.mark.parametrize("first", [0, 100])
def test_pages_of_retweets_that_are_left_out_hide_no_posts(
    sparse: FakeX, clock: Clock, token_on_empty: bool, first: int
) -> None:
    """X cuts a page before it leaves retweets out; of an empty one it sends no token."""
    sparse.cuts_before_filter, sparse.token_on_empty = True, token_on_empty
    retweets = slice(first, first + 150)
    sparse.accounts["harbour_gull"].posts[retweets] = [fake.retweet(number) for number in all_of(320)[retweets]]
    own = [number for number in all_of(320) if number not in all_of(320)[retweets]]
    assert numbers(read(sparse, clock, excludeRetweets=True)) == own
    assert sparse.cost == price(170 + (0 if token_on_empty else fake.SMALLEST_PAGE + 100))  # the way past 150 retweets
    assert set(sparse.billed.values()) == {1}


def test_an_account_of_nothing_but_retweets_is_reported_as_that(sparse: FakeX, clock: Clock) -> None:
    sparse.cuts_before_filter = True
    sparse.accounts["harbour_gull"].posts = [fake.retweet(number) for number in all_of(320)]
    failed = failure(sparse, clock, excludeRetweets=True)
    assert (failed.reason, type(failed)) == (reasons.TOO_FEW_POSTS, TooLittleData)
    assert "nothing but retweets" in failed.message
    assert sparse.cost <= price(320)


# ---- pages that cannot be read


def test_a_page_without_a_readable_post_is_paid_for_in_each_attempt_up_to_the_limit(
    sparse: FakeX, clock: Clock
) -> None:
    pages = Pages()
    says(sparse, None)
    sparse.fault_pages("unreadable", after=1, times=10_000)
    seen = [failure(sparse, clock, pages, maxSpendUSD=1).reason for _ in range(25)]
    assert set(seen) == {reasons.X_BAD_PAYLOAD, reasons.SPEND_LIMIT_REACHED}
    assert seen[-1] is reasons.SPEND_LIMIT_REACHED
    assert 900 < sparse.cost <= 1000


def test_a_run_counts_on_its_bill_what_it_could_not_read(sparse: FakeX, clock: Clock) -> None:
    pages = Pages()
    sparse.fault_pages("unreadable", after=1)
    assert failure(sparse, clock, pages).reason is reasons.X_BAD_PAYLOAD
    source = an_x_source(sparse, clock, pages=pages)
    assert numbers(list(source.read_posts())) == all_of(320)
    assert source.count_billed_posts() == sparse.billed.total() == 320 + 100


def test_posts_without_text_at_the_end_of_a_page_are_paid_for_once(sparse: FakeX, clock: Clock) -> None:
    posts = sparse.accounts["harbour_gull"].posts
    for number in range(90, 100):
        posts[number] = {key: value for key, value in posts[number].items() if key != "text"}
    sparse.fault_pages("end")  # so that X is asked for the next page by ids
    source = an_x_source(sparse, clock)
    assert len(list(source.read_posts())) == 310
    assert source.build_report().left_out["unreadable"] == 10
    assert set(sparse.billed.values()) == {1}


def test_a_page_that_came_twice_is_on_the_bill_once_more(sparse: FakeX, clock: Clock) -> None:
    sparse.fault_pages("circle", after=1)
    source = an_x_source(sparse, clock)
    list(source.read_posts())
    assert source.count_billed_posts() == sparse.billed.total() == 320 + 100


@pytest.mark.parametrize(
    ("ids", "window", "last", "passed", "span"),
    [
        ([9, 7], IdRange(), False, False, Span(9, 7)),
        ([9, 7], IdRange(), True, False, Span(9, 1)),
        ([9, 7], IdRange(since=4), True, False, Span(9, 5)),
        ([9, 4], IdRange(since=4), False, False, Span(9, 5)),
        ([9, 7], IdRange(since=4, until=20), False, False, Span(19, 7)),
        ([9, 7], IdRange(since=4, until=20), False, True, Span(9, 7)),
        ([9, 7], IdRange(since=4, until=20), True, True, Span(9, 5)),
        ([], IdRange(since=4, until=20), True, False, Span(19, 5)),
    ],
)
def test_a_page_settles_what_x_was_asked_for(
    ids: list[int], window: IdRange, last: bool, passed: bool, span: Span
) -> None:
    assert find_settled_span(ids, window, last=last, passed=passed) == span


class MortalPages(Pages):
    """A page cache whose process is killed at one of its writes, before it or after it."""

    dies_at: int | None = None
    before = False

    def save(self, name: str, content: bytes) -> None:
        """Keep something, and die with it when it is time."""
        dies = self.dies_at == 0
        if self.dies_at is not None:
            self.dies_at -= 1
        if not (dies and self.before):
            super().save(name, content)
        if dies:
            raise Killed


Trouble = st.tuples(st.sampled_from(get_args(PageTrouble)), st.integers(0, 4), st.sampled_from([1, 2, 7, 40, 1000]))
Troubles = st.lists(Trouble, max_size=3)
Kills = st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=2)
NAMED = {reasons.TIMELINE_INCOMPLETE, reasons.POSTS_MISSING, reasons.X_BAD_PAYLOAD}


@on_a_busy_machine
@given(st.integers(1, 330), Troubles, Kills)
def test_whatever_x_does_a_run_has_all_posts_or_a_reason_and_a_later_run_pays_for_nothing_twice(
    count: int, troubles: list[tuple[Any, int, int]], kills: list[tuple[int, bool]]
) -> None:
    clock, pages = Clock(), MortalPages()
    with FakeX(token=SECRET) as x, no_sockets(x):
        x.add_account("harbour_gull").posts = [fake.tweet(number) for number in all_of(count)]
        for trouble, after, times in troubles:
            x.fault_pages(trouble, after=after, times=times)
        for pages.dies_at, pages.before in [*kills, (None, False), (None, False)]:
            source = an_x_source(x, clock, pages=pages, max_missing_percent=0)
            with suppress(Killed):
                assert attempt(source) in (all_of(count), *NAMED)
                lost = any(before for _, before in kills)
                assert lost or source.count_billed_posts() == x.billed.total()
        x.page_faults.clear()
        kept, paid = {number for page in pages.kept.values() for number in ids_in(page)}, x.billed.total()
        assert numbers(read(x, clock, pages.as_run("run2"))) == all_of(count)
        assert x.billed.total() - paid <= count - len(kept) + fake.SMALLEST_PAGE


def attempt(source: XApiSource) -> list[int] | Reason:
    """Return the posts that an attempt reads, or the reason why it fails."""
    try:
        return numbers(list(source.read_posts()))
    except StageError as error:
        return error.reason


def ids_in(page: bytes) -> list[int]:
    answer = json.loads(page).get("answer", {})
    return [int(record["id"]) for record in answer.get("data", []) if "text" in record]
