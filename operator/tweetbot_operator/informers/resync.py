"""Repairs what a watch has lost: everything is read once at the start, then metadata is compared.

While something runs, Jobs and Pods are compared every 45 s, so that no run waits long for a lost event; everything is
compared every ten minutes, and at the next check after a watch was opened again, as no watch reports what was deleted
before. While nothing runs, a check sends no request.

A version below one that was known means that etcd was restored from a backup: an answer to a request without a version
is never late, as it comes from etcd's quorum. Nothing that is known need be true then, and a watch would stay silent
until versions reach where it was. So everything is forgotten, read again, and watched again.
"""

import asyncio
import logging
import math
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tweetbot_operator.client.errors import ApiError, NotFound
from tweetbot_operator.client.interface import KINDS, Cluster, Kind, ObjectMeta
from tweetbot_operator.informers.cache import EventHandler, Item
from tweetbot_operator.telemetry.logs import with_fields
from tweetbot_operator.telemetry.metrics import RESYNC_DRIFT, WATCH_RESTARTS

LOG = logging.getLogger(__name__)
#: What a run waits for. TweetBots may be many; Jobs and Pods are only as many as run or ended recently.
_RUN_KINDS: tuple[Kind, ...] = ("jobs", "pods")
#: Seconds between two comparisons of everything: one metadata-only LIST per kind.
RESYNC_SECONDS = 600.0
#: Seconds between two comparisons of Jobs and Pods while any run, so that a lost event costs a minute.
JOB_RESYNC_SECONDS = 45.0
#: Seconds between two looks at the versions of the lists: one object's metadata per kind.
VERSION_SECONDS = 15.0
#: Share by which these pauses vary, so that operators do not fall into step.
_SPREAD = 0.1
#: A pause is at least this many times as long as the lists took: 20,000 Jobs and Pods take some seconds to read.
_PAUSE_PER_LIST = 20
#: Seconds that a watch may be behind a LIST before what it did not show counts as lost.
_WATCH_LAG_SECONDS = 5.0
#: Comparisons of a kind in a row that found something lost, after which its watch counts as dead.
_MAX_DRIFTS = 2


class _Restored(Exception):
    """A version lies below one that was known before the request."""


@dataclass(frozen=True, slots=True)
class _Drift:
    """An object on which cache and API server disagree."""

    kind: Kind
    uid: str
    resource_version: int
    """The version that its watch must have reached to have shown it."""
    metadata: ObjectMeta | None = None
    """None if the API server does not have it any more."""


class Resync:
    """Compares what the API server lists with what the cache holds."""

    def __init__(
        self,
        cluster: Cluster,
        event_handler: EventHandler,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._cluster, self._event_handler = cluster, event_handler
        self._clock, self._sleep = clock, sleep
        self._took = 0.0
        self._last: float | None = None
        self._all_at = -math.inf
        self._stale = False
        self._restored = False
        self._listed_versions: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        self._lock = asyncio.Lock()
        self._suspicion: asyncio.Task[None] | None = None
        self.on_restore: Callable[[], None] = lambda: None
        """Called when etcd was restored, after the cache has forgotten everything and before it is filled again."""
        self._drift_counts: Counter[Kind] = Counter()

    async def list_initial(self) -> None:
        """Read everything, Pods first, so that the first pass sees what runs. Raises NotFound without the CRD."""
        for kind in reversed(KINDS):
            async for item in self._cluster.list_all(kind):
                self._event_handler.put(item)
        self._last = self._all_at = self._clock()

    @property
    def healthy(self) -> bool:
        """Whether a comparison succeeded within two and a half periods, and no watch is dead.

        After a restore it is not, until everything was read again.
        """
        if self._restored:
            return False
        recent = self._last is not None and self._clock() - self._last < 2.5 * RESYNC_SECONDS
        return recent and all(drifts < _MAX_DRIFTS for drifts in self._drift_counts.values())

    def mark_stale(self) -> None:
        """Compare everything at the next check: a watch was opened again, and missed what was deleted before."""
        self._stale = True

    def suspect_restore(self) -> None:
        """Compare everything at once: something else has a version below a known one."""
        self._suspicion = asyncio.create_task(self._compare_safely(KINDS))

    async def run(self) -> None:
        """Check until cancelled; failures are repeated at the next check, and show in `healthy` in the end."""
        while True:
            pause = max(JOB_RESYNC_SECONDS, _PAUSE_PER_LIST * self._took)
            await self._sleep(pause * random.uniform(1 - _SPREAD, 1 + _SPREAD))  # noqa: S311 - no secret
            if kinds := self._choose_kinds():
                await self._compare_safely(kinds)

    async def watch_versions(self) -> None:
        """Look until cancelled whether etcd was restored, also while nothing runs."""
        while True:
            await self._sleep(VERSION_SECONDS)
            try:
                await self._check_versions()
            except _Restored:
                await self._compare_safely(KINDS)
            except ApiError as fault:
                LOG.debug("versions cannot be read", extra=with_fields(fault=str(fault)))

    def _choose_kinds(self) -> tuple[Kind, ...]:
        if self._stale or self._clock() - self._all_at >= RESYNC_SECONDS:
            return KINDS
        return _RUN_KINDS if self._has_active_objects() else ()

    def _has_active_objects(self) -> bool:
        jobs, pods = self._event_handler.cache.jobs.list_all(), self._event_handler.cache.pods.list_all()
        return any(job.deleting or not job.finished for job in jobs) or any(
            pod.deleting_at or not pod.ended for pod in pods
        )

    async def _compare_safely(self, kinds: tuple[Kind, ...]) -> None:
        try:
            async with self._lock:
                drift = await self.compare(kinds)
        except ApiError as fault:
            LOG.warning("resync failed", extra=with_fields(fault=str(fault)))
        except Exception:  # a bug here must not leave the watches unchecked without a word
            LOG.exception("bug in the resync")
        else:
            if drift:
                LOG.warning("the watches had lost something", extra=with_fields(objects=drift))

    async def compare(self, kinds: tuple[Kind, ...] = KINDS) -> int:
        """Repair the cache; return how many objects the watches had lost."""
        try:
            await self._check_versions()
            return await self._compare_objects(kinds)
        except _Restored:
            return await self._start_over()

    async def _check_versions(self) -> None:
        """Raises _Restored, also while what was restored is not read yet."""
        if self._restored:
            raise _Restored
        for kind in KINDS:
            known = max(self._listed_versions[kind], self._event_handler.get_newest_version(kind))
            version = await self._cluster.read_version(kind)
            self._listed_versions[kind] = max(self._listed_versions[kind], version)
            if version < known:
                raise _Restored

    async def _start_over(self) -> int:
        """Forget everything and read it again; return that the watches had lost nothing."""
        if not self._restored:
            LOG.error("versions went back, as etcd was restored from a backup: everything is read and watched again")
            WATCH_RESTARTS.labels(resource="all", cause="Restored").inc()
        self._restored = True
        self._event_handler.reset()
        self._listed_versions = dict.fromkeys(KINDS, 0)
        self._drift_counts.clear()
        self.on_restore()
        await self.list_initial()
        self._restored = self._stale = False
        return 0

    async def _compare_objects(self, kinds: tuple[Kind, ...]) -> int:
        stale, self._stale = self._stale, self._stale and kinds != KINDS
        try:
            began = self._clock()
            drifts = [drift for kind in kinds for drift in await self._find_drifts(kind)]
            self._took = self._clock() - began
            lost = await self._repair_all(drifts)
        except BaseException:
            self._stale = self._stale or stale
            raise
        self._last = self._clock()
        self._all_at = self._last if kinds == KINDS else self._all_at
        for kind in kinds:
            RESYNC_DRIFT.labels(kind=kind).inc(lost[kind])
            # What is lost while a watch is opened again does not mean that it is dead now.
            self._drift_counts[kind] = self._drift_counts[kind] + (not stale) if lost[kind] else 0
        return lost.total()

    async def _repair_all(self, drifts: list[_Drift]) -> Counter[Kind]:
        """Repair what is still wrong after the watches had time to catch up; count what they had lost, by kind."""
        lost: Counter[Kind] = Counter()
        if drifts:
            before = dict(self._event_handler.observed_versions)
            await self._sleep(_WATCH_LAG_SECONDS)
        for drift in drifts:
            late = before[drift.kind] < self._event_handler.observed_versions[drift.kind] < drift.resource_version
            lost[drift.kind] += await self._repair(drift, late)
        return lost

    async def _find_drifts(self, kind: Kind) -> list[_Drift]:
        """Return what only the cache holds, and what the API server has newer. Raises _Restored if it has one older."""
        held = {item.uid: int(item.resource_version) for item in self._event_handler.indexers[kind].list_all()}
        listed = {metadata.uid: metadata async for metadata in self._cluster.list_metadata(kind)}
        if any(held.get(uid, 0) > int(metadata.resource_version) for uid, metadata in listed.items()):
            raise _Restored
        newest = max((int(metadata.resource_version) for metadata in listed.values()), default=0)
        gone = [_Drift(kind, uid, newest) for uid in held if uid not in listed]
        behind = [metadata for metadata in listed.values() if self._is_behind(kind, metadata)]
        return gone + [_Drift(kind, metadata.uid, int(metadata.resource_version), metadata) for metadata in behind]

    def _is_behind(self, kind: Kind, metadata: ObjectMeta) -> bool:
        known = self._event_handler.indexers[kind].get(metadata.uid)
        return known is None or int(known.resource_version) < int(metadata.resource_version)

    async def _repair(self, drift: _Drift, late: bool) -> bool:
        """Repair one object; return whether its watch had lost it. A watch that is merely `late` still shows it."""
        kind, metadata = drift.kind, drift.metadata
        if metadata is None:
            return self._event_handler.delete(kind, drift.uid, drift.resource_version) and not late
        if late or not self._is_behind(kind, metadata):
            return False
        readers: dict[Kind, Callable[[str, str], Awaitable[Item]]] = {
            "tweetbots": self._cluster.get_bot,
            "jobs": self._cluster.get_job,
            "pods": self._cluster.get_pod,
        }
        try:
            return self._event_handler.put(await readers[kind](metadata.namespace, metadata.name))
        except NotFound:
            return False
