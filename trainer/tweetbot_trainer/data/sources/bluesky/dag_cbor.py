"""DAG-CBOR, the strict form of CBOR that Bluesky's repositories hold: https://ipld.io/specs/codecs/dag-cbor/spec/."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: Records nest some ten levels deep.
DEPTH_LIMIT = 64
#: Version 1, any codec of one byte, SHA-256, 32 bytes: the only kind of address that the AT protocol has.
ADDRESS_LENGTH = 36
_LINK_TAG = 42
_SIMPLE = {20: False, 21: True, 22: None}


@dataclass(frozen=True, slots=True)
class Link:
    """A link to another block, by the SHA-256 of its content."""

    digest: bytes


def decoded(content: bytes) -> Any:
    """Return the value that a whole block holds: plain values and Links. Raises ValueError where it is damaged."""
    reader = _Reader(content)
    value = reader.item(0)
    if reader.at != len(content):
        raise ValueError("something stands behind the end of a value")
    return value


def digest_of(address: bytes) -> bytes:
    """Return the digest in a block's address. Raises ValueError for one of another kind."""
    if len(address) != ADDRESS_LENGTH or address[0] != 1 or address[1] >= 0x80 or address[2:4] != b"\x12\x20":
        raise ValueError("a block has an address of an unknown kind")
    return address[4:]


class _Reader:
    """Reads values one by one; what they claim to hold is believed only as far as there are bytes."""

    def __init__(self, content: bytes) -> None:
        self._content, self.at = content, 0

    def item(self, depth: int) -> Any:
        if depth > DEPTH_LIMIT:
            raise ValueError(f"values nest deeper than {DEPTH_LIMIT} levels")
        head = self._take(1)[0]
        kind, size = head >> 5, head & 31
        if kind == 7:
            return self._simple(size)
        return _KINDS[kind](self, self._number(size), depth)

    def bytes_of(self, length: int, _depth: int) -> bytes:
        return self._take(length)

    def text_of(self, length: int, _depth: int) -> str:
        return self._take(length).decode()

    def list_of(self, length: int, depth: int) -> list[Any]:
        return [self.item(depth + 1) for _ in range(length)]

    def map_of(self, length: int, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(length):
            key = self.item(depth + 1)
            if not isinstance(key, str):
                raise ValueError("a key is not a string")
            found[key] = self.item(depth + 1)
        return found

    def link_of(self, tag: int, depth: int) -> Link:
        address = self.item(depth + 1) if tag == _LINK_TAG else None
        if not isinstance(address, bytes) or address[:1] != b"\0":
            raise ValueError("a tag is not a link")
        return Link(digest_of(address[1:]))

    def _simple(self, size: int) -> Any:
        if size in _SIMPLE:
            return _SIMPLE[size]
        if size != 27:
            raise ValueError("a value is of an unknown kind")
        return struct.unpack(">d", self._take(8))[0]

    def _number(self, size: int) -> int:
        if size < 24:
            return size
        if size > 27:
            raise ValueError("a value has no definite length")
        return int.from_bytes(self._take(1 << (size - 24)), "big")

    def _take(self, length: int) -> bytes:
        taken = self._content[self.at : self.at + length]
        if len(taken) < length:
            raise ValueError("a value ends too early")
        self.at += length
        return taken


_KINDS: dict[int, Callable[[_Reader, int, int], Any]] = {
    0: lambda reader, number, depth: number,
    1: lambda reader, number, depth: -1 - number,
    2: _Reader.bytes_of,
    3: _Reader.text_of,
    4: _Reader.list_of,
    5: _Reader.map_of,
    6: _Reader.link_of,
}
