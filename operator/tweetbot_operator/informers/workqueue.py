"""The TweetBots to reconcile: each key once, never two workers on one, no namespace first, failures with backoff."""

import asyncio
import contextlib
import heapq
import random
from collections import Counter, OrderedDict
from collections.abc import Callable

from tweetbot_operator.types.objects import Key
from tweetbot_operator.types.times import compute_backoff

#: Seconds of the pauses after failed passes, doubled from the first to the last, ±20 % to spread them out.
FIRST_PAUSE, LAST_PAUSE, SPREAD = 1.0, 300.0, 0.2


class WorkQueue:
    """As client-go's: a key is ready, being processed, or due later. Added during its pass, it is ready again after."""

    def __init__(
        self,
        clock: Callable[[], float],
        jitter: Callable[[float, float], float] = random.uniform,
        *,
        max_per_namespace: int = 1_000_000,
    ) -> None:
        """`clock` is monotonic; `jitter` draws from a range; `max_per_namespace` keys are processed at once."""
        self._clock, self._jitter, self._max = clock, jitter, max_per_namespace
        self._ready: OrderedDict[str, OrderedDict[Key, float]] = OrderedDict()
        self._processing: set[Key] = set()
        self._active: Counter[str] = Counter()
        self._dirty: set[Key] = set()
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, Key]] = []
        self._failures: dict[Key, int] = {}
        self._wake = asyncio.Event()

    def add(self, key: Key) -> None:
        """Ask for a pass as soon as a worker is free."""
        if key in self._processing:
            self._dirty.add(key)
            return
        self._ready.setdefault(key[0], OrderedDict()).setdefault(key, self._clock())
        self._wake.set()

    def add_after(self, key: Key, seconds: float | None) -> None:
        """Ask for a pass later, in place of an earlier such request; None withdraws it."""
        if seconds is None:
            self._due.pop(key, None)
            return
        self._due[key] = self._clock() + max(seconds, 0.0)
        heapq.heappush(self._heap, (self._due[key], key))
        self._wake.set()

    def add_rate_limited(self, key: Key, longest: float = LAST_PAUSE) -> float:
        """Ask for a pass after a pause that grows with each failure; return the pause in seconds."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        pause = compute_backoff(failures, FIRST_PAUSE, longest) * self._jitter(1 - SPREAD, 1 + SPREAD)
        self.add_after(key, pause)
        return pause

    def forget(self, key: Key) -> None:
        """Reset the count of failures."""
        self._failures.pop(key, None)

    def remove(self, key: Key) -> None:
        """Forget an object that is gone."""
        self.forget(key)
        self._due.pop(key, None)

    def mark_seen(self, key: Key) -> None:
        """The key's pass reads the cache now: what was added before needs no other pass."""
        self._dirty.discard(key)

    def done(self, key: Key) -> None:
        """End the processing of a key; if it was added meanwhile, it is ready again."""
        self._processing.discard(key)
        self._active[key[0]] -= 1
        if not self._active[key[0]]:
            del self._active[key[0]]
        if self._ready:
            self._wake.set()
        if key in self._dirty:
            self._dirty.discard(key)
            self.add(key)

    def pop_ready(self) -> tuple[Key, float] | None:
        """Take the next key, with the seconds it has waited; None if nothing is ready."""
        self._move_due()
        if (namespace := self._choose_namespace()) is None:
            return None
        keys = self._ready.pop(namespace)
        key, since = keys.popitem(last=False)
        if keys:
            self._ready[namespace] = keys  # at the end: the other namespaces come first
        self._processing.add(key)
        self._active[namespace] += 1
        return key, self._clock() - since

    def _choose_namespace(self) -> str | None:
        """Return the namespace of which the fewest keys are processed; of several, the one not served for longest."""
        chosen, fewest = None, self._max
        for name in self._ready:
            if self._active[name] < fewest:
                chosen, fewest = name, self._active[name]
            if not fewest:
                break
        return chosen

    def _move_due(self) -> None:
        now = self._clock()
        while self._heap and self._heap[0][0] <= now:
            when, key = heapq.heappop(self._heap)
            if self._due.get(key) == when:
                del self._due[key]
                self.add(key)

    async def get(self) -> tuple[Key, float]:
        """Wait for the next key; return it with the seconds it has waited."""
        while (taken := self.pop_ready()) is None:
            self._wake.clear()
            await self._wait_for_key()
        if self._ready:
            self._wake.set()
        return taken

    async def _wait_for_key(self) -> None:
        pause = self._heap[0][0] - self._clock() if self._heap else None
        with contextlib.suppress(TimeoutError):
            # Not wait_for, which makes a task: at its end kopf waits 5 s for tasks younger than itself.
            async with asyncio.timeout(pause):
                await self._wake.wait()

    def __len__(self) -> int:
        return sum(len(keys) for keys in self._ready.values())
