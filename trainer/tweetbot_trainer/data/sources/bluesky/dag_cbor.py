"""DAG-CBOR, the strict form of CBOR in Bluesky's repositories: https://ipld.io/specs/codecs/dag-cbor/spec/."""

import struct
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
        return self._read_simple(size) if kind == 7 else self._read_value(kind, self._read_number(size), depth + 1)

    def _read_value(self, kind: int, number: int, depth: int) -> Any:
        """Read a value of one of CBOR's major types 0 to 6; `number` is the number itself, a length or a tag."""
        match kind:
            case 0:
                return number
            case 1:
                return -1 - number
            case 2:
                return self._take(number)
            case 3:
                return self._take(number).decode()
            case 4:
                return [self.read_item(depth) for _ in range(number)]
            case 5:
                return self._read_map(number, depth)
        return self._read_link(number, depth)

    def _read_map(self, length: int, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(length):
            key = self.read_item(depth)
            if not isinstance(key, str):
                raise ValueError("a key is not a string")
            found[key] = self.read_item(depth)
        return found

    def _read_link(self, tag: int, depth: int) -> Link:
        address = self.read_item(depth) if tag == _LINK_TAG else None
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
