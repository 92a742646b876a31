"""The interface of object stores. Addresses are whole URIs; failures are StageErrors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from tweetbot_contract import reasons
from tweetbot_trainer.runtime.errors import SpecRefused, TemporaryError

Body = bytes | Path


class ObjectNotFound(SpecRefused):
    """There is no object at this address. The reason suits sources; other readers raise their own."""

    def __init__(self, uri: str) -> None:
        super().__init__(reasons.SOURCE_NOT_FOUND, f"{uri} does not exist: upload it, or correct the address")
        self.uri = uri


class StorageUnavailable(TemporaryError):
    """The storage does not answer, or asks to come back later."""

    def __init__(self, message: str) -> None:
        super().__init__(reasons.STORAGE_UNAVAILABLE, message)


class UnnamedRefusal(TemporaryError):
    """S3, or something on the way to it, refuses without a code that is known; it may pass (runtime/refusals.py)."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object without its content: size in bytes, opaque version tag, and sha256 if the store keeps it."""

    uri: str
    size: int
    etag: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """Content of a small object, and its version tag when it was read."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class BestEffortStore:
    """A store for writes beside the stage that may be lost. They wait for it until `limit` leaves them some seconds."""

    store: "ObjectStore"
    limit: Callable[[float], None] = lambda seconds: None


class ObjectStore(Protocol):
    """Objects in S3 or in folders. Every method may raise NotAuthorized, SpecRefused or TemporaryError."""

    def get(self, uri: str) -> bytes:
        """Read a whole object. Raises ObjectNotFound."""

    def find(self, uri: str) -> StoredObject | None:
        """Read a whole small object with its version tag; None if there is none."""

    def open_seekable(self, uri: str) -> BinaryIO:
        """Open an object for random access (as zipfile needs). Raises ObjectNotFound."""

    def download(self, uri: str, path: Path) -> None:
        """Copy an object into a file. Raises ObjectNotFound, and OSError if the disk is full."""

    def put(self, uri: str, body: Body) -> None:
        """Write or replace an object; the server checks its sha256."""

    def put_if_absent(self, uri: str, body: Body) -> bool:
        """Write an object unless one exists; return whether this call wrote it.

        Also False if an answer was lost and the repeated request met its own first write: read and compare.
        """

    def put_if_match(self, uri: str, body: Body, etag: str) -> bool:
        """Replace only the version with this tag; return whether it was still there (see put_if_absent)."""

    def head(self, uri: str) -> ObjectInfo | None:
        """Describe an object; None if there is none."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Describe every object whose address begins with this prefix, in the order of their addresses."""

    def delete(self, uri: str) -> None:
        """Remove an object, if there is one."""

    def erase(self, folder: str, *, keep: str = "") -> Iterator[str]:
        """Remove everything below a folder but the object `keep`, with older versions; yield each address when gone.

        If the caller stops early, the next call goes on with the rest. FolderStore leaves empty folders.
        """

    def erase_named(self, folder: str, name: str) -> Iterator[str]:
        """Remove every object of this name below a folder, with older versions; yield each address when gone."""
