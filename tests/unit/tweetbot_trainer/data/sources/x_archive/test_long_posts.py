"""Long posts: whose note it is, and what of the cut post stays."""

from typing import Any

import pytest

from builders.trainer import ObjectsInMemory, a_tweet, script, texts, tweets_js, zipped
from tweetbot_trainer.data.sources.x_archive.source import XArchiveSource

NOTE = "The tide came back with soup and nobody noticed, " * 8
CUT = NOTE[:275] + "… https://t.co/abc"
SECOND = "2021-04-09T04:54:00.400Z"
JAPANESE = "港の灯台は今夜も海を見ている。" * 11


def a_note(text: str = NOTE, **fields: Any) -> bytes:
    note = {"noteTweetId": "1", "createdAt": SECOND, "core": {"text": text}} | fields
    return script("YTD.note_tweet.part0", [{"noteTweet": note}])


def joined(cut: str, note: bytes) -> list[str]:
    members = {"data/tweets.js": tweets_js(a_tweet(cut)), "data/note-tweet.js": note}
    return texts(XArchiveSource("export", 0, ObjectsInMemory(export=zipped(members))).read_posts())


@pytest.mark.parametrize(
    "note",
    [
        a_note(),
        a_note(core=None, noteTweetResults={"text": NOTE}, tweetId=str(10**18 + 1), createdAt=None),
        a_note(core=None, noteTweetContents={"text": NOTE}),
        a_note(createdAt="2021-04-09T04:53:59.700Z"),
    ],
    ids=["core", "results", "contents", "just before"],
)
def test_a_cut_post_gets_its_notes_text(note: bytes) -> None:
    assert joined(CUT, note) == [NOTE]


def test_a_long_reply_keeps_the_names_before_its_note() -> None:
    assert joined("@crab " + CUT, a_note()) == ["@crab " + NOTE]


def test_entities_in_the_cut_text_do_not_hide_its_note() -> None:
    note = "fish & chips > soup, " * 20
    cut = note.replace("&", "&amp;").replace(">", "&gt;")[:300] + "…"
    assert joined(cut, a_note(note)) == [note]


@pytest.mark.parametrize("note", [a_note("Another beginning. " * 20), a_note(createdAt="2021-04-09T04:54:01.000Z")])
def test_a_note_of_another_text_or_time_is_not_taken(note: bytes) -> None:
    assert joined(CUT, note) == [CUT]


@pytest.mark.parametrize(
    "cut",
    [
        JAPANESE[:130] + "… https://t.co/abc",
        JAPANESE[:130] + "…\nhttps://t.co/abc https://t.co/photo",
        JAPANESE[:130] + "…",
        "@crab @gull " + JAPANESE[:100] + "… https://t.co/abc",
    ],
)
def test_a_post_that_shows_less_than_two_hundred_characters_finds_its_note(cut: str) -> None:
    assert joined(cut, a_note(JAPANESE))[0].endswith(JAPANESE)


def test_a_link_that_the_note_writes_otherwise_does_not_hide_it() -> None:
    beginning = "The whole story of the tide that came back with soup is output at "
    note = f"{beginning}https://harbour.example/soup {NOTE}"
    assert joined(f"{beginning}https://t.co/soup {NOTE[:150]}… https://t.co/abc", a_note(note)) == [note]


def test_a_note_that_names_its_tweet_needs_no_time_and_no_text() -> None:
    assert joined("cut in another way", a_note(createdAt=None, tweetId=str(10**18 + 1))) == [NOTE]


@pytest.mark.parametrize("cut", ["", "The tide", "https://t.co/abc", "@crab @gull @seal @pelican", "…" * 50])
def test_a_post_that_shows_little_is_no_cut_one(cut: str) -> None:
    assert joined(cut, a_note()) == [cut]


def test_of_two_notes_in_a_second_the_one_with_the_same_beginning_is_taken() -> None:
    notes = [{"noteTweet": {"createdAt": SECOND, "core": {"text": text}}} for text in ("Another. " * 40, NOTE)]
    assert joined(CUT, script("YTD.note_tweet.part0", notes)) == [NOTE]
