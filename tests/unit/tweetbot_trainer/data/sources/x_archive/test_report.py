"""What an export's own lists count, compared with what it holds, file by file."""

import io
from typing import Any

import pytest

from archives.writing import render_grailbird_script
from builders.trainer import ObjectsInMemory, a_tweet, manifest_js, script, tweets_js, zipped
from tweetbot_trainer.data.posts import Json, Post
from tweetbot_trainer.data.sources.interface import SourceReport
from tweetbot_trainer.data.sources.x_archive.source import XArchiveSource
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log

TWEETS, PART, NOTES, COMMUNITY = (
    f"data/{name}.js" for name in ("tweets", "tweets-part1", "note-tweet", "community-tweet")
)
CUT = "The tide came back with soup, and nobody noticed, " * 5 + "… https://t.co/abc"


def read(members: dict[str, bytes]) -> tuple[list[Post], SourceReport]:
    source = XArchiveSource("export", 0, ObjectsInMemory(export=zipped(members)), Log(io.StringIO()))
    return list(source.read_posts()), source.build_report()


def rows(first: int, count: int) -> list[Json]:
    return [a_tweet(f"post {number}", number=number) for number in range(first, first + count)]


def messages(report: SourceReport) -> list[str]:
    assert {warning.reason for warning in report.warnings} <= {"SourceIrregular"}
    return [warning.message for warning in report.warnings]


def test_an_export_that_holds_what_its_list_counts_is_nothing_to_warn_about() -> None:
    members = {"data/manifest.js": manifest_js(TWEETS, PART, counts=[3, 2]), TWEETS: tweets_js(*rows(0, 3))}
    _, report = read(members | {PART: tweets_js(*rows(3, 2), part=1)})
    assert report == SourceReport(claimed=5, left_out={"repeated": 0})


def test_repeated_posts_are_counted_by_name() -> None:
    members = {"data/manifest.js": manifest_js(TWEETS, counts=[4]), TWEETS: tweets_js(*rows(0, 3), *rows(1, 1))}
    posts, report = read(members)
    assert (len(posts), report) == (3, SourceReport(claimed=4, left_out={"repeated": 1}))


def test_what_one_file_lacks_is_not_made_up_for_by_another() -> None:
    members = {"data/manifest.js": manifest_js(TWEETS, counts=[10]), TWEETS: tweets_js(*rows(0, 6))}
    posts, report = read(members | {PART: tweets_js(*rows(10, 9), part=1)})
    assert (len(posts), report.claimed) == (15, 19)
    assert messages(report) == [
        "sources[0] holds tweets-part1.js, not named by the export's own list; it was read nevertheless."
    ]


def test_a_list_that_counts_too_few_is_told_from_one_that_counts_enough() -> None:
    members = {"data/manifest.js": manifest_js(TWEETS, PART, counts=[1, 2]), TWEETS: tweets_js(*rows(0, 3))}
    _, report = read(members | {PART: tweets_js(*rows(3, 1), part=1)})
    assert report.claimed == 5
    assert messages(report) == [
        "sources[0] holds 3 posts in tweets.js, of which the export's own list counts 1; all were read."
    ]


@pytest.mark.parametrize("count", ["", "many", None, "-1", "1" * 12, "٣"])
def test_a_count_that_is_no_number_says_nothing(count: Any) -> None:
    members = {"data/manifest.js": manifest_js(TWEETS, counts=[count]), TWEETS: tweets_js(*rows(0, 3))}
    assert read(members)[1] == SourceReport(left_out={"repeated": 0})


def test_posts_of_communities_that_were_taken_out_are_missing() -> None:
    manifest = manifest_js(TWEETS, COMMUNITY, counts=[3, 7])
    _, report = read({"data/manifest.js": manifest, TWEETS: tweets_js(*rows(0, 3))})
    assert report.claimed == 10
    assert "lacks community-tweet.js, of which the export's own list counts 7 posts" in messages(report)[0]


@pytest.mark.parametrize("file", [COMMUNITY, NOTES, PART])
def test_a_file_that_the_list_calls_empty_may_be_absent(file: str) -> None:
    members = {"data/manifest.js": manifest_js(TWEETS, file, counts=[3, 0]), TWEETS: tweets_js(*rows(0, 3))}
    assert read(members)[1] == SourceReport(claimed=3, left_out={"repeated": 0})


def test_a_part_that_the_list_counts_and_nobody_packed_ends_the_run() -> None:
    members = {"data/manifest.js": manifest_js(TWEETS, PART, counts=[3, 1]), TWEETS: tweets_js(*rows(0, 3))}
    with pytest.raises(SpecRefused, match=r"its own list names tweets-part1\.js, which is not in it; add tweets-part1"):
        read(members)


def test_notes_are_no_posts_and_are_not_claimed() -> None:
    note = script("YTD.note_tweet.part0", [{"noteTweet": {"core": {"text": "long"}}}])
    members = {"data/manifest.js": manifest_js(TWEETS, NOTES, counts=[3, 1]), TWEETS: tweets_js(*rows(0, 3))}
    assert read(members | {NOTES: note})[1] == SourceReport(claimed=3, left_out={"repeated": 0})


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ({"data/manifest.js": manifest_js(TWEETS, NOTES, counts=[2, 5])}, "whole text of 5 long posts.*(1 found)"),
        ({}, "lacks note-tweet.js with the whole text of long posts: 1 post cut and left out"),
    ],
)
def test_posts_that_are_cut_and_have_no_notes_are_truncated(manifest: dict[str, bytes], words: str) -> None:
    posts, report = read(manifest | {TWEETS: tweets_js(a_tweet(CUT), a_tweet("short… https://t.co/a", number=2))})
    assert {post.text: post.truncated for post in posts} == {CUT: True, "short… https://t.co/a": False}
    (message,) = messages(report)
    assert words.split(".*")[0] in message
    assert words.split(".*")[-1] in message


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        (CUT, True),
        (CUT + " https://t.co/photo", True),
        ("今夜は霧が深い。" * 15 + "… https://t.co/abc", True),
        (CUT.replace("…", ""), False),
        (CUT.removesuffix(" https://t.co/abc"), False),
        ("x" * 199 + "… https://t.co/abc", False),
        ("RT @gull: " + CUT, False),
    ],
)
def test_a_cut_post_ends_with_an_ellipsis_and_the_link_to_the_whole(text: str, cut: bool) -> None:
    mentions = {"user_mentions": [{"screen_name": "gull"}]}
    (post,) = read({TWEETS: tweets_js(a_tweet(text, entities=mentions))})[0]
    assert post.truncated is cut


def test_with_notes_only_a_note_says_what_is_cut() -> None:
    note = script("YTD.note_tweet.part0", [{"noteTweet": {"core": {"text": "long"}}}])
    assert not read({TWEETS: tweets_js(a_tweet(CUT)), NOTES: note})[0][0].truncated


def test_a_part_of_an_export_is_read_with_a_warning() -> None:
    manifest = manifest_js(TWEETS, counts=[3], partial=True)
    _, report = read({"data/manifest.js": manifest, TWEETS: tweets_js(*rows(0, 3))})
    assert "sources[0] is one of several archives of an export" in messages(report)[0]


@pytest.mark.parametrize("name", ["tweets (1).js", "tweets-part1 copy.js", "tweets-part01234.js", "note-tweet_2.js"])
def test_a_file_that_is_almost_named_like_one_with_posts_is_named(name: str) -> None:
    _, report = read({TWEETS: tweets_js(*rows(0, 3)), f"data/{name}": b"x"})
    assert f"holds data/{name}, not read" in messages(report)[0]


@pytest.mark.parametrize(
    "name", ["data/tweet-headers.js", "data/tweetdeck.js", "assets/tweets.js", "data/deleted-tweets.js"]
)
def test_other_files_of_an_export_are_not(name: str) -> None:
    assert read({TWEETS: tweets_js(*rows(0, 3)), name: b"x"})[1].warnings == ()


def test_a_month_is_compared_with_the_index() -> None:
    months = {month: [row["tweet"] for row in rows(first, 2)] for month, first in (("2013_02", 0), ("2013_03", 2))}
    scripts = {
        f"data/js/tweets/{name}.js": render_grailbird_script(f"Grailbird.data.tweets_{name}", tweets)
        for name, tweets in months.items()
    }
    index = [{"file_name": f"data/js/tweets/{name}.js", "tweet_count": 3} for name in months]
    table = b'"tweet_id","timestamp","text"\n"1000000000000000001","","a copy"\n"5","","only here"\n'
    listed = {"data/js/tweet_index.js": render_grailbird_script("var tweet_index", index), "tweets.csv": table}
    posts, report = read(scripts | listed)
    assert (len(posts), report) == (5, SourceReport(claimed=7, left_out={"repeated": 0}))


def test_an_empty_list_where_the_manifest_counts_posts_is_no_account_without_posts() -> None:
    _, report = read({"data/manifest.js": manifest_js(TWEETS, counts=[140]), TWEETS: tweets_js()})
    assert report.claimed == 140
