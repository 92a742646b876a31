"""A folder that behaves like a bucket, for runs without a cluster and for tests."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tweetbot_contract import reasons
from tweetbot_trainer.runtime.errors import NotAuthorized
from tweetbot_trainer.store.address import parse_file_uri, quote_name, unquote_name
from tweetbot_trainer.store.interface import Body, ObjectInfo, ObjectNotFound, StoredObject

_UNFINISHED = ".tweetbot-unfinished-"


class FolderStore:
    """Objects as files. Readers see whole objects only; conditional writes are safe against other processes too."""

    def get(self, uri: str) -> bytes:
        with self.open_seekable(uri) as file:
            return file.read()

    def find(self, uri: str) -> StoredObject | None:
        try:
            with self.open_seekable(uri) as file:
                return StoredObject(file.read(), _make_etag(os.fstat(file.fileno())))
        except ObjectNotFound:
            return None

    def open_seekable(self, uri: str) -> BinaryIO:
        path = parse_file_uri(uri)
        with _translate_errors(path):
            if path.is_dir():
                raise ObjectNotFound(uri)
            try:
                return path.open("rb")
            except (FileNotFoundError, NotADirectoryError) as error:
                raise ObjectNotFound(uri) from error

    def download(self, uri: str, path: Path) -> None:
        with self.open_seekable(uri) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)

    def put(self, uri: str, body: Body) -> None:
        self._write(uri, body, lambda path: True)

    def put_if_absent(self, uri: str, body: Body) -> bool:
        return self._write(uri, body, lambda path: not path.exists())

    def put_if_match(self, uri: str, body: Body, etag: str) -> bool:
        return self._write(uri, body, lambda path: path.exists() and _make_etag(path.stat()) == etag)

    def head(self, uri: str) -> ObjectInfo | None:
        path = parse_file_uri(uri)
        with _translate_errors(path):
            return ObjectInfo(uri, path.stat().st_size, _make_etag(path.stat())) if path.is_file() else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        above, _, start = prefix.rpartition("/")
        folder = parse_file_uri(f"{above}/")
        files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(_UNFINISHED))
        for path in sorted(files, key=str):
            name = path.relative_to(folder).as_posix()
            if name.startswith(unquote_name(start)):
                yield ObjectInfo(f"{above}/{quote_name(name)}", path.stat().st_size, _make_etag(path.stat()))

    def delete(self, uri: str) -> None:
        path = parse_file_uri(uri)
        with _translate_errors(path):
            path.unlink(missing_ok=True)

    def erase(self, folder: str, *, keep: str = "") -> Iterator[str]:
        for info in tuple(self.list(folder)):
            if info.uri != keep:
                self.delete(info.uri)
                yield info.uri

    def erase_named(self, folder: str, name: str) -> Iterator[str]:
        for info in tuple(self.list(folder)):
            if info.uri.endswith(f"/{name}"):
                self.delete(info.uri)
                yield info.uri

    def _write(self, uri: str, body: Body, is_allowed: Callable[[Path], bool]) -> bool:
        path = parse_file_uri(uri)
        with _lock_folder(path), _write_temporary_file(path, body) as unfinished:
            if not is_allowed(path):
                return False
            unfinished.replace(path)
            return True


def _make_etag(stat: os.stat_result) -> str:
    """Include the inode: a replaced file has another one, so two versions never share a tag."""
    return f"{stat.st_ino}-{stat.st_mtime_ns}-{stat.st_size}"


@contextmanager
def _lock_folder(path: Path) -> Iterator[None]:
    """Lock the object's folder against other writers; the lock ends with the process that holds it."""
    with _translate_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


@contextmanager
def _write_temporary_file(path: Path, body: Body) -> Iterator[Path]:
    """Write a temporary file beside the object, ready to be renamed over it."""
    descriptor, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as target:
            if isinstance(body, bytes):
                target.write(body)
            else:
                with body.open("rb") as source:
                    shutil.copyfileobj(source, target)
            target.flush()
            os.fsync(target.fileno())
        unfinished.chmod(0o644)
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _translate_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        message = f"no permission for {path}: let this user read and write it"
        raise NotAuthorized(reasons.NOT_AUTHORIZED, message) from error
