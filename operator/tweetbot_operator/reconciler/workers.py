"""A fixed number of workers: each takes a key, makes a pass, and requeues the key."""

import asyncio
import logging
import time

from tweetbot_operator.client.errors import ApiError, NotLeader
from tweetbot_operator.informers.workqueue import LAST_PAUSE, WorkQueue
from tweetbot_operator.reconciler.reconciler import Reconciler
from tweetbot_operator.telemetry.logs import open_log_context, with_fields
from tweetbot_operator.telemetry.metrics import QUEUE_DEPTH, QUEUE_SECONDS, RECONCILE_SECONDS, RECONCILES, RETRIES
from tweetbot_operator.types.objects import Key

LOG = logging.getLogger(__name__)
#: Seconds before a pass that found the lease lost is tried again; by then the elector knows who leads.
_NOT_LEADER_PAUSE = 1.0
#: Seconds at most between tries after a fault of the API server: it hits all passes, and all go on soon after its end.
_LONGEST_FAULT_PAUSE = 30.0


class Workers:
    """Run passes until drained."""

    def __init__(self, queue: WorkQueue, reconciler: Reconciler, count: int, *, leading: asyncio.Event) -> None:
        """`leading` is set while passes may be made; until then keys stay in the queue."""
        self._queue, self._reconciler, self._count = queue, reconciler, count
        self._leading = leading
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._draining = False

    def start(self) -> None:
        """Start the workers on the running loop."""
        for number in range(self._count):
            self._tasks.add(asyncio.create_task(self._work(), name=f"worker-{number}"))

    async def drain(self, seconds: float) -> None:
        """Take no more keys, and give the passes in flight this long to end."""
        self._draining = True
        for task in self._tasks - self._busy:
            task.cancel()
        if self._busy:
            await asyncio.wait(self._busy, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        me = asyncio.current_task()
        while not self._draining:
            await asyncio.sleep(0)  # passes with nothing to do never wait, and ten thousand of them take seconds
            await self._leading.wait()
            key, waited = await self._queue.get()
            if not self._leading.is_set():
                self._queue.add(key)  # for when we lead again
                self._queue.done(key)
                continue
            QUEUE_SECONDS.observe(waited)
            QUEUE_DEPTH.set(len(self._queue))
            if me:
                self._busy.add(me)
            try:
                await self._reconcile_one(key)
            finally:
                self._queue.done(key)
                if me:
                    self._busy.discard(me)

    async def _reconcile_one(self, key: Key) -> None:
        began = time.monotonic()
        with open_log_context(namespace=key[0], name=key[1]):
            try:
                result = await self._reconciler.reconcile(key)
            except NotLeader:
                RECONCILES.labels(result="dropped").inc()
                self._queue.add_after(key, _NOT_LEADER_PAUSE)
            except ApiError as fault:
                self._try_again(key, "retry", f"{type(fault).__name__}: {fault}", longest=_LONGEST_FAULT_PAUSE)
            except Exception:  # the last line of defence: one TweetBot's bug must not stop the others
                LOG.exception("pass failed by a bug")
                self._try_again(key, "bug", "see the traceback")
            else:
                RECONCILES.labels(result="done" if result.done else "later").inc()
                if result.done:
                    self._queue.forget(key)
                self._queue.add_after(key, result.requeue_after)
        RECONCILE_SECONDS.observe(time.monotonic() - began)

    def _try_again(self, key: Key, result: str, fault: str, longest: float = LAST_PAUSE) -> None:
        RECONCILES.labels(result=result).inc()
        RETRIES.inc()
        pause = self._queue.add_rate_limited(key, longest)
        LOG.warning("pass failed, tried again", extra=with_fields(fault=fault, seconds=round(pause, 1)))
