"""Writes a Bluesky repository as its owner's export holds it: a real search tree, DAG-CBOR, a CAR file.

exported({"app.bsky.feed.post/3k…": record, …}) -> bytes
"""

import hashlib
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from tweetbot_fakes.remotes.bluesky import DID

Blocks = dict[bytes, bytes]
_SIMPLE = {False: b"\xf4", True: b"\xf5", None: b"\xf6"}


@dataclass(frozen=True, slots=True)
class Cid:
    """The address of a block: version 1, DAG-CBOR, SHA-256."""

    raw: bytes

    @classmethod
    def of(cls, content: bytes) -> "Cid":
        """Return the address of this content."""
        return cls(b"\x01\x71\x12\x20" + hashlib.sha256(content).digest())


def encoded(value: Any) -> bytes:
    """Return a value as canonical DAG-CBOR; the AT protocol has no floats."""
    match value:
        case bool() | None:
            return _SIMPLE[value]
        case int():
            return _head(int(value < 0), value if value >= 0 else -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case list():
            return _head(4, len(value)) + b"".join(map(encoded, value))
        case dict():
            keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
            return _head(5, len(value)) + b"".join(encoded(key) + encoded(value[key]) for key in keys)
        case Cid():
            return b"\xd8\x2a" + encoded(b"\0" + value.raw)
    raise TypeError(type(value))


def exported(records: dict[str, Any], *, did: str = DID) -> bytes:
    """Return the CAR file of a repository with these records, by their keys."""
    blocks: Blocks = {}
    entries = [(key, _put(blocks, records[key])) for key in sorted(records)]
    tree = _tree(blocks, entries)
    commit = {"did": did, "version": 3, "data": tree, "rev": "3kaaaaaaaaaaa", "prev": None, "sig": b"\0" * 64}
    root = _put(blocks, commit)
    return car(root, blocks)


def car(root: Cid, blocks: Blocks) -> bytes:
    """Return the CAR file of these blocks, by address; the root comes first, as servers write it."""
    rest = (address for address in blocks if address != root.raw)
    header = encoded({"version": 1, "roots": [root]})
    return _section(header) + b"".join(_section(address + blocks[address]) for address in (root.raw, *rest))


def _tree(blocks: Blocks, entries: list[tuple[str, Cid]]) -> Cid:
    """Return the root of the Merkle search tree: a key stands the higher, the more zeros its hash begins with."""
    top = max((_height(key) for key, _ in entries), default=0)
    here = [place for place, (key, _) in enumerate(entries) if _height(key) == top]
    below = [
        _tree(blocks, part) if (part := entries[start + 1 : end]) else None
        for start, end in zip([-1, *here], [*here, len(entries)], strict=True)
    ]
    node: dict[str, Any] = {"l": below[0], "e": []}
    before = b""
    for place, deeper in zip(here, below[1:], strict=True):
        key = entries[place][0].encode()
        shared = len(list(takewhile(lambda signs: signs[0] == signs[1], zip(before, key, strict=False))))
        node["e"].append({"p": shared, "k": key[shared:], "v": entries[place][1], "t": deeper})
        before = key
    return _put(blocks, node)


def _height(key: str) -> int:
    digest = int.from_bytes(hashlib.sha256(key.encode()).digest(), "big")
    return (256 - digest.bit_length()) // 2


def _put(blocks: Blocks, value: Any) -> Cid:
    content = encoded(value)
    address = Cid.of(content)
    blocks[address.raw] = content
    return address


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    size = next(size for size in range(4) if number < 1 << (8 << size))
    return bytes([kind << 5 | 24 + size]) + number.to_bytes(1 << size, "big")


def _section(content: bytes) -> bytes:
    length, head = len(content), b""
    while length >= 0x80:
        head, length = head + bytes([length & 0x7F | 0x80]), length >> 7
    return head + bytes([length]) + content
