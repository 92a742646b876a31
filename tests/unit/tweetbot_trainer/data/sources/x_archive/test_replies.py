"""Replies in an export: to whom they are, and where their own text begins."""

from typing import Any

import pytest

from builders.trainer import ObjectsInMemory, a_tweet, script, tweets_js, zipped
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.x_archive.source import XArchiveSource

REPLY: dict[str, Any] = {"in_reply_to_status_id_str": "5", "in_reply_to_user_id_str": "77"}
MANIFEST = script("__THAR_CONFIG", {"userInfo": {"accountId": "1000000007", "userName": "harbour_gull"}})
ACCOUNT = script("YTD.account.part0", [{"account": {"accountId": "1000000007", "username": "harbour_gull"}}])


def a_post_of(row: dict[str, Any], **members: bytes) -> Post:
    files = {"data/tweets.js": tweets_js(row)} | {f"data/{name}.js": content for name, content in members.items()}
    (post,) = XArchiveSource("export", 0, ObjectsInMemory(export=zipped(files))).read_posts()
    return post


@pytest.mark.parametrize(
    ("shown", "own"),
    [
        ({"display_text_range": ["6", "30"]}, "@crab is right"),
        ({"display_text_range": [6, 30]}, "@crab is right"),
        ({"display_text_range": ["0", "30"]}, "is right"),
        ({"display_text_range": ["x"]}, "is right"),
        ({"display_text_range": []}, "is right"),
        ({}, "is right"),
    ],
)
def test_a_replys_own_text_begins_where_x_says_or_after_all_names(shown: dict[str, Any], own: str) -> None:
    post = a_post_of(a_tweet("@gull @crab is right", **REPLY, **shown))
    assert post.text[post.names_end :] == own


def test_a_post_that_is_no_reply_has_no_names_before_it() -> None:
    assert a_post_of(a_tweet("@gull is right", display_text_range=["6", "14"])).names_end == 0


@pytest.mark.parametrize("about", [{"manifest": MANIFEST}, {"account": ACCOUNT}], ids=["manifest", "account"])
@pytest.mark.parametrize(
    ("fields", "to_self"),
    [
        ({"in_reply_to_user_id_str": "1000000007"}, True),
        ({"in_reply_to_user_id": 1000000007}, True),
        ({"in_reply_to_user_id_str": "77", "in_reply_to_screen_name": "Harbour_Gull"}, False),
        ({"in_reply_to_status_id_str": "5", "in_reply_to_screen_name": "Harbour_Gull"}, True),
        ({"in_reply_to_screen_name": "Harbour_Gull"}, True),
        ({"in_reply_to_status_id_str": "5", "in_reply_to_screen_name": "crab"}, False),
        ({"in_reply_to_user_id_str": "77", "user": {"id": [], "screen_name": {}}}, False),
        ({"in_reply_to_status_id_str": "5"}, False),
        ({}, False),
    ],
)
def test_a_reply_is_to_oneself_by_id_or_else_by_name(
    about: dict[str, bytes], fields: dict[str, Any], to_self: bool
) -> None:
    assert a_post_of(a_tweet(**fields), **about).to_self is to_self


def test_without_an_account_nobody_is_oneself_but_whom_the_row_names() -> None:
    assert not a_post_of(a_tweet(in_reply_to_user_id_str="77")).to_self
    assert a_post_of(a_tweet(in_reply_to_user_id=77, user={"id_str": "77"})).to_self


def test_a_name_that_the_author_typed_at_the_start_of_a_thread_stays() -> None:
    row = a_tweet("@crab found soup", in_reply_to_user_id_str="1000000007", display_text_range=["0", "16"])
    assert a_post_of(row, manifest=MANIFEST).names_end == 0


@pytest.mark.parametrize(("start", "end"), [("@gull ", 6), ("", 0)])
def test_the_names_end_in_the_whole_text_of_a_long_reply(start: str, end: int) -> None:
    whole = "The tide came back with soup and nobody noticed, " * 8
    note = {"noteTweetId": "1", "tweetId": str(10**18 + 1), "core": {"text": start + whole}}
    row = a_tweet(f"@gull {'Another beginning, ' * 9}… https://t.co/a", **REPLY, display_text_range=["6", "200"])
    post = a_post_of(row, **{"note-tweet": script("YTD.note_tweet.part0", [{"noteTweet": note}])})
    assert (post.text, post.names_end) == (start + whole, end)
