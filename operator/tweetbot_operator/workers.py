"""A bounded set of workers: each takes a key, makes a pass, and says when the next is due."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime

from tweetbot_operator.errors import ApiFault
from tweetbot_operator.logs import about, subject
from tweetbot_operator.metrics import QUEUE_DEPTH, QUEUE_SECONDS, RECONCILE_SECONDS, RECONCILES, RETRIES
from tweetbot_operator.queue import KeyedQueue
from tweetbot_operator.reconcile import Reconciler
from tweetbot_operator.views import Key

LOG = logging.getLogger(__name__)


class Workers:
    """Runs passes until it is told to drain."""

    def __init__(self, queue: KeyedQueue, reconciler: Reconciler, count: int, now: Callable[[], datetime]) -> None:
        self._queue, self._reconciler, self._count, self._now = queue, reconciler, count, now
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Start the workers on the running loop."""
        for number in range(self._count):
            self._tasks.add(asyncio.create_task(self._work(), name=f"worker-{number}"))

    async def drain(self, seconds: float) -> None:
        """Take nothing more, and give the passes in flight some time to end."""
        for task in self._tasks - self._busy:
            task.cancel()
        if self._busy:
            await asyncio.wait(self._busy, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        me = asyncio.current_task()
        while True:
            key, waited = await self._queue.take()
            QUEUE_SECONDS.observe(waited)
            QUEUE_DEPTH.set(len(self._queue))
            if me:
                self._busy.add(me)
            try:
                await self._one_pass(key)
            finally:
                self._queue.done(key)
                if me:
                    self._busy.discard(me)

    async def _one_pass(self, key: Key) -> None:
        began = time.monotonic()
        with subject(namespace=key[0], name=key[1]):
            try:
                wake_at = await self._reconciler.reconcile(key)
            except ApiFault as fault:
                self._try_again(key, "retry", f"{type(fault).__name__}: {fault}")
            except Exception:  # the last line of defence: one TweetBot's bug must not stop the others
                LOG.exception("pass failed by a fault of ours")
                self._try_again(key, "bug", "see the traceback")
            else:
                RECONCILES.labels(result="done").inc()
                self._queue.forgive(key)
                self._queue.add_after(key, None if wake_at is None else (wake_at - self._now()).total_seconds())
        RECONCILE_SECONDS.observe(time.monotonic() - began)

    def _try_again(self, key: Key, result: str, fault: str) -> None:
        RECONCILES.labels(result=result).inc()
        RETRIES.inc()
        pause = self._queue.retry(key)
        LOG.warning("pass failed, tried again", extra=about(fault=fault, seconds=round(pause, 1)))
