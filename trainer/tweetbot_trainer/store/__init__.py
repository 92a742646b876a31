"""Where objects are read and written: S3, or a folder for runs without a cluster.

s3://bucket/key     S3Store      any server that speaks S3
file:///path        FolderStore  `tweetbot-trainer run` only
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from tweetbot_contract import reasons
from tweetbot_contract.spec.output import S3Output
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store.address import S3Address, join, parse_file_uri, parse_s3_uri
from tweetbot_trainer.store.hashing import compute_sha256, compute_stream_sha256, get_body_size
from tweetbot_trainer.store.interface import (
    Body,
    ObjectInfo,
    ObjectNotFound,
    ObjectStore,
    StorageUnavailable,
    StoredObject,
)

__all__ = [
    "Body",
    "ObjectInfo",
    "ObjectNotFound",
    "ObjectStore",
    "S3Address",
    "StorageUnavailable",
    "StoreRouter",
    "StoredObject",
    "compute_sha256",
    "compute_stream_sha256",
    "get_body_size",
    "join",
    "parse_file_uri",
    "parse_s3_uri",
]


class StoreRouter:
    """The store of every address that a run may name, by its scheme; S3 is reached when s3:// is first asked for."""

    def __init__(self, output: S3Output, secrets: Path, budget: RetryBudget, *, files: bool = False) -> None:
        self._output, self._secrets, self._budget, self._files = output, secrets, budget, files

    def get(self, uri: str) -> bytes:
        """Return a whole object. Raises ObjectNotFound."""
        return self._route(uri).get(uri)

    def find(self, uri: str) -> StoredObject | None:
        """Return a whole small object with its version tag, or None where nothing lies."""
        return self._route(uri).find(uri)

    def get_size(self, uri: str) -> int:
        """Return an object's size in bytes. Raises ObjectNotFound."""
        return self._route(uri).get_size(uri)

    def open_seekable(self, uri: str) -> BinaryIO:
        """Open an object for reading anywhere in it. Raises ObjectNotFound."""
        return self._route(uri).open_seekable(uri)

    def open_stream(self, uri: str) -> BinaryIO:
        """Open an object for reading from its beginning. Raises ObjectNotFound."""
        return self._route(uri).open_stream(uri)

    def download(self, uri: str, path: Path) -> None:
        """Write an object into a file. Raises ObjectNotFound, OSError when the disk is full."""
        self._route(uri).download(uri, path)

    def put(self, uri: str, body: Body) -> None:
        """Write an object, over whatever lies there."""
        self._route(uri).put(uri, body)

    def put_if_absent(self, uri: str, body: Body) -> bool:
        """Write an object unless one lies there, and tell whether this call wrote it."""
        return self._route(uri).put_if_absent(uri, body)

    def put_if_match(self, uri: str, body: Body, etag: str) -> bool:
        """Write over the version with this tag only, and tell whether it was still there."""
        return self._route(uri).put_if_match(uri, body, etag)

    def head(self, uri: str) -> ObjectInfo | None:
        """Describe an object, or return None where nothing lies."""
        return self._route(uri).head(uri)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Describe every object whose address begins with this one, in the order of their addresses."""
        return self._route(prefix).list(prefix)

    def delete(self, uri: str) -> None:
        """Remove an object; nothing happens where none lies."""
        self._route(uri).delete(uri)

    def erase(self, folder: str) -> Iterator[str]:
        """Remove everything below a folder, older versions included, and yield each address as it goes."""
        return self._route(folder).erase(folder)

    def _route(self, uri: str) -> ObjectStore:
        if not uri.startswith("file:"):
            return self._s3
        if not self._files:
            raise SpecRefused(reasons.SPEC_REFUSED, f"{uri}: in a cluster write s3://bucket/key")
        return self._folder

    @cached_property
    def _s3(self) -> ObjectStore:
        from tweetbot_trainer.store.s3 import S3Store, create_s3_client

        checksums = self._output.checksum_mode == "WhenSupported"
        return S3Store(create_s3_client(self._output, self._secrets), self._budget, checksums=checksums)

    @cached_property
    def _folder(self) -> ObjectStore:
        from tweetbot_trainer.store.folder import FolderStore

        return FolderStore()
