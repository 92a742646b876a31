"""Addresses of objects: `s3://bucket/key`, or `file:///folder/name` for runs without a cluster."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from tweetbot_contract import reasons
from tweetbot_trainer.runtime.errors import SpecRefused


@dataclass(frozen=True, slots=True)
class S3Address:
    """A bucket and a key in it, which is empty in the address of the bucket itself."""

    bucket: str
    key: str

    def __str__(self) -> str:
        """Format as users write it."""
        return f"s3://{self.bucket}/{self.key}"


def parse_s3_uri(uri: str) -> S3Address:
    """Split `s3://bucket/key`; nothing in the key is decoded. Raises SpecRefused."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise SpecRefused(reasons.SPEC_REFUSED, f"{uri} is not an S3 address: write s3://bucket/key")
    return S3Address(bucket, key)


def parse_file_uri(uri: str) -> Path:
    """Return the path of `file:///path`, percent signs decoded. Raises SpecRefused."""
    if not uri.startswith("file:///") or "\0" in unquote_name(uri):
        raise SpecRefused(reasons.SPEC_REFUSED, f"{uri} is not the address of a file: write file:///path")
    return Path(unquote_name(uri.removeprefix("file://")))


def unquote_name(text: str) -> str:
    """Decode percent signs in a name, whose bytes need not be UTF-8."""
    return os.fsdecode(unquote_to_bytes(os.fsencode(text)))


def quote_name(name: str) -> str:
    """Encode a name of the file system for an address."""
    return quote(os.fsencode(name))


def join(folder: str, *names: str) -> str:
    """Append names to the address of a folder."""
    return "/".join((folder.rstrip("/"), *names))
