"""Which TweetBots want a look: each key once, never two workers on one, namespaces in turn, failures with a pause."""

import asyncio
import contextlib
import heapq
import random
from collections import Counter, OrderedDict
from collections.abc import Callable

from tweetbot_operator.types.objects import Key
from tweetbot_operator.types.times import compute_backoff

#: Pauses after failed passes, in seconds: doubled from the first to the last, ±20 % so that a herd spreads out.
FIRST_PAUSE, LAST_PAUSE, SPREAD = 1.0, 300.0, 0.2


class WorkQueue:
    """A key is ready, in flight, or due later. Added while in flight, it is looked at once more afterwards."""

    def __init__(
        self,
        clock: Callable[[], float],
        jitter: Callable[[float, float], float] = random.uniform,
        *,
        most_in_flight: int = 1_000_000,
    ) -> None:
        """`clock` is monotonic, in seconds; `jitter` draws from a range; `most_in_flight` bounds one namespace."""
        self._clock, self._jitter, self._most = clock, jitter, most_in_flight
        self._active: Counter[str] = Counter()
        self._ready: OrderedDict[str, OrderedDict[Key, float]] = OrderedDict()
        self._in_flight: set[Key] = set()
        self._dirty: set[Key] = set()
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, Key]] = []
        self._failures: dict[Key, int] = {}
        self._wake = asyncio.Event()

    def add(self, key: Key) -> None:
        """Ask for a look as soon as a worker is free."""
        if key in self._in_flight:
            self._dirty.add(key)
            return
        self._ready.setdefault(key[0], OrderedDict()).setdefault(key, self._clock())
        self._wake.set()

    def add_after(self, key: Key, seconds: float | None) -> None:
        """Ask for a look later; the newest wish replaces an older one, and None withdraws it."""
        if seconds is None:
            self._due.pop(key, None)
            return
        self._due[key] = self._clock() + max(seconds, 0.0)
        heapq.heappush(self._heap, (self._due[key], key))
        self._wake.set()

    def add_rate_limited(self, key: Key, longest: float = LAST_PAUSE) -> float:
        """Ask for a look after a pause that grows with each failure; answers the pause in seconds."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        pause = compute_backoff(failures, FIRST_PAUSE, longest) * self._jitter(1 - SPREAD, 1 + SPREAD)
        self.add_after(key, pause)
        return pause

    def forget(self, key: Key) -> None:
        """Start counting failures anew."""
        self._failures.pop(key, None)

    def remove(self, key: Key) -> None:
        """Withdraw what is due later; the object is gone."""
        self.forget(key)
        self._due.pop(key, None)

    def mark_seen(self, key: Key) -> None:
        """Take note that the key's pass looks now: what was added before this moment is seen, and needs no other."""
        self._dirty.discard(key)

    def done(self, key: Key) -> None:
        """End the key's flight; if it was added meanwhile, it is ready again."""
        self._in_flight.discard(key)
        self._active[key[0]] -= 1
        if not self._active[key[0]]:
            del self._active[key[0]]
        if self._ready:
            self._wake.set()
        if key in self._dirty:
            self._dirty.discard(key)
            self.add(key)

    def pop_ready(self) -> tuple[Key, float] | None:
        """Take the next key, with the seconds that it has waited; None if nothing is ready."""
        self._move_due()
        namespace = next((name for name in self._ready if self._active[name] < self._most), None)
        if namespace is None:
            return None
        keys = self._ready.pop(namespace)
        key, since = keys.popitem(last=False)
        if keys:
            self._ready[namespace] = keys  # to the end of the row: the other namespaces come first
        self._in_flight.add(key)
        self._active[namespace] += 1
        return key, self._clock() - since

    def _move_due(self) -> None:
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            when, key = heapq.heappop(self._heap)
            if self._due.get(key) == when:
                del self._due[key]
                self.add(key)

    async def get(self) -> tuple[Key, float]:
        """Wait for the next key; answers it with the seconds that it has waited."""
        while (taken := self.pop_ready()) is None:
            self._wake.clear()
            await self._wait_for_key()
        if self._ready:
            self._wake.set()
        return taken

    async def _wait_for_key(self) -> None:
        pause = self._heap[0][0] - self._clock() if self._heap else None
        with contextlib.suppress(TimeoutError):
            # Not wait_for, which makes a task: at its end kopf waits 5 s for tasks that are younger than itself.
            async with asyncio.timeout(pause):
                await self._wake.wait()

    def __len__(self) -> int:
        return sum(len(keys) for keys in self._ready.values())
