"""A store that counts its requests, and may die before or after one of them."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar

from tweetbot_trainer.store import Body, ObjectInfo, ObjectStore, StoredObject

T = TypeVar("T")


class Killed(BaseException):
    """Stands for SIGKILL: no `except Exception` on the way may catch it."""


class WatchedStore:
    """Passes every request on. `after_each` runs after it; the `die_at`-th request (from 0) ends in Killed.

    A death `before` leaves the object as it was, `after` leaves it written: the answer alone is lost.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        die_at: int | None = None,
        phase: Literal["before", "after"] = "before",
        after_each: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._die_at, self._phase, self._after_each = store, die_at, phase, after_each
        self.requests: list[tuple[str, str]] = []

    def get(self, uri: str) -> bytes:
        return self._pass("get", uri, lambda: self._store.get(uri))

    def find(self, uri: str) -> StoredObject | None:
        return self._pass("find", uri, lambda: self._store.find(uri))

    def open_seekable(self, uri: str) -> BinaryIO:
        return self._pass("open_seekable", uri, lambda: self._store.open_seekable(uri))

    def download(self, uri: str, path: Path) -> None:
        return self._pass("download", uri, lambda: self._store.download(uri, path))

    def put(self, uri: str, body: Body) -> None:
        return self._pass("put", uri, lambda: self._store.put(uri, body))

    def put_if_absent(self, uri: str, body: Body) -> bool:
        return self._pass("put_if_absent", uri, lambda: self._store.put_if_absent(uri, body))

    def put_if_match(self, uri: str, body: Body, etag: str) -> bool:
        return self._pass("put_if_match", uri, lambda: self._store.put_if_match(uri, body, etag))

    def head(self, uri: str) -> ObjectInfo | None:
        return self._pass("head", uri, lambda: self._store.head(uri))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return self._pass("list", prefix, lambda: self._store.list(prefix))

    def delete(self, uri: str) -> None:
        return self._pass("delete", uri, lambda: self._store.delete(uri))

    def erase(self, folder: str, *, keep: str = "") -> Iterator[str]:
        for uri in self._store.erase(folder, keep=keep):
            yield self._pass("erase", uri, lambda: uri)  # noqa: B023 - called at once

    def erase_named(self, folder: str, name: str) -> Iterator[str]:
        for uri in self._store.erase_named(folder, name):
            yield self._pass("erase_named", uri, lambda: uri)  # noqa: B023 - called at once

    def _pass(self, action: str, uri: str, request: Callable[[], T]) -> T:
        dies = len(self.requests) == self._die_at
        self.requests.append((action, uri))
        if dies and self._phase == "before":
            raise Killed(action, uri)
        answer = request()
        self._after_each()
        if dies:
            if isinstance(answer, io.IOBase):
                answer.close()
            raise Killed(action, uri)
        return answer
