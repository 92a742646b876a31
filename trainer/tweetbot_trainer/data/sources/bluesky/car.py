"""A CAR file, version 1, block by block, each checked against its own address: https://ipld.io/specs/transport/car/carv1/."""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from tweetbot_trainer.data.sources.bluesky.dag_cbor import ADDRESS_LENGTH, Link, decode_cbor, get_digest

#: A record may have 1 MiB at the most (https://atproto.com/specs/data-model), a node of the tree far less.
BLOCK_LIMIT = 2 * 1024 * 1024


class Truncated(ValueError):
    """The file ends in the middle of a block."""


def read_root(file: BinaryIO) -> bytes:
    """Read the header and return the digest of the block that all others hang on. Raises ValueError."""
    try:
        match decode_cbor(_read_section(file) or b""):
            case {"version": 1, "roots": [Link(digest)]}:
                return digest
    except ValueError as error:
        raise ValueError(f"it begins with no header of a CAR file ({error})") from error
    raise ValueError("it begins with no header of a CAR file of version 1 with one root")


def read_blocks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield digest and content of each block behind the header.

    Raises Truncated, or ValueError where a block is damaged.
    """
    while section := _read_section(file):
        digest, content = get_digest(section[:ADDRESS_LENGTH]), section[ADDRESS_LENGTH:]
        if hashlib.sha256(content).digest() != digest:
            raise ValueError("a block is not what its address says")
        yield digest, content


def _read_section(file: BinaryIO) -> bytes | None:
    """Return the next piece, its length read before it; None at the end of the file."""
    length = shift = 0
    while byte := file.read(1):
        length |= (byte[0] & 0x7F) << shift
        shift += 7
        if length > BLOCK_LIMIT or shift > 28:
            raise ValueError(f"a block has more than {BLOCK_LIMIT} bytes")
        if byte[0] < 0x80:
            section = file.read(length)
            if len(section) < length:
                raise Truncated("it ends in the middle of a block")
            return section
    if shift:
        raise Truncated("it ends in the middle of a block")
    return None
