"""The door to stored objects. Every address is a whole uri; every fault outside is one of errors' classes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from tweetbot_contract import reasons
from tweetbot_trainer.runtime.errors import SpecRefused, TemporaryError

Body = bytes | Path


class ObjectNotFound(SpecRefused):
    """Nothing lies at this address. Its reason suits sources; whoever reads something else gives its own."""

    def __init__(self, uri: str) -> None:
        super().__init__(reasons.SOURCE_NOT_FOUND, f"{uri} does not exist: upload it, or correct the address")
        self.uri = uri


class StorageUnavailable(TemporaryError):
    """The storage does not answer, or asks to come back later."""

    def __init__(self, message: str) -> None:
        super().__init__(reasons.STORAGE_UNAVAILABLE, message)


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object without its content: size in bytes, an opaque version tag, and the sha256 if the store knows it."""

    uri: str
    size: int
    etag: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A small object's content and the version tag it was read with."""

    body: bytes
    etag: str


class ObjectStore(Protocol):
    """What the trainer asks of S3, or of a folder. Every method may raise NotAuthorized, SpecRefused or Temporary."""

    def get(self, uri: str) -> bytes:
        """Return a whole object. Raises ObjectNotFound."""

    def find(self, uri: str) -> StoredObject | None:
        """Return a whole small object with its version tag, or None where nothing lies."""

    def get_size(self, uri: str) -> int:
        """Return an object's size in bytes. Raises ObjectNotFound."""

    def open_seekable(self, uri: str) -> BinaryIO:
        """Open an object for reading anywhere in it (fit for zipfile). Raises ObjectNotFound."""

    def open_stream(self, uri: str) -> BinaryIO:
        """Open an object for reading from its beginning to its end. Raises ObjectNotFound."""

    def download(self, uri: str, path: Path) -> None:
        """Write an object into a file. Raises ObjectNotFound, OSError when the disk is full."""

    def put(self, uri: str, body: Body) -> None:
        """Write an object, over whatever lies there; the server checks its sha256."""

    def put_if_absent(self, uri: str, body: Body) -> bool:
        """Write an object unless one lies there, and tell whether this call wrote it.

        False also where an answer was lost and a repeated request met its own first write: read and compare.
        """

    def put_if_match(self, uri: str, body: Body, etag: str) -> bool:
        """Write over the version with this tag only, and tell whether it was still there (see put_if_absent)."""

    def head(self, uri: str) -> ObjectInfo | None:
        """Describe an object, or return None where nothing lies."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Describe every object whose address begins with this one, in the order of their addresses."""

    def delete(self, uri: str) -> None:
        """Remove an object; nothing happens where none lies."""

    def erase(self, folder: str) -> Iterator[str]:
        """Remove everything below a folder, older versions included, and yield each address as it goes.

        Whoever stops in between has removed what was yielded; asked again, it goes on.
        """
