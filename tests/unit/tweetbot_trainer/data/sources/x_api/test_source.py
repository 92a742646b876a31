"""The X API as a source: the real tweepy client against our fake on a real socket."""

import json
import logging
from io import StringIO
from typing import Any

import pytest

from builders.trainer import Pages
from builders.x import SECRET, Clock, an_x_source, failure, read
from tweetbot_contract import reasons
from tweetbot_contract.reasons import Reason
from tweetbot_fakes.remotes import x_api as fake
from tweetbot_fakes.remotes import x_api_answers as answers
from tweetbot_fakes.remotes.x_api import FakeX
from tweetbot_trainer.runtime.errors import NotAuthorized, TemporaryError
from tweetbot_trainer.runtime.log import Log


def events(log: StringIO, name: str) -> list[dict[str, Any]]:
    """Return the events of a name that were logged."""
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in lines if line["event"] == name]


def test_a_timeline_is_read_page_by_page_and_each_post_once(x: FakeX, clock: Clock) -> None:
    posts = read(x, clock)
    assert len({post.id for post in posts}) == len(posts) == 250
    assert [query.get("pagination_token") for query in x.asked("timeline")] == [None, "token0", "token1"]
    assert x.cost == 250 * fake.POST_PRICE + fake.USER_PRICE
    assert clock.waits == []


def test_a_post_of_the_api_becomes_a_post(x: FakeX, clock: Clock) -> None:
    x.add_account("harbour_gull").posts = [fake.tweet(7, "low tide &amp; fog")]
    (post,) = read(x, clock)
    assert (post.id, post.text, post.lang, post.source) == (str(10**18 + 7), "low tide &amp; fog", "en", 0)
    assert post.created_at is not None
    assert post.created_at.isoformat() == "2020-09-13T19:26:40+00:00"


@pytest.mark.parametrize("vocabulary", ["tweet", "post"])
def test_both_vocabularies_are_understood(x: FakeX, clock: Clock, vocabulary: Any) -> None:
    x.vocabulary = vocabulary
    x.add_account("harbour_gull").posts = [
        fake.tweet(5, "corrected", edit_history_tweet_ids=["2", str(10**18 + 5)]),
        fake.tweet(4, "cut…", note_tweet={"text": "the whole long post"}),
        fake.tweet(3, referenced_tweets=[{"type": "retweeted", "id": "1"}]),
        fake.tweet(2, referenced_tweets=[{"type": "replied_to", "id": "1"}, {"type": "quoted", "id": "2"}]),
        fake.tweet(1, in_reply_to_user_id="5"),
    ]
    log = StringIO()
    posts = list(an_x_source(x, clock, log=Log(log)).read_posts())
    assert [post.edits for post in posts] == [("2", str(10**18 + 5)), (), (), (), ()]
    assert posts[1].text == "the whole long post"
    assert [(post.retweet, post.reply, post.quote) for post in posts[1:]] == [
        (False, False, False),
        (True, False, False),
        (False, True, True),
        (False, True, False),
    ]
    keys = events(log, "x.page")[0]["keys"]
    assert {f"note_{vocabulary}", f"referenced_{vocabulary}s", f"edit_history_{vocabulary}_ids"} <= set(keys)


def test_max_posts_is_never_passed(x: FakeX, clock: Clock) -> None:
    assert len(read(x, clock, maxPosts=103)) == 103
    assert [query["max_results"] for query in x.asked("timeline")] == ["100", "5"]


def test_replies_are_never_excluded(x: FakeX, clock: Clock) -> None:
    x.add_account("harbour_gull", posts=900)
    assert len(read(x, clock)) == 900
    assert {query.get("exclude") for query in x.asked("timeline")} == {None}


def test_retweets_that_are_not_asked_for_are_not_paid_for(x: FakeX, clock: Clock) -> None:
    gull = x.add_account("harbour_gull", posts=250)
    gull.posts[::2] = [fake.retweet(number) for number in range(250, 0, -2)]
    log = StringIO()
    posts = list(an_x_source(x, clock, log=Log(log), excludeRetweets=True).read_posts())
    assert [post for post in posts if post.retweet] == []
    assert len(posts) == 125
    assert x.cost == 125 * fake.POST_PRICE + fake.USER_PRICE
    assert events(log, "x.read")[0]["retweets"] == "not read"


def test_what_was_read_is_reported_with_its_price(x: FakeX, clock: Clock) -> None:
    log = StringIO()
    list(an_x_source(x, clock, log=Log(log)).read_posts())
    (output,) = events(log, "x.read")
    assert (output["posts"], output["pagesFromX"], output["retweets"], output["spent"]) == (250, 3, "read", "$1.260")


@pytest.mark.parametrize(
    ("state", "reason"),
    [("suspended", reasons.ACCOUNT_SUSPENDED), ("protected", reasons.ACCOUNT_PROTECTED)],
)
def test_an_account_that_shows_nothing_is_reported(x: FakeX, clock: Clock, state: Any, reason: Reason) -> None:
    x.accounts["harbour_gull"].state = state
    assert failure(x, clock).reason is reason


@pytest.mark.parametrize("user", [{}, {"data": []}, {"data": {"id": 7}}, {"data": {"id": "../7"}}])
def test_a_lookup_without_an_account_is_no_answer_of_x(x: FakeX, clock: Clock, user: Any) -> None:
    x.fault(answers.said(user), on="user")
    pages = Pages()
    failed = failure(x, clock, pages)
    assert (failed.reason, type(failed)) == (reasons.X_BAD_PAYLOAD, TemporaryError)
    assert pages.kept == {}


@pytest.mark.parametrize(
    "page", [{"data": {"id": "1"}}, {"data": "x"}, {"data": [1]}, {"data": [{"id": 1, "text": ""}]}]
)
def test_a_page_that_is_none_is_temporary_and_not_kept(x: FakeX, clock: Clock, page: Any) -> None:
    x.fault(answers.said(page | {"meta": {}}), on="timeline")
    pages = Pages()
    failed = failure(x, clock, pages)
    assert (failed.reason, type(failed)) == (reasons.X_BAD_PAYLOAD, TemporaryError)
    assert [name for name in pages.kept if "/runs/" not in name] == []
    assert len(x.requests) == 2  # an answer that may have been billed is not asked for again at once


def test_a_record_that_is_no_post_is_left_and_counted(x: FakeX, clock: Clock) -> None:
    page = {"data": [fake.tweet(2), {"id": "1"}], "errors": [{"title": "Not Found Error"}], "meta": {}}
    x.fault(answers.said(page), on="timeline")
    x.accounts["harbour_gull"].more = {"public_metrics": {"tweet_count": 2}}
    log = StringIO()
    source = an_x_source(x, clock, log=Log(log))
    assert len(list(source.read_posts())) == 1
    report = source.build_report()
    assert (report.claimed, report.left_out) == (2, {"unreadable": 1, "older": 0})
    (warning,) = report.warnings
    assert warning.reason == "PostsUnreadable"
    assert "1 records came without id or text" in warning.message
    (output,) = events(log, "x.page")
    assert (output["posts"], output["unreadable"], output["errors"]) == (2, 1, 1)


def test_no_token_is_in_any_log_or_message(x: FakeX, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("tweepy.client").setLevel(logging.DEBUG)
    log = StringIO()
    x.fault(answers.html(503), answers.rate_limited(None), on="user")
    x.fault(answers.problem(401, "about:blank", "Unauthorized", f"Bearer {SECRET}"), on="timeline")
    with pytest.raises(NotAuthorized) as raised:
        list(an_x_source(x, clock, log=Log(log)).read_posts())
    assert caplog.text  # the level reached somebody
    assert SECRET not in caplog.text + log.getvalue() + raised.value.message
    assert "Unauthorized" in raised.value.message


def test_a_wrong_token_is_reported(x: FakeX, clock: Clock) -> None:
    with pytest.raises(NotAuthorized):
        list(an_x_source(x, clock, token="wrong").read_posts())


def test_an_account_shows_itself_as_its_lookup_said(x: FakeX, clock: Clock) -> None:
    source = an_x_source(x, clock)
    assert source.read_profile() is None
    list(source.read_posts())
    cost = x.cost
    profile = source.read_profile()
    assert profile is not None
    assert (profile.account_id, profile.handle, profile.display_name) == ("1", "harbour_gull", "Harbour_Gull")
    assert profile.avatar is not None
    assert profile.avatar == fake.PNG
    assert x.requests[-1].path == "/pictures/Harbour_Gull_400x400.png"
    assert x.requests[-1].authorization == ""
    assert x.cost == cost


def test_an_account_without_a_picture_has_a_name(x: FakeX, clock: Clock) -> None:
    x.accounts["harbour_gull"].more = {"profile_image_url": None}
    source = an_x_source(x, clock)
    list(source.read_posts())
    profile = source.read_profile()
    assert profile is not None
    assert (profile.display_name, profile.avatar) == ("Harbour_Gull", None)
