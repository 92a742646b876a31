"""Rows of Reddit's tables."""

from datetime import UTC, datetime

import pytest

from archives.reddit import make_comment, make_post
from tweetbot_trainer.data.posts import BadPost
from tweetbot_trainer.data.sources.reddit.records import find_thread, parse_comment, parse_submission


def test_a_post_is_its_title_and_its_text() -> None:
    post = parse_submission(make_post(2, "Low tide", "No soup."), 1)
    assert post is not None
    assert (post.id, post.text, post.source) == ("t3_post2", "Low tide\n\nNo soup.", 1)
    assert post.created_at == datetime(2024, 3, 2, 12, 30, 10, tzinfo=UTC)
    assert (post.retweet, post.reply, post.quote, post.lang) == (False, False, False, None)


def test_a_comment_is_a_reply() -> None:
    post = parse_comment(make_comment(1, "It does."), 0)
    assert post is not None
    assert (post.id, post.text, post.reply, post.to_self) == ("t1_comment1", "It does.", True, False)


@pytest.mark.parametrize(
    ("cells", "to_self"),
    [
        ({"parent": "comment7"}, True),
        ({"parent": "t1_comment7"}, True),
        ({"parent": "t3_post7"}, True),
        ({"parent": "t1_other"}, False),
        ({"link": "https://www.reddit.com/r/harbour/comments/post7/low_tide/"}, True),
        ({"link": "https://www.reddit.com/r/harbour/comments/post7/low_tide/", "parent": "t1_other"}, False),
    ],
)
def test_a_comment_below_ones_own_words_is_to_oneself(cells: dict[str, str], to_self: bool) -> None:
    post = parse_comment(make_comment(1, "It does.", **cells), 0, {"t1_comment7", "t3_post7"})
    assert post is not None
    assert post.to_self is to_self


@pytest.mark.parametrize("body", ["[deleted]", "[removed]", " [ Removed by Reddit ] ", "[deleted by user]"])
def test_what_was_removed_is_no_post(body: str) -> None:
    assert parse_submission(make_post(1, "A title", body), 0) is None
    assert parse_submission(make_post(1, body), 0) is None
    assert parse_comment(make_comment(1, body), 0) is None


@pytest.mark.parametrize(
    ("cells", "repost"),
    [
        ({"url": "https://www.reddit.com/r/ferries/comments/other1/a_ferry/"}, True),
        ({"url": "/r/ferries/comments/other1/a_ferry/"}, True),
        ({"url": "https://redd.it/other1"}, True),
        ({"url": "https://www.reddit.com/r/ferries/comments/other1/", "body": "My own words on it."}, False),
        ({}, False),
        ({"url": ""}, False),
        ({"url": "https://i.redd.it/gull.jpg"}, False),
        ({"url": "https://www.reddit.com/gallery/other1"}, False),
        ({"url": "https://harbour.example/comments/other1"}, False),
    ],
)
def test_a_post_that_only_leads_to_another_thread_is_a_repost(cells: dict[str, str], repost: bool) -> None:
    post = parse_submission(make_post(1, "A ferry", **cells), 0)
    assert post is not None
    assert post.retweet is repost


def test_a_row_without_a_time_is_a_post() -> None:
    post = parse_submission(make_post(1, "Fog", date="soon"), 0)
    assert post is not None
    assert post.created_at is None


@pytest.mark.parametrize("id", ["", "two words", "x" * 40])
def test_a_row_without_an_id_is_damaged(id: str) -> None:
    with pytest.raises(BadPost, match="is no id of Reddit"):
        parse_comment(make_comment(1, "It does.", id=id), 0)


def test_an_id_may_name_its_kind_already() -> None:
    post = parse_submission(make_post(1, "Fog", id="t3_abc"), 0)
    assert post is not None
    assert post.id == find_thread("https://old.reddit.com/comments/abc") == "t3_abc"
