"""Mends what a watch has lost: once at the start everything is read, then metadata is compared.

What runs is compared every 45 s, so that no run waits long for news that never came; all else every ten minutes, or at
the next look after a watch began anew, as nobody tells what was deleted in between. Where nothing runs, a look asks
for nothing.
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
from tweetbot_operator.informers.handlers import EventHandler, Item
from tweetbot_operator.telemetry.logs import with_fields
from tweetbot_operator.telemetry.metrics import RESYNC_DRIFT

LOG = logging.getLogger(__name__)
#: What a run waits for. The fleet's TweetBots may be many; Jobs and Pods are as many as run, or ran just now.
_OF_RUNS: tuple[Kind, ...] = ("jobs", "pods")
#: Seconds between two comparisons of everything: one metadata-only LIST per kind.
RESYNC_SECONDS = 600.0
#: Seconds between two comparisons of Jobs and Pods while any run, so that a lost event costs a minute.
JOB_RESYNC_SECONDS = 45.0
#: Share by which two looks' distance varies, so that operators do not fall into step.
_SPREAD = 0.1
#: Times as long as the lists took is the pause after them at least: 20,000 Jobs and Pods take some seconds to read.
_RESPITE = 20
#: Seconds that a watch may be behind a LIST before what it did not show counts as lost.
_LAG = 5.0
#: Comparisons of a kind in a row that found something lost, after which its watch counts as dead.
_STRIKES = 2


@dataclass(frozen=True, slots=True)
class _Drift:
    """What cache and API server disagree on; without a trace it is gone."""

    kind: Kind
    uid: str
    resource_version: int
    """The version that its watch must have come to, to have shown it."""
    metadata: ObjectMeta | None = None


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
        self._drift_counts: Counter[Kind] = Counter()

    async def list_initial(self) -> None:
        """Read everything, Pods first, so that the first pass sees what runs. Raises Missing without the CRD."""
        for kind in reversed(KINDS):
            async for item in self._cluster.list_all(kind):
                self._event_handler.put(item)
        self._last = self._all_at = self._clock()

    @property
    def healthy(self) -> bool:
        """Whether a comparison succeeded within two and a half periods, and no watch is found dead."""
        recent = self._last is not None and self._clock() - self._last < 2.5 * RESYNC_SECONDS
        return recent and all(strikes < _STRIKES for strikes in self._drift_counts.values())

    def mark_stale(self) -> None:
        """Have the next look compare everything: a watch began anew, and what went meanwhile it does not tell."""
        self._stale = True

    async def run(self) -> None:
        """Look for ever; what fails is tried again at the next look, and `healthy` says so in the end."""
        while True:
            pause = max(JOB_RESYNC_SECONDS, _RESPITE * self._took)
            await self._sleep(pause * random.uniform(1 - _SPREAD, 1 + _SPREAD))  # noqa: S311 - no secret
            if kinds := self._choose_kinds():
                await self._compare_safely(kinds)

    def _choose_kinds(self) -> tuple[Kind, ...]:
        if self._stale or self._clock() - self._all_at >= RESYNC_SECONDS:
            return KINDS
        return _OF_RUNS if self._has_active_objects() else ()

    def _has_active_objects(self) -> bool:
        jobs, pods = self._event_handler.cache.jobs.list_all(), self._event_handler.cache.pods.list_all()
        return any(job.deleting or not job.finished for job in jobs) or any(
            pod.deleting_at or not pod.ended for pod in pods
        )

    async def _compare_safely(self, kinds: tuple[Kind, ...]) -> None:
        try:
            drift = await self.compare(kinds)
        except ApiError as fault:
            LOG.warning("resync failed", extra=with_fields(fault=str(fault)))
        except Exception:  # a bug here must not leave the watches unwatched without a word
            LOG.exception("resync failed by a fault of ours")
        else:
            if drift:
                LOG.warning("the watches had lost something", extra=with_fields(objects=drift))

    async def compare(self, kinds: tuple[Kind, ...] = KINDS) -> int:
        """Mend the cache; answers how many objects it had wrong."""
        doubtful, self._stale = self._stale, self._stale and kinds != KINDS
        try:
            began = self._clock()
            suspects = [suspect for kind in kinds for suspect in await self._find_drift(kind)]
            self._took = self._clock() - began
            lost = await self._mend_all(suspects)
        except BaseException:
            self._stale = self._stale or doubtful
            raise
        self._last = self._clock()
        self._all_at = self._last if kinds == KINDS else self._all_at
        for kind in kinds:
            RESYNC_DRIFT.labels(kind=kind).inc(lost[kind])
            # What is lost while a watch begins anew is no sign that it is dead now.
            self._drift_counts[kind] = self._drift_counts[kind] + (not doubtful) if lost[kind] else 0
        return lost.total()

    async def _mend_all(self, suspects: list[_Drift]) -> Counter[Kind]:
        """Mend what is still wrong after the watches had time to tell; answers how much they had lost, by kind."""
        lost: Counter[Kind] = Counter()
        if suspects:
            before = dict(self._event_handler.observed_versions)
            await self._sleep(_LAG)
        for suspect in suspects:
            late = before[suspect.kind] < self._event_handler.observed_versions[suspect.kind] < suspect.resource_version
            lost[suspect.kind] += await self._mend(suspect, late)
        return lost

    async def _find_drift(self, kind: Kind) -> list[_Drift]:
        """Return what the cache holds and the API server does not, or has newer."""
        held = {item.uid for item in self._event_handler.get_indexer(kind).list_all()}
        listed = {trace.uid: trace async for trace in self._cluster.list_metadata(kind)}
        newest = max((int(trace.resource_version) for trace in listed.values()), default=0)
        gone = [_Drift(kind, uid, newest) for uid in held if uid not in listed]
        behind = [trace for trace in listed.values() if self._is_behind(kind, trace)]
        return gone + [_Drift(kind, trace.uid, int(trace.resource_version), trace) for trace in behind]

    def _is_behind(self, kind: Kind, metadata: ObjectMeta) -> bool:
        known = self._event_handler.get_indexer(kind).get(metadata.uid)
        return known is None or int(known.resource_version) < int(metadata.resource_version)

    async def _mend(self, suspect: _Drift, late: bool) -> bool:
        """Mend one object; answers whether its watch had lost it. What is late, as in a flood, comes by itself."""
        kind, trace = suspect.kind, suspect.metadata
        if trace is None:
            return self._event_handler.delete(kind, suspect.uid, suspect.resource_version) and not late
        if late or not self._is_behind(kind, trace):
            return False
        readers: dict[Kind, Callable[[str, str], Awaitable[Item]]] = {
            "tweetbots": self._cluster.get_bot,
            "jobs": self._cluster.get_job,
            "pods": self._cluster.get_pod,
        }
        try:
            return self._event_handler.put(await readers[kind](trace.namespace, trace.name))
        except NotFound:
            return False
