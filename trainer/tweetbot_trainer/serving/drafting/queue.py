"""The queue before a model: its work is done on a thread, one piece after the other, in the order of asking.

Everything here runs on the event loop, except for the work itself. A client that leaves frees its place: one that
waits at once, one that is served at the next token.
"""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import TypeVar

from tweetbot_trainer.serving.drafting.events import Queued

T = TypeVar("T")
#: Raises Abandoned if nobody waits for the work any more.
Check = Callable[[], None]
Work = Callable[[Check], Iterator[T]]
#: How many may wait for one model.
WAITING = 8


class QueueFull(Exception):
    """Too many wait already; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"{WAITING} others wait for this model already; try again in {retry_after} s")
        self.retry_after = retry_after


class Abandoned(Exception):
    """The client is gone."""


class _Entry:
    """A client in the queue."""

    def __init__(self) -> None:
        self.moved = asyncio.Event()
        self.gone = threading.Event()
        self.started = False

    def check(self) -> None:
        """Raise Abandoned if the client is gone."""
        if self.gone.is_set():
            raise Abandoned


class WorkQueue:
    """One model's queue. The first entry is served."""

    def __init__(self, limit: int = WAITING) -> None:
        self._limit, self._entries = limit, list[_Entry]()
        self._seconds = 1.0
        self._worker = ThreadPoolExecutor(1, "drafting")  # one thread: torch keeps helpers for each

    async def run(self, work: Work[T]) -> AsyncGenerator[Queued | T, None]:
        """Yield the places that the work takes in the queue, then what it yields. Closing this ends the work.

        Raises QueueFull, and what the work raises.
        """
        entry = self._enter()
        try:
            while place := self._look(entry):
                yield Queued(place - 1)
                await entry.moved.wait()
            entry.started = True
            async for item in self._serve(entry, work):
                yield item
        finally:
            entry.gone.set()
            if not entry.started:
                self._remove(entry)

    def _enter(self) -> _Entry:
        if len(self._entries) > self._limit:
            raise QueueFull(ceil(self._seconds))
        self._entries.append(entry := _Entry())
        return entry

    def _look(self, entry: _Entry) -> int:
        """Return how many come before; `moved` is set when that changes."""
        entry.moved.clear()
        return self._entries.index(entry)

    def _remove(self, entry: _Entry) -> None:
        self._entries.remove(entry)
        for other in self._entries:
            other.moved.set()

    async def _serve(self, entry: _Entry, work: Work[T]) -> AsyncGenerator[T, None]:
        """Do the work on a thread, which gives the place free when it ends."""
        loop, items = asyncio.get_running_loop(), asyncio.Queue[T | BaseException | None]()
        begun = time.monotonic()

        def finish(error: BaseException | None) -> None:
            self._seconds = time.monotonic() - begun
            self._remove(entry)
            items.put_nowait(error)

        def work_through() -> None:
            error: BaseException | None = None
            try:
                for item in work(entry.check):
                    loop.call_soon_threadsafe(items.put_nowait, item)
            except BaseException as raised:  # noqa: BLE001  # it is raised where the client is served
                error = raised
            loop.call_soon_threadsafe(finish, error)

        self._worker.submit(work_through)
        while (item := await items.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
