"""DAG-CBOR, the strict form of CBOR in Bluesky's repositories: https://ipld.io/specs/codecs/dag-cbor/spec/."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: Records nest some ten levels deep.
DEPTH_LIMIT = 64
#: Version 1, a codec of one byte, SHA-256, 32 bytes: the only kind of address in the AT protocol.
ADDRESS_LENGTH = 36
_LINK_TAG = 42
_SIMPLE = {20: False, 21: True, 22: None}


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a block by the SHA-256 of its content."""

    digest: bytes


def decode_cbor(content: bytes) -> Any:
    """Decode a whole block to plain values and Links. Raises ValueError."""
    reader = _Reader(content)
    value = reader.read_item(0)
    if reader.at != len(content):
        raise ValueError("a block goes on after its value")
    return value


def get_digest(address: bytes) -> bytes:
    """Return the digest in a block's address. Raises ValueError for other kinds of addresses."""
    if len(address) != ADDRESS_LENGTH or address[0] != 1 or address[1] >= 0x80 or address[2:4] != b"\x12\x20":
        raise ValueError("a block has an address of an unknown kind")
    return address[4:]


class _Reader:
    """Reads values one by one; the lengths that they claim reserve no memory."""

    def __init__(self, content: bytes) -> None:
        self._content, self.at = content, 0

    def read_item(self, depth: int) -> Any:
        if depth > DEPTH_LIMIT:
            raise ValueError(f"values nest deeper than {DEPTH_LIMIT} levels")
        head = self._take(1)[0]
        kind, size = head >> 5, head & 31
        if kind == 7:
            return self._read_simple(size)
        return _KINDS[kind](self, self._read_number(size), depth)

    def read_bytes(self, length: int, _depth: int) -> bytes:
        return self._take(length)

    def read_text(self, length: int, _depth: int) -> str:
        return self._take(length).decode()

    def read_list(self, length: int, depth: int) -> list[Any]:
        return [self.read_item(depth + 1) for _ in range(length)]

    def read_map(self, length: int, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(length):
            key = self.read_item(depth + 1)
            if not isinstance(key, str):
                raise ValueError("a key is not a string")
            found[key] = self.read_item(depth + 1)
        return found

    def read_link(self, tag: int, depth: int) -> Link:
        address = self.read_item(depth + 1) if tag == _LINK_TAG else None
        if not isinstance(address, bytes) or address[:1] != b"\0":
            raise ValueError("a tag is not a link")
        return Link(get_digest(address[1:]))

    def _read_simple(self, size: int) -> Any:
        if size in _SIMPLE:
            return _SIMPLE[size]
        if size != 27:
            raise ValueError("a value is of an unknown kind")
        return struct.unpack(">d", self._take(8))[0]

    def _read_number(self, size: int) -> int:
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
    2: _Reader.read_bytes,
    3: _Reader.read_text,
    4: _Reader.read_list,
    5: _Reader.read_map,
    6: _Reader.read_link,
}
