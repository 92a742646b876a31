"""Posts of which an export has only the beginning: they are marked, and the whole text counts wherever it is."""

from typing import Any

import pytest

from archives.writing import render_grailbird_script
from builders.trainer import ObjectsInMemory, a_tweet, script, tweets_js, zipped
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.x_archive.source import XArchiveSource

ID = 10**18 + 1
CUT = "small cold shore through wind and salt… https://t.co/abc0"
WHOLE = "small cold shore through wind and salt, where the heron counts the boats"


def posts_in(members: dict[str, bytes]) -> list[Post]:
    return list(XArchiveSource("export", 0, ObjectsInMemory(export=zipped(members))).read_posts())


def linked(address: str) -> dict[str, Any]:
    return {"user_mentions": [], "urls": [{"url": "https://t.co/abc0", "expanded_url": address}]}


def month(*rows: dict[str, Any]) -> bytes:
    return render_grailbird_script("Grailbird.data.tweets_2018_03", [row["tweet"] for row in rows])


@pytest.mark.parametrize(
    ("fields", "truncated"),
    [
        ({"truncated": True}, True),
        ({"truncated": "true"}, True),
        ({"truncated": False}, False),
        ({"entities": linked(f"https://twitter.com/i/web/status/{ID}")}, True),
        ({"entities": linked(f"https://x.com/harbour_gull/status/{ID}")}, True),
        ({"entities": linked("https://twitter.com/i/web/status/7")}, False),  # somebody else's post
        ({"entities": linked("https://harbour.example/heron")}, False),  # an author's own ellipsis
        ({}, False),
    ],
)
def test_a_row_is_cut_where_x_says_so_or_links_to_its_whole(fields: dict[str, Any], truncated: bool) -> None:
    assert posts_in({"data/tweets.js": tweets_js(a_tweet(CUT, **fields))})[0].truncated is truncated


def test_a_link_to_the_post_itself_is_no_cut_without_an_ellipsis() -> None:
    row = a_tweet("see this https://t.co/abc0", entities=linked(f"https://twitter.com/i/web/status/{ID}"))
    assert not posts_in({"data/tweets.js": tweets_js(row)})[0].truncated


def test_a_month_marks_its_cut_rows() -> None:
    assert posts_in({"data/js/tweets/2018_03.js": month(a_tweet(CUT, truncated=True))})[0].truncated


@pytest.mark.parametrize("first", [True, False], ids=["cut first", "whole first"])
def test_of_an_id_seen_twice_the_whole_one_counts(first: bool) -> None:
    rows = [a_tweet(CUT, truncated=True), a_tweet(WHOLE)]
    one, other = rows if first else rows[::-1]
    community = script("YTD.community_tweet.part0", [other])
    found = posts_in({"data/tweets.js": tweets_js(one), "data/community-tweet.js": community})
    assert [(post.text, post.truncated) for post in found] == [(WHOLE, False)]


def test_the_same_cut_text_elsewhere_is_not_the_whole_one() -> None:
    table = f'"tweet_id","timestamp","text"\n"{ID}","2018-03-28 10:02:36 +0000","{CUT}"\n'.encode()
    (post,) = posts_in({"data/js/tweets/2018_03.js": month(a_tweet(CUT, truncated=True)), "tweets.csv": table})
    assert post.truncated


def test_a_post_that_is_cut_everywhere_comes_once_and_last() -> None:
    rows = [a_tweet(CUT, truncated=True), a_tweet(f"{CUT}def", truncated=True), a_tweet("low tide", number=2)]
    assert [post.id for post in posts_in({"data/tweets.js": tweets_js(*rows)})] == [str(ID + 1), str(ID)]


def test_a_note_completes_a_row_that_is_marked_as_cut() -> None:
    note = {"noteTweetId": "1", "tweetId": str(ID), "core": {"text": WHOLE * 4}}
    notes = script("YTD.note_tweet.part0", [{"noteTweet": note}])
    (post,) = posts_in({"data/tweets.js": tweets_js(a_tweet(CUT, truncated=True)), "data/note-tweet.js": notes})
    assert (post.text, post.truncated) == (WHOLE * 4, False)
