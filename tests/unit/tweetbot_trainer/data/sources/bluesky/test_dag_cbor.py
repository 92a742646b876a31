"""The strict form of CBOR that Bluesky's repositories hold."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.trainer import on_a_busy_machine
from tweetbot_fakes.remotes.bluesky_repository import Cid, encoded
from tweetbot_trainer.data.sources.bluesky.dag_cbor import Link, decode_cbor

NUMBERS = st.integers(-(2**64), 2**64 - 1)
PLAIN = st.none() | st.booleans() | NUMBERS | st.binary(max_size=300) | st.text(max_size=100)
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@on_a_busy_machine
@given(VALUES)
def test_what_is_written_is_read(value: Any) -> None:
    assert decode_cbor(encoded(value)) == value


def test_links_and_floats_are_read() -> None:
    assert decode_cbor(encoded({"a": [Cid.of(b"x")]})) == {"a": [Link(Cid.of(b"x").raw[4:])]}
    assert decode_cbor(bytes.fromhex("fb3ff8000000000000")) == 1.5


@on_a_busy_machine
@given(st.binary(max_size=200))
def test_other_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode_cbor(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "ends too early"),
        ("6261", "ends too early"),
        ("9bffffffffffffffff", "ends too early"),
        ("bb00000000ffffffff", "ends too early"),
        ("5bffffffffffffffff", "ends too early"),
        ("0000", "behind the end"),
        ("5f41ff", "no definite length"),
        ("f97e00", "an unknown kind"),
        ("a10101", "a key is not a string"),
        ("c101", "a tag is not a link"),
        ("d82a4100", "an address of an unknown kind"),
        ("d82a6100", "a tag is not a link"),
        ("61ff", "utf-8"),
    ],
)
def test_what_is_wrong_is_said(content: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        decode_cbor(bytes.fromhex(content))


def test_nesting_is_bounded() -> None:
    with pytest.raises(ValueError, match="nest deeper"):
        decode_cbor(b"\x81" * 100_000 + b"\x00")
