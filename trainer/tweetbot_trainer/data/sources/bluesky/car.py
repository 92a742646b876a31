"""A CAR file, version 1, block by block, each verified by its address: https://ipld.io/specs/transport/car/carv1/."""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from tweetbot_trainer.data.sources.bluesky.dag_cbor import ADDRESS_LENGTH, Link, decode_cbor, get_digest

#: A record has at most 1 MiB (https://atproto.com/specs/data-model), a node of the tree far less.
BLOCK_LIMIT = 2 * 1024 * 1024


class Truncated(ValueError):
    """The file ends in the middle of a block."""


def read_root(file: BinaryIO) -> bytes:
    """Read the header, and return the digest of the root block. Raises ValueError."""
    try:
        match decode_cbor(_read_section(file) or b""):
            case {"version": 1, "roots": [Link(digest)]}:
                return digest
    except ValueError as error:
        raise ValueError(f"it does not begin with the header of a CAR file ({error})") from error
    raise ValueError("it does not begin with the header of a CAR file of version 1 with one root")


def read_blocks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield digest and content of each block after the header. Raises Truncated, or ValueError for a damaged block."""
    while section := _read_section(file):
        digest, content = get_digest(section[:ADDRESS_LENGTH]), section[ADDRESS_LENGTH:]
        if hashlib.sha256(content).digest() != digest:
            raise ValueError("a block does not match its address")
        yield digest, content


def _read_section(file: BinaryIO) -> bytes | None:
    """Return the next section without the length before it, None at the end of the file."""
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
