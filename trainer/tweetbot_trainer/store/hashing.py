"""Hashes and sizes of bodies."""

import hashlib
from typing import Annotated, BinaryIO

from pydantic import Field

from tweetbot_trainer.store.interface import Body

_BLOCK = 1024 * 1024


def compute_sha256(body: Body) -> str:
    """Hash bytes or a file; the result is in hex."""
    if isinstance(body, bytes):
        return hashlib.sha256(body).hexdigest()
    with body.open("rb") as file:
        return compute_stream_sha256(file)


def compute_stream_sha256(stream: BinaryIO) -> str:
    """Hash the rest of a stream; the result is in hex."""
    digest = hashlib.sha256()
    while block := stream.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def get_body_size(body: Body) -> int:
    """Return the length in bytes."""
    return len(body) if isinstance(body, bytes) else body.stat().st_size


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
