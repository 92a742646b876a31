"""The export of 2012 to 2018: what its table and its scripts say that later forms do not."""

from random import Random
from typing import Any

import pytest

from archives.writing import render_grailbird_script
from builders.trainer import ObjectsInMemory, a_tweet, mentioning, texts, tweets_js, zipped
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.x_archive.source import XArchiveSource
from tweetbot_trainer.runtime.errors import SpecRefused

HEADER = b'"tweet_id","timestamp","text"\n'


def posts_in(members: dict[str, bytes]) -> list[Post]:
    return list(XArchiveSource("export", 0, ObjectsInMemory(export=zipped(members))).read_posts())


def month(*rows: dict[str, Any]) -> bytes:
    return render_grailbird_script("Grailbird.data.tweets_2013_02", [row["tweet"] for row in rows])


@pytest.mark.parametrize(("original", "retweet"), [({"id_str": "7", "text": "low tide"}, True), (None, False)])
def test_a_retweet_is_what_holds_the_original(original: Any, retweet: bool) -> None:
    row = a_tweet("RT @gull: low tide", entities=mentioning("gull"), retweeted_status=original)
    assert posts_in({"data/js/tweets/2013_02.js": month(row)})[0].retweet is retweet


@pytest.mark.parametrize(
    "at", ["2013-02-28 10:02:36 +0000", "2013-02-28 12:02:36 +0200", "Thu Feb 28 10:02:36 +0000 2013"]
)
def test_a_time_may_be_written_in_both_ways_of_those_years(at: str) -> None:
    post = posts_in({"data/js/tweets/2013_02.js": month(a_tweet(created_at=at))})[0]
    assert post.created_at is not None
    assert post.created_at.isoformat() == "2013-02-28T10:02:36+00:00"


def test_a_post_that_only_the_table_holds_is_read_from_there() -> None:
    table = HEADER + b'"1000000000000000001","2013-02-28 10:02:36 +0000","in both"\n"5","","only here, ""so"""\n'
    members = {"data/js/tweets/2013_02.js": month(a_tweet("in both", number=1)), "tweets.csv": table}
    assert texts(posts_in(members)) == ["in both", 'only here, "so"']


def test_a_table_of_somebody_elses_beside_todays_form_is_not_opened() -> None:
    assert len(posts_in({"data/tweets.js": tweets_js(a_tweet()), "tweets.csv": b"name,price\nfish,2\n"})) == 1


@pytest.mark.parametrize(
    ("table", "reason", "words"),
    [
        (b"name,price\nfish,2\n", "SourceNotAnExport", "is no table of tweets: it has no column tweet_id"),
        (b"", "SourceNotAnExport", "is no table of tweets"),
        (HEADER + b'"1","2013-02-28 10:02:36 +0000"\n', "SourceUnreadable", "the post 1 has no text"),
        (HEADER + b'"1","2013-02-28 10:02:36 +0000","no end\n', "SourceUnreadable", "is damaged"),
        (HEADER + b'"1","2013-02-28 10:02:36 +0000","\xff"\n', "SourceUnreadable", "is damaged"),
        (HEADER + b'"1","","' + b"x" * 200_000 + b'"\n', "SourceUnreadable", "is damaged"),
        (
            HEADER + Random(1).randbytes(600_000).hex().encode(),
            "SourceUnreadable",
            "is damaged .line 2: longer than 1048576 bytes",
        ),
    ],
)
def test_a_table_that_cannot_be_read_is_named(table: bytes, reason: str, words: str) -> None:
    with pytest.raises(SpecRefused, match=rf"tweets\.csv in the zip.*{words}") as failure:
        posts_in({"tweets.csv": table})
    assert failure.value.reason.name == reason
