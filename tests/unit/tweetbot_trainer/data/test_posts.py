"""The canonical record and its JSON form."""

import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.trainer import a_post, on_a_busy_machine
from tweetbot_trainer.data.lines import LINE_LIMIT, decode_lines, parse_lines
from tweetbot_trainer.data.posts import (
    BadPost,
    Post,
    dump_post,
    make_post_id,
    parse_json,
    parse_post,
    parse_time,
    replace_surrogates,
)

UTF8 = st.text(st.characters(exclude_categories=["Cs"]))
TIMES = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9000, 1, 1)).map(
    lambda at: at.replace(tzinfo=UTC, microsecond=at.microsecond // 1000 * 1000)
)
POSTS = st.builds(
    Post,
    id=UTF8.filter(bool).map(lambda text: text[:256]),
    text=UTF8,
    created_at=st.none() | TIMES,
    lang=st.none() | st.sampled_from(["en", "ja"]),
    source=st.integers(0, 2),
    retweet=st.booleans(),
    reply=st.booleans(),
    quote=st.booleans(),
    truncated=st.booleans(),
    to_self=st.booleans(),
)


def lines_of(text: bytes) -> list[Post]:
    return list(parse_lines(decode_lines(io.BytesIO(text)), parse_json))


@on_a_busy_machine
@given(POSTS)
def test_a_post_comes_back_from_json_as_it_was(post: Post) -> None:
    assert parse_post(json.loads(json.dumps(dump_post(post))), ordinal=0) == post


def test_only_text_is_required() -> None:
    assert lines_of(b'{"text": "low tide"}\n') == [Post(id=make_post_id("low tide", 0), text="low tide")]


@pytest.mark.parametrize(
    ("record", "end"),
    [
        ({"reply": True}, 6),
        ({"reply": "yes", "names_end": ""}, 6),
        ({"reply": True, "names_end": 0}, 0),
        ({"reply": True, "names_end": "12"}, 12),
        ({}, 0),
    ],
)
def test_a_reply_has_names_before_it_unless_its_record_says_where_they_end(record: dict[str, object], end: int) -> None:
    assert parse_post({"text": "@gull no, no"} | record, ordinal=0).names_end == end


def test_names_that_end_after_the_text_are_refused() -> None:
    with pytest.raises(BadPost, match="names_end is 9, but the text has 8 characters"):
        parse_post({"text": "low tide", "names_end": 9}, ordinal=0)


def test_the_same_text_on_two_lines_gets_two_ids() -> None:
    first, second = lines_of(b'{"text": "low tide"}\n\n{"text": "low tide"}')
    assert first.id != second.id


def test_numbers_may_stand_for_the_ids_of_an_edited_post() -> None:
    assert parse_post({"text": "low tide", "id": 2, "edits": [1, "2"]}, ordinal=0).edits == ("1", "2")


def test_a_number_may_stand_for_an_id() -> None:
    assert lines_of(b'{"id": 1234567890123456789, "text": "x"}')[0].id == "1234567890123456789"


@pytest.mark.parametrize("given", [1.38039e18, "1.38039E+18", "1380391290000000000.0"])
def test_an_id_that_lost_its_last_digits_is_refused(given: object) -> None:
    with pytest.raises(BadPost, match="was rounded by the program that wrote it; write ids as text"):
        parse_post({"id": given, "text": "x"}, ordinal=0)


@pytest.mark.parametrize(("given", "id"), [(7.0, "7"), ("7.0", "7.0"), ("12e5", "12e5"), (2**62 + 1, str(2**62 + 1))])
def test_an_id_that_is_exact_stays(given: object, id: str) -> None:
    assert parse_post({"id": given, "text": "x"}, ordinal=0).id == id


@pytest.mark.parametrize(
    "given",
    ["Fri Apr 09 04:54:00 +0000 2021", "2021-04-09T04:54:00.000Z", "2021-04-09T04:54:00", "2021-04-09T06:54:00+02:00"],
)
def test_times_are_read_in_every_form_that_sources_use(given: str) -> None:
    assert parse_time(given) == datetime(2021, 4, 9, 4, 54, tzinfo=UTC)


@pytest.mark.parametrize("given", ["", "yesterday", "Fri Foo 09 04:54:00 +0000 2021", "Fri Feb 31 04:54:00 +0000 2021"])
def test_what_is_no_time_is_refused(given: str) -> None:
    with pytest.raises(BadPost, match="is not a time"):
        parse_time(given)


def test_a_lone_surrogate_becomes_the_replacement_sign() -> None:
    assert lines_of(b'{"text": "\\ud83c\\udf0a \\ud83c"}')[0].text == "🌊 \ufffd"


def test_surrogate_pairs_are_joined() -> None:
    assert replace_surrogates("\ud83c\udf0a") == "🌊"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[1]", "not an object"),
        (b'{"id": "1"}', "the key text is missing"),
        (b'{"text": 1}', "the key text is missing"),
        (b'{"text": "x", "created_at": 5}', "created_at is not a string"),
        (b'{"text": "x", "retweet": "maybe"}', "retweet is 'maybe'"),
        (b'{"text": "x", "id": []}', "id is neither"),
        (b'{"text": "x", "edits": "1;2"}', "edits is not a list"),
        (b'{"text": "x", "edits": ["1", null]}', "an id in edits is neither"),
        (b'{"text": "x", "source": -1}', "source is not"),
        (b'{"text": "x", "schema": 2}', "schema 2 is unknown"),
        (b'{"text": "\xff"}', "not UTF-8"),
        (b'"' + b"x" * LINE_LIMIT + b'"', "longer than"),
    ],
)
def test_a_bad_line_is_named_by_its_number(line: bytes, fault: str) -> None:
    with pytest.raises(BadPost, match=rf"line 3: .*{fault}"):
        lines_of(b'{"text": "good"}\n\n' + line + b'\n{"text": "never read"}')


def test_a_byte_order_mark_at_the_start_is_no_fault() -> None:
    assert lines_of(b'\xef\xbb\xbf{"text": "x"}')[0].text == "x"


def test_a_post_knows_nothing_that_its_source_did_not_say() -> None:
    assert a_post().retweet is False
    assert a_post().lang is None
