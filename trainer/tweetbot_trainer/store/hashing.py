"""Hashes and sizes of bodies."""

import base64
import hashlib
from typing import Annotated, Any, BinaryIO

from pydantic import Field

from tweetbot_trainer.store.interface import Body

_BLOCK = 1024 * 1024
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


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


def read_sha256(answer: dict[str, Any]) -> str | None:
    """Return the sha256 that a HEAD answers with; None for checksums of parts, which not every server labels."""
    sha256, etag = answer.get("ChecksumSHA256"), answer["ETag"]
    whole = answer.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    return base64.b64decode(sha256).hex() if sha256 and whole and "-" not in sha256 + etag else None
