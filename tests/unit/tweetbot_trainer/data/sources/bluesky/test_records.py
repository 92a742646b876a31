"""Records of Bluesky as posts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.trainer import on_a_busy_machine
from tweetbot_fakes.remotes.bluesky import key_of, record
from tweetbot_trainer.data.sources.bluesky.records import decode_tid_time, parse_post_record

URI = f"at://did:plc:gull/app.bsky.feed.post/{key_of(1)}"


def link(text: str, shown: str, address: str) -> dict[str, Any]:
    """Return the facet of a link that is shown so in the text."""
    start = text.encode().index(shown.encode())
    index = {"byteStart": start, "byteEnd": start + len(shown.encode())}
    return {"index": index, "features": [{"$type": "app.bsky.richtext.facet#link", "uri": address}]}


def text_of(text: str, *facets: Any) -> str:
    post = parse_post_record(record(1, text, facets=list(facets)), uri=URI, source=0)
    assert post is not None
    return post.text


def test_a_cut_link_is_written_whole() -> None:
    text = "🌊 fog at example.com/har… and www.example.org today"
    first = link(text, "example.com/har…", "https://example.com/harbour?a=1&b=2")
    second = link(text, "www.example.org", "https://www.example.org")
    assert text_of(text, second, first) == (
        "🌊 fog at https://example.com/harbour?a=1&amp;b=2 and https://www.example.org today"
    )


def test_words_that_carry_a_link_stay() -> None:
    text = "read it here"
    assert text_of(text, link(text, "here", "https://here.example.com")) == text


@pytest.mark.parametrize(
    "index",
    [
        {"byteStart": 5, "byteEnd": 2},
        {"byteStart": -3, "byteEnd": 4},
        {"byteStart": 0, "byteEnd": 999},
        {"byteStart": "0", "byteEnd": 11},
        {"byteStart": 1, "byteEnd": 11},
        {},
        None,
    ],
)
def test_a_facet_that_fits_nowhere_changes_nothing(index: Any) -> None:
    facet = {"index": index, "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://example.com/a"}]}
    assert text_of("🌊example.com", facet) == "🌊example.com"


@pytest.mark.parametrize("facets", [None, {}, "x", [None], [{"index": {}, "features": [None]}], [{"features": 1}]])
def test_facets_of_another_shape_change_nothing(facets: Any) -> None:
    post = parse_post_record(record(1, "fog", facets=facets), uri=URI, source=0)
    assert post is not None
    assert post.text == "fog"


@pytest.mark.parametrize(
    ("langs", "lang"),
    [
        (["en"], "en"),
        (["pt-BR", "en"], "pt"),
        (["JA"], "ja"),
        ([], None),
        (None, None),
        (["english"], None),
        ([1], None),
    ],
)
def test_the_first_language_counts(langs: Any, lang: str | None) -> None:
    post = parse_post_record(record(1, langs=langs), uri=URI, source=0)
    assert post is not None
    assert post.lang == lang


@pytest.mark.parametrize("given", ["yesterday", None, 5])
def test_a_post_without_a_time_has_its_keys(given: Any) -> None:
    post = parse_post_record(record(1, createdAt=given), uri=URI, source=0)
    assert post is not None
    assert post.created_at is not None
    assert post.created_at.isoformat() == "2024-01-01T00:00:01+00:00"


@pytest.mark.parametrize("key", ["self", "", "zzzzzzzzzzzzz", "3jzfcijpj2z2A"])
def test_a_key_of_another_kind_has_no_time(key: str) -> None:
    assert decode_tid_time(key) is None


@pytest.mark.parametrize("thing", [None, 1, [], {}, {"text": None}, {"text": ["fog"]}])
def test_a_record_without_text_is_no_post(thing: Any) -> None:
    assert parse_post_record(thing, uri=URI, source=0) is None


@on_a_busy_machine
@given(
    st.text(max_size=40),
    st.lists(st.tuples(st.integers(-2, 50), st.integers(-2, 50), st.text(max_size=10)), max_size=4),
)
def test_no_facet_breaks_a_text(text: str, places: list[tuple[int, int, str]]) -> None:
    facets = [
        {"index": {"byteStart": a, "byteEnd": b}, "features": [{"$type": "app.bsky.richtext.facet#link", "uri": uri}]}
        for a, b, uri in places
    ]
    assert "\ufffd" not in text_of(text, *facets) or "\ufffd" in text or any("\ufffd" in uri for _, _, uri in places)


@pytest.mark.parametrize(
    ("parent", "to_self"),
    [
        ({"uri": "at://did:plc:gull/app.bsky.feed.post/3kaaaaaaaaaa2"}, True),
        ({"uri": "at://did:plc:gull2/app.bsky.feed.post/3kaaaaaaaaaa2"}, False),
        ({"uri": 7}, False),
        (None, False),
    ],
)
def test_a_reply_is_to_oneself_where_the_parent_is_in_the_same_repository(parent: Any, to_self: bool) -> None:
    post = parse_post_record(record(1, "and so on", reply={"root": {}, "parent": parent}), uri=URI, source=0)
    assert post is not None
    assert (post.reply, post.to_self) == (True, to_self)
