"""The X API as a source: the real tweepy client against our fake on a real socket."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import pytest
import requests

from builders_trainer import Pages
from tweetbot_contract import reasons
from tweetbot_contract.reasons import Reason
from tweetbot_contract.sources import XSource
from tweetbot_fakes import x_api as fake
from tweetbot_fakes.x_api import Answer, FakeX
from tweetbot_trainer.errors import NotAuthorized, SpecRefused, StageFailed, Temporary
from tweetbot_trainer.log import Log
from tweetbot_trainer.posts import Post
from tweetbot_trainer.sources.patience import Patience
from tweetbot_trainer.sources.x_api import XApiSource
from tweetbot_trainer.sources.x_client import HOST, Rebase

SECRET = "AAAAsecret%3Dtoken"
NOW = 1_700_000_000.0


@dataclass
class Clock:
    """Time that passes only by waiting, and the waits."""

    now: float = NOW
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def patience(self, seconds: float = 1800) -> Patience:
        return Patience(seconds, sleep=self.sleep, now=lambda: self.now)


@pytest.fixture
def x() -> Iterator[FakeX]:
    with FakeX(token=SECRET) as server:
        server.add_account("harbour_gull", posts=250)
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


def source(
    x: FakeX,
    clock: Clock,
    *,
    pages: Pages | None = None,
    log: Log | None = None,
    token: str = SECRET,
    ceiling: int | None = None,
    **spec: Any,
) -> XApiSource:
    """Return the source of @harbour_gull; `ceiling` in dollars may be one that the schema refuses."""
    secret = {"name": "x", "key": "token"}
    values = {"handle": "Harbour_Gull", "tokenSecret": secret, "acceptTerms": True, "apiBaseURL": x.url}
    given = XSource.model_validate(values | spec)
    if ceiling is not None:
        given = given.model_copy(update={"max_spend_usd": ceiling})
    pages, log = pages or Pages(), log or Log(StringIO())
    return XApiSource(given, 0, token=token, pages=pages, patience=clock.patience(), log=log)


def failure(x: FakeX, clock: Clock, **spec: Any) -> StageFailed:
    with pytest.raises(StageFailed) as raised:
        list(source(x, clock, **spec).posts())
    return raised.value


def timeline_request(x: FakeX, *faults: Answer) -> None:
    """Let the account be found, and the next request meet the faults."""
    x.faults = [Answer(body=json.dumps({"data": {"id": "1", "username": "harbour_gull"}}).encode()), *faults]


def test_a_timeline_is_read_page_by_page_and_each_post_once(x: FakeX, clock: Clock) -> None:
    posts = list(source(x, clock).posts())
    assert len({post.id for post in posts}) == len(posts) == 250
    assert [request.query.get("pagination_token") for request in x.requests] == [None, None, "100", "200"]
    assert clock.waits == []


def test_a_post_of_the_api_becomes_a_post(x: FakeX, clock: Clock) -> None:
    x.add_account("harbour_gull")[:] = [fake.tweet(7, "low tide &amp; fog")]
    (post,) = source(x, clock).posts()
    assert (post.id, post.text, post.lang, post.source) == (str(10**18 + 7), "low tide &amp; fog", "en", 0)
    assert post.created_at is not None
    assert post.created_at.isoformat() == "2020-09-13T19:26:40+00:00"


@pytest.mark.parametrize("vocabulary", ["tweet", "post"])
def test_both_vocabularies_are_understood(x: FakeX, clock: Clock, vocabulary: Any) -> None:
    x.vocabulary = vocabulary
    x.add_account("harbour_gull")[:] = [
        fake.tweet(4, "cut…", note_tweet={"text": "the whole long post"}),
        fake.tweet(3, referenced_tweets=[{"type": "retweeted", "id": "1"}]),
        fake.tweet(2, referenced_tweets=[{"type": "replied_to", "id": "1"}, {"type": "quoted", "id": "2"}]),
        fake.tweet(1, in_reply_to_user_id="5"),
    ]
    posts: list[Post] = list(source(x, clock).posts())
    assert posts[0].text == "the whole long post"
    assert [(post.retweet, post.reply, post.quote) for post in posts] == [
        (False, False, False),
        (True, False, False),
        (False, True, True),
        (False, True, False),
    ]


def test_an_account_without_posts_has_none(x: FakeX, clock: Clock) -> None:
    x.add_account("harbour_gull")
    assert list(source(x, clock).posts()) == []


def test_max_posts_is_never_passed(x: FakeX, clock: Clock) -> None:
    assert len(list(source(x, clock, maxPosts=103).posts())) == 103
    assert [request.query.get("max_results") for request in x.requests] == [None, "100", "5"]


def test_the_bill_stays_below_the_ceiling(x: FakeX, clock: Clock) -> None:
    assert len(list(source(x, clock, maxSpendUSD=1).posts())) == 200
    assert x.cost - fake.USER_PRICE == 1000


def test_a_ceiling_that_pays_for_no_page_is_told(x: FakeX, clock: Clock) -> None:
    x.add_account("harbour_gull", posts=1)
    with pytest.raises(SpecRefused, match=r"sources\[0\]\.x: maxSpendUSD 0"):
        list(source(x, clock, ceiling=0).posts())


def test_a_retried_run_pays_for_no_page_twice(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    reading = source(x, clock, pages=pages).posts()
    first = [next(reading) for _ in range(150)]  # killed in the second page
    cost = x.cost
    again = list(source(x, clock, pages=pages).posts())
    assert again[:150] == first
    assert len(again) == 250
    assert x.cost - cost == 50 * fake.POST_PRICE


def test_pages_of_an_earlier_attempt_count_against_the_ceiling(x: FakeX, clock: Clock) -> None:
    pages = Pages()
    next(source(x, clock, pages=pages).posts())
    assert len(list(source(x, clock, pages=pages, maxSpendUSD=1).posts())) == 200
    assert x.cost <= 1000 + fake.USER_PRICE


@pytest.mark.parametrize(
    ("answer", "reason", "kind"),
    [
        (fake.NOT_FOUND, reasons.ACCOUNT_NOT_FOUND, SpecRefused),
        (fake.SUSPENDED, reasons.ACCOUNT_SUSPENDED, SpecRefused),
        (fake.PROTECTED, reasons.ACCOUNT_PROTECTED, SpecRefused),
        (
            fake.problem(403, "not-authorized-for-resource", "Authorization Error"),
            reasons.ACCOUNT_PROTECTED,
            SpecRefused,
        ),
        (fake.BAD_REQUEST, reasons.SPEC_REFUSED, SpecRefused),
        (fake.UNAUTHORIZED, reasons.X_NOT_AUTHORIZED, NotAuthorized),
        (fake.FORBIDDEN, reasons.X_NOT_AUTHORIZED, NotAuthorized),
        (fake.CREDITS_DEPLETED, reasons.CREDITS_DEPLETED, SpecRefused),
        (fake.USAGE_CAPPED, reasons.USAGE_CAPPED, SpecRefused),
        (fake.html(404), reasons.SPEC_REFUSED, SpecRefused),
    ],
    ids=lambda value: value.name if isinstance(value, Reason) else None,
)
@pytest.mark.parametrize("when", ["user", "timeline"])
def test_a_permanent_refusal_has_its_reason_and_is_asked_once(
    x: FakeX, clock: Clock, answer: Answer, reason: Reason, kind: type[StageFailed], when: str
) -> None:
    if when == "user":
        x.faults = [answer]
    else:
        timeline_request(x, answer)
    failed = failure(x, clock)
    assert (failed.reason, type(failed)) == (reason, kind)
    assert "@Harbour_Gull" in failed.message
    assert len(x.requests) == (1 if when == "user" else 2)
    assert clock.waits == []


@pytest.mark.parametrize(
    "fault",
    [
        fake.html(503),
        Answer(500, b"[]"),
        Answer(502),
        fake.html(200),
        Answer(200, b"[1]"),
        Answer(200, b""),
        Answer(cut=True),
        Answer(500, b'{"errors": "all"}'),
    ],
)
def test_a_passing_fault_is_waited_out(x: FakeX, clock: Clock, fault: Answer) -> None:
    x.faults = [fault, fault]
    assert len(list(source(x, clock).posts())) == 250
    assert clock.waits == [2.0, 4.0]


@pytest.mark.parametrize("fault", [fake.html(503), fake.html(200), Answer(cut=True)])
def test_a_lasting_fault_is_temporary_after_half_an_hour_and_no_storm(x: FakeX, clock: Clock, fault: Answer) -> None:
    x.faults = [fault] * 1000
    failed = failure(x, clock)
    assert (failed.reason, type(failed)) == (reasons.X_UNAVAILABLE, Temporary)
    assert 1700 < sum(clock.waits) <= 1800
    assert len(x.requests) < 50


@pytest.mark.parametrize(
    "page",
    [{"data": {"id": "1"}}, {"data": "x"}, {"data": [1]}, {"data": [{"id": 1, "text": "x"}]}, {"data": [{"id": "1"}]}],
)
def test_a_page_that_is_none_is_temporary_and_not_kept(x: FakeX, clock: Clock, page: Any) -> None:
    timeline_request(x, Answer(body=json.dumps(page | {"meta": {}}).encode()))
    pages = Pages()
    with pytest.raises(Temporary):
        list(source(x, clock, pages=pages).posts())
    assert list(pages.kept) == ["user.json"]


def test_a_rate_limit_is_waited_for_until_its_reset(x: FakeX, clock: Clock) -> None:
    timeline_request(x, fake.rate_limited(str(int(NOW) + 600)))
    assert len(list(source(x, clock).posts())) == 250
    assert clock.waits == [601.0]


@pytest.mark.parametrize("reset", [None, "", "soon", "-5", "12.5", "0", str(int(NOW) - 900), "9" * 30, "²"])
def test_a_rate_limit_without_a_usable_reset_makes_no_storm(x: FakeX, clock: Clock, reset: str | None) -> None:
    x.faults = [fake.rate_limited(reset)] * 1000
    failed = failure(x, clock)
    assert (failed.reason, type(failed)) == (reasons.RATE_LIMITED, Temporary)
    assert "does not name" in failed.message
    assert len(x.requests) < 50


@pytest.mark.parametrize(("ahead", "until"), [(2_592_000, "2023-12-14T22:13:20Z"), (90_000_000_000, "4875-11-09")])
def test_a_reset_beyond_the_budget_ends_the_attempt_and_is_told(x: FakeX, clock: Clock, ahead: int, until: str) -> None:
    x.faults = [fake.rate_limited(str(int(NOW) + ahead))] * 1000
    failed = failure(x, clock)
    assert failed.reason is reasons.RATE_LIMITED
    assert until in failed.message


def test_a_limit_a_page_cannot_outlast_the_budget(x: FakeX, clock: Clock) -> None:
    x.faults = [fake.rate_limited(str(int(NOW) + 600 * step)) for step in range(1, 1000)]
    assert failure(x, clock).reason is reasons.RATE_LIMITED
    assert sum(clock.waits) <= 1800


def test_a_next_token_that_leads_in_a_circle_is_left(x: FakeX, clock: Clock) -> None:
    page = {"data": [fake.tweet(1)], "meta": {"next_token": "again"}}
    timeline_request(x, *[Answer(body=json.dumps(page).encode())] * 1000)
    assert len(list(source(x, clock).posts())) == 1
    assert len(x.requests) == 3


def test_endless_empty_pages_are_left(x: FakeX, clock: Clock) -> None:
    pages = [{"meta": {"result_count": 0, "next_token": str(number)}} for number in range(1000)]
    timeline_request(x, *[Answer(body=json.dumps(page).encode()) for page in pages])
    assert list(source(x, clock).posts()) == []
    assert len(x.requests) == 7


def test_no_token_is_in_any_log_or_message(x: FakeX, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("tweepy.client").setLevel(logging.DEBUG)
    log = StringIO()
    timeline_request(x, Answer(401, json.dumps({"title": "Unauthorized", "detail": f"Bearer {SECRET}"}).encode()))
    with pytest.raises(NotAuthorized) as raised:
        list(source(x, clock, log=Log(log)).posts())
    assert SECRET not in caplog.text + log.getvalue() + raised.value.message
    assert "Unauthorized" in raised.value.message


def test_a_wrong_token_is_told(x: FakeX, clock: Clock) -> None:
    with pytest.raises(NotAuthorized):
        list(source(x, clock, token="wrong").posts())


def test_an_address_that_cannot_be_asked_is_refused(x: FakeX, clock: Clock) -> None:
    failed = failure(x, clock, apiBaseURL="http://[::")
    assert (failed.reason, type(failed)) == (reasons.SPEC_REFUSED, SpecRefused)


def test_a_server_that_is_not_there_is_temporary(x: FakeX, clock: Clock) -> None:
    assert failure(x, clock, apiBaseURL="http://127.0.0.1:9").reason is reasons.X_UNAVAILABLE


def test_a_base_url_may_have_a_path(x: FakeX, clock: Clock) -> None:
    failed = failure(x, clock, apiBaseURL=f"{x.url}/proxy/")
    assert failed.reason is reasons.SPEC_REFUSED
    assert x.requests[0].path == "/proxy/2/users/by/username/Harbour_Gull"


def test_a_silent_server_is_left_after_the_time_limit(x: FakeX) -> None:
    x.faults = [Answer(delay=0.5)]
    with requests.Session() as session:
        session.mount("https://", Rebase(x.url, timeout=(0.1, 0.1)))
        with pytest.raises(requests.ReadTimeout):
            session.get(f"{HOST}/2/users/1/tweets")
