"""The strict form of CBOR that Bluesky's repositories hold."""

import contextlib
import tracemalloc
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
        ("0000", "goes on after its value"),
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


@pytest.mark.parametrize("head", [b"\x9a%s", b"\xba%s\x61a"], ids=["lists", "maps"])
def test_nested_lengths_that_lie_take_no_memory(head: bytes) -> None:
    """libipld reserves what each of 990 maps claims: 2.5 GB for 128 KiB (decision 22)."""
    content = (head % (60_000).to_bytes(4, "big") * 990).ljust(2 * 65536, b"\0")
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"nest deeper"):
            decode_cbor(content)
        assert tracemalloc.get_traced_memory()[1] < 1024**2
    finally:
        tracemalloc.stop()
