"""Records of Meta's exports."""

from datetime import UTC, datetime
from typing import Any

import pytest

from archives.meta import POSTED, make_album, make_medium, make_thread, spoil
from tweetbot_trainer.data.posts import BadPost, Post
from tweetbot_trainer.data.sources.meta.records import parse_record, repair_text


def parsed(record: Any) -> Post:
    post = parse_record(spoil(record), 1)
    assert post is not None
    return post


def test_a_thread_is_the_title_of_its_medium() -> None:
    post = parsed(make_thread("low tide & <b>no</b> soup"))
    assert (post.text, post.source, post.lang) == ("low tide &amp; &lt;b&gt;no&lt;/b&gt; soup", 1, None)
    assert post.created_at == datetime.fromtimestamp(POSTED, UTC)
    assert (post.retweet, post.reply, post.quote) == (False, False, False)


def test_an_album_has_its_own_title() -> None:
    assert parsed(make_album("three photos")).text == "three photos"


@pytest.mark.parametrize("record", [make_thread("no", reply=True), make_album("no", reply=True)])
def test_a_reply_says_so(record: Any) -> None:
    assert parsed(record).reply


def test_a_picture_without_words_is_a_post_without_text() -> None:
    assert parsed({"media": [make_medium(uri="media/posts/1.jpg")]}).text == ""


@pytest.mark.parametrize("record", [{}, {"media": []}, make_thread(""), make_thread("  "), {"media": None}])
def test_a_record_with_neither_words_nor_picture_is_no_post(record: Any) -> None:
    assert parse_record(record, 0) is None


@pytest.mark.parametrize(
    "text", ["low tide", "the café", "“eyes” 👀", "霧が深い", "Ä\u0080", "naïve — Москва", "\x92", "a\nb", ""]
)
def test_spoiled_text_is_put_right(text: str) -> None:
    assert repair_text(spoil(text)) == text


@pytest.mark.parametrize("text", ["the café", "“eyes” 👀", "霧が深い", "naïve — Москва", "«CAFÉ»", "ß", "ÿ"])
def test_text_that_is_right_stays(text: str) -> None:
    assert repair_text(text) == text


def test_half_a_letter_does_no_harm() -> None:
    assert repair_text("gull \ud83d") == "gull \ufffd"
    assert repair_text(spoil("gull 👀")[:-1]).startswith("gull ")


def test_an_id_depends_on_time_and_text_alone() -> None:
    first, moved = make_thread("fog", number=1), make_thread("fog", number=1, uri="media/elsewhere.jpg")
    others = [make_thread("fog", number=2), make_thread("tide", number=1)]
    assert parsed(first).id == parsed(moved).id
    assert len({parsed(one).id for one in [first, *others]}) == 3


@pytest.mark.parametrize("stamp", [None, 0, -5, "1754466859", 10**30, 1e300, float("nan"), [1], 10**12])
def test_a_time_that_is_none_is_left_out(stamp: Any) -> None:
    assert parsed({"title": "fog", "creation_timestamp": stamp}).created_at is None


@pytest.mark.parametrize(
    ("record", "fault"),
    [(5, "not an object"), ({"title": 5}, "title is not a string"), ({"media": "x"}, "media is not a list")],
)
def test_a_damaged_record_is_named(record: Any, fault: str) -> None:
    with pytest.raises(BadPost, match=fault):
        parse_record(record, 0)
