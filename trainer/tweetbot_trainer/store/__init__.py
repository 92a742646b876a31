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
from tweetbot_trainer.store.address import S3Address, file_path, join, s3_address
from tweetbot_trainer.store.hashing import sha256_of, sha256_of_stream, size_of
from tweetbot_trainer.store.interface import Body, Found, ObjectInfo, ObjectNotFound, ObjectStore, StorageUnavailable
from tweetbot_trainer.store.retry_budget import RetryBudget

__all__ = [
    "Body",
    "Found",
    "ObjectInfo",
    "ObjectNotFound",
    "ObjectStore",
    "RetryBudget",
    "S3Address",
    "StorageUnavailable",
    "Stores",
    "file_path",
    "join",
    "s3_address",
    "sha256_of",
    "sha256_of_stream",
    "size_of",
]


class Stores:
    """The store of every address that a run may name, by its scheme; S3 is reached when s3:// is first asked for."""

    def __init__(self, output: S3Output, secrets: Path, budget: RetryBudget, *, files: bool = False) -> None:
        self._output, self._secrets, self._budget, self._files = output, secrets, budget, files

    def get(self, uri: str) -> bytes:
        """Return a whole object. Raises ObjectNotFound."""
        return self._at(uri).get(uri)

    def find(self, uri: str) -> Found | None:
        """Return a whole small object with its version tag, or None where nothing lies."""
        return self._at(uri).find(uri)

    def size(self, uri: str) -> int:
        """Return an object's size in bytes. Raises ObjectNotFound."""
        return self._at(uri).size(uri)

    def open_random(self, uri: str) -> BinaryIO:
        """Open an object for reading anywhere in it. Raises ObjectNotFound."""
        return self._at(uri).open_random(uri)

    def open_stream(self, uri: str) -> BinaryIO:
        """Open an object for reading from its beginning. Raises ObjectNotFound."""
        return self._at(uri).open_stream(uri)

    def download(self, uri: str, path: Path) -> None:
        """Write an object into a file. Raises ObjectNotFound, OSError when the disk is full."""
        self._at(uri).download(uri, path)

    def put(self, uri: str, body: Body) -> None:
        """Write an object, over whatever lies there."""
        self._at(uri).put(uri, body)

    def put_if_absent(self, uri: str, body: Body) -> bool:
        """Write an object unless one lies there, and tell whether this call wrote it."""
        return self._at(uri).put_if_absent(uri, body)

    def put_if_match(self, uri: str, body: Body, etag: str) -> bool:
        """Write over the version with this tag only, and tell whether it was still there."""
        return self._at(uri).put_if_match(uri, body, etag)

    def head(self, uri: str) -> ObjectInfo | None:
        """Describe an object, or return None where nothing lies."""
        return self._at(uri).head(uri)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Describe every object whose address begins with this one, in the order of their addresses."""
        return self._at(prefix).list(prefix)

    def delete(self, uri: str) -> None:
        """Remove an object; nothing happens where none lies."""
        self._at(uri).delete(uri)

    def erase(self, folder: str) -> Iterator[str]:
        """Remove everything below a folder, older versions included, and yield each address as it goes."""
        return self._at(folder).erase(folder)

    def _at(self, uri: str) -> ObjectStore:
        if not uri.startswith("file:"):
            return self._s3
        if not self._files:
            raise SpecRefused(reasons.SPEC_REFUSED, f"{uri}: in a cluster write s3://bucket/key")
        return self._folder

    @cached_property
    def _s3(self) -> ObjectStore:
        from tweetbot_trainer.store.s3 import S3Store, s3_client

        checksums = self._output.checksum_mode == "WhenSupported"
        return S3Store(s3_client(self._output, self._secrets), self._budget, checksums=checksums)

    @cached_property
    def _folder(self) -> ObjectStore:
        from tweetbot_trainer.store.folder import FolderStore

        return FolderStore()
