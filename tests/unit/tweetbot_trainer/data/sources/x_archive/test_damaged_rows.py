"""Rows of an export that are no posts: a few are left out, many are refused with the first of them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.trainer import ObjectsInMemory, a_tweet, on_a_busy_machine, script, texts, tweets_js, zipped
from tweetbot_trainer.data.sources.interface import SourceReport
from tweetbot_trainer.data.sources.x_archive.source import XArchiveSource
from tweetbot_trainer.runtime.errors import SpecRefused


def read(members: dict[str, bytes]) -> tuple[list[str], SourceReport]:
    source = XArchiveSource("export", 0, ObjectsInMemory(export=zipped(members)))
    return texts(source.read_posts()), source.build_report()


def tweets(*rows: Any) -> dict[str, bytes]:
    return {"data/tweets.js": b"window.YTD.tweets.part0 = " + json.dumps(rows, indent=1).encode()}


def a_row(*removed: str, **changed: Any) -> dict[str, Any]:
    """Return a row without some keys, and with others changed."""
    row = a_tweet()["tweet"] | changed
    return {"tweet": {key: value for key, value in row.items() if key not in removed}}


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (None, "it is null, not an object"),
        (5, "it is 5, not an object"),
        ({"tweet": None}, "it is null, not an object"),
        (a_row("full_text"), "the post 1000000000000000001 has no text"),
        (a_row(full_text=None), "the post 1000000000000000001 has no text"),
        (a_row("id", "id_str"), "it has no id"),
        (a_row(id_str="abc"), "it has no id (abc)"),
        (
            a_row("id_str", id=1.38039e18),
            "the id 1.38039e+18 was rounded by the program",
        ),
        (
            a_row(id_str="1380391290000000000.0"),
            "the id 1380391290000000000.0 was rounded by the program",
        ),
    ],
)
def test_a_damaged_row_is_left_out_counted_and_named(row: Any, fault: str) -> None:
    kept, report = read(tweets(a_tweet("low tide", number=2), row))
    assert (kept, report.left_out["unreadable"]) == (["low tide"], 1)
    (warning,) = report.warnings
    assert warning.reason == "PostsUnreadable"
    assert "1 of 2 records cannot be read and was left out. The first is row 2, line " in warning.message
    assert f" of data/tweets.js in the zip: {fault}" in warning.message


@pytest.mark.parametrize(
    "ids",
    [{"id": 1500000000000000001}, {"id_str": 1500000000000000001}, {"id": 1.5e18, "id_str": "1500000000000000001"}],
)
def test_an_id_may_be_a_number(ids: dict[str, Any]) -> None:
    row = a_row("id", "id_str")["tweet"] | ids
    source = XArchiveSource("export", 0, ObjectsInMemory(export=zipped(tweets({"tweet": row}))))
    assert [post.id for post in source.read_posts()] == ["1500000000000000001"]


def test_the_line_is_that_of_an_editor() -> None:
    whole = {"tweet": {"id_str": "7", "full_text": "low tide"}}
    content = "window.YTD.tweets.part0 =\n[\n" + json.dumps(whole) + ",\n\n" + "null\n]"
    _, report = read({"data/tweets.js": content.encode()})
    assert "row 2, line 5 of data/tweets.js" in report.warnings[0].message


def test_an_export_of_damaged_rows_is_refused_with_the_first() -> None:
    rows = [a_tweet(number=number) for number in range(20)]
    with pytest.raises(
        SpecRefused, match=r"10 of 30 records cannot be read; at most 5 % may be\. The first is row 21, "
    ) as no:
        read(tweets(*rows, *[None] * 10))
    assert no.value.reason.name == "SourceUnreadable"


def test_damaged_rows_are_not_missing_where_the_manifest_counts_them() -> None:
    members = tweets(a_tweet("low tide"), None)
    counted = {"dataTypes": {"tweets": {"files": [{"fileName": "data/tweets.js", "count": "2"}]}}}
    _, report = read(members | {"data/manifest.js": b"window.__THAR_CONFIG = " + json.dumps(counted).encode()})
    assert (report.claimed, report.left_out) == (2, {"repeated": 0, "unreadable": 1})


def test_a_damaged_note_is_named_and_its_post_stays_cut() -> None:
    note = {"noteTweet": {"core": {"text": "whole"}, "tweetId": "5"}}
    notes = {"data/note-tweet.js": script("YTD.note_tweet.part0", [note, {"noteTweet": {"core": {}}}])}
    kept, report = read({"data/tweets.js": tweets_js(a_tweet("low tide"))} | notes)
    assert (kept, report.left_out) == (["low tide"], {"repeated": 0})
    assert "1 of 2 notes with the whole text of a long post cannot be read" in report.warnings[0].message


def test_a_line_of_the_table_with_cells_too_many_or_too_few_is_left_out() -> None:
    table = b'tweet_id,timestamp,text\n1,,low tide\n2,,"fog",extra\n3,\n1.38E+18,,fog\n'
    kept, report = read({"tweets.csv": table})
    assert (kept, report.left_out["unreadable"]) == (["low tide"], 3)
    assert (
        "row 2, line 3 of tweets.csv in the zip: it has more cells than the header names" in report.warnings[0].message
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (tweets_js(a_tweet()).decode().encode("utf-16"), "it is not UTF-8 but UTF-16"),
        (tweets_js(a_tweet()).decode().encode("utf-16-le"), "it is not UTF-8 but UTF-16"),
        (
            b'window.x = [{"tweet": {"id": "1", "text": "caf\xe9"}}]',
            "row 1, line 1, column 47: not UTF-8 but Windows-1252, it seems",
        ),
        (b"window.x = ", "line 1, column 12: 'the end' where '[' was expected"),
        (b"", "it is empty"),
    ],
)
def test_what_a_file_is_instead_of_rows_is_told(content: bytes, words: str) -> None:
    with pytest.raises(SpecRefused, match=r"data/tweets\.js in the zip is damaged") as no:
        read({"data/tweets.js": content})
    assert words in no.value.message


ROW: st.SearchStrategy[Any] = st.sampled_from(
    [None, 5, {}, {"tweet": {}}, *(a_tweet(f"tide {number}", number=number) for number in range(9))]
)


@on_a_busy_machine
@given(st.lists(ROW, max_size=12))
def test_every_row_is_read_or_left_out_under_a_name(rows: list[Any]) -> None:
    damaged = sum(not (isinstance(row, dict) and row.get("tweet")) for row in rows)
    if damaged > 3 or damaged == len(rows):
        with pytest.raises(SpecRefused):
            read(tweets(*rows))
    else:
        kept, report = read(tweets(*rows))
        assert (report.left_out.get("unreadable", 0), len(kept) + sum(report.left_out.values())) == (damaged, len(rows))
