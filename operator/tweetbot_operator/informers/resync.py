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

from tweetbot_operator.client.errors import ApiFault, Missing
from tweetbot_operator.client.interface import KINDS, Cluster, Kind, Trace
from tweetbot_operator.informers.handlers import Intake, Item
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.telemetry.logs import about
from tweetbot_operator.telemetry.metrics import RESYNC_DRIFT

LOG = logging.getLogger(__name__)
#: What a run waits for. The fleet's TweetBots may be many; Jobs and Pods are as many as run, or ran just now.
_OF_RUNS: tuple[Kind, ...] = ("jobs", "pods")
#: Share by which two looks' distance varies, so that operators do not fall into step.
_SPREAD = 0.1
#: Times as long as the lists took is the pause after them at least: 20,000 Jobs and Pods take some seconds to read.
_RESPITE = 20
#: Seconds that a watch may be behind a LIST before what it did not show counts as lost.
_LAG = 5.0
#: Comparisons of a kind in a row that found something lost, after which its watch counts as dead.
_STRIKES = 2


@dataclass(frozen=True, slots=True)
class _Suspect:
    """What cache and API server disagree on; without a trace it is gone."""

    kind: Kind
    uid: str
    version: int
    """The version that its watch must have come to, to have shown it."""
    trace: Trace | None = None


class Resync:
    """Compares what the API server lists with what the cache holds."""

    def __init__(
        self,
        cluster: Cluster,
        intake: Intake,
        settings: OperatorSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._cluster, self._intake, self._seconds = cluster, intake, settings.resync_seconds
        self._pause = min(settings.look_seconds, settings.resync_seconds)
        self._clock, self._sleep = clock, sleep
        self._took = 0.0
        self._last: float | None = None
        self._all_at = -math.inf
        self._doubtful = False
        self._strikes: Counter[Kind] = Counter()

    async def prime(self) -> None:
        """Read everything, Pods first, so that the first pass sees what runs. Raises Missing without the CRD."""
        for kind in reversed(KINDS):
            async for item in self._cluster.everything(kind):
                self._intake.put(item)
        self._last = self._all_at = self._clock()

    @property
    def fresh(self) -> bool:
        """Whether a comparison succeeded within two and a half periods, and no watch is found dead."""
        recent = self._last is not None and self._clock() - self._last < 2.5 * self._seconds
        return recent and all(strikes < _STRIKES for strikes in self._strikes.values())

    def doubt(self) -> None:
        """Have the next look compare everything: a watch began anew, and what went meanwhile it does not tell."""
        self._doubtful = True

    async def run(self) -> None:
        """Look for ever; what fails is tried again at the next look, and `fresh` says so in the end."""
        while True:
            pause = max(self._pause, _RESPITE * self._took)
            await self._sleep(pause * random.uniform(1 - _SPREAD, 1 + _SPREAD))  # noqa: S311 - no secret
            if kinds := self._due():
                await self._look(kinds)

    def _due(self) -> tuple[Kind, ...]:
        if self._doubtful or self._clock() - self._all_at >= self._seconds:
            return KINDS
        return _OF_RUNS if self._anything_runs() else ()

    def _anything_runs(self) -> bool:
        jobs, pods = self._intake.cache.jobs.all(), self._intake.cache.pods.all()
        return any(job.deleting or not job.finished for job in jobs) or any(
            pod.deleting_at or not pod.ended for pod in pods
        )

    async def _look(self, kinds: tuple[Kind, ...]) -> None:
        try:
            drift = await self.compare(kinds)
        except ApiFault as fault:
            LOG.warning("resync failed", extra=about(fault=str(fault)))
        except Exception:  # a bug here must not leave the watches unwatched without a word
            LOG.exception("resync failed by a fault of ours")
        else:
            if drift:
                LOG.warning("the watches had lost something", extra=about(objects=drift))

    async def compare(self, kinds: tuple[Kind, ...] = KINDS) -> int:
        """Mend the cache; answers how many objects it had wrong."""
        doubtful, self._doubtful = self._doubtful, self._doubtful and kinds != KINDS
        try:
            began = self._clock()
            suspects = [suspect for kind in kinds for suspect in await self._suspects(kind)]
            self._took = self._clock() - began
            lost = await self._mend_all(suspects)
        except BaseException:
            self._doubtful = self._doubtful or doubtful
            raise
        self._last = self._clock()
        self._all_at = self._last if kinds == KINDS else self._all_at
        for kind in kinds:
            RESYNC_DRIFT.labels(kind=kind).inc(lost[kind])
            # What is lost while a watch begins anew is no sign that it is dead now.
            self._strikes[kind] = self._strikes[kind] + (not doubtful) if lost[kind] else 0
        return lost.total()

    async def _mend_all(self, suspects: list[_Suspect]) -> Counter[Kind]:
        """Mend what is still wrong after the watches had time to tell; answers how much they had lost, by kind."""
        lost: Counter[Kind] = Counter()
        if suspects:
            before = dict(self._intake.shown)
            await self._sleep(_LAG)
        for suspect in suspects:
            late = before[suspect.kind] < self._intake.shown[suspect.kind] < suspect.version
            lost[suspect.kind] += await self._mend(suspect, late)
        return lost

    async def _suspects(self, kind: Kind) -> list[_Suspect]:
        """Return what the cache holds and the API server does not, or has newer."""
        held = {item.uid for item in self._intake.shelf(kind).all()}
        listed = {trace.uid: trace async for trace in self._cluster.traces(kind)}
        newest = max((int(trace.resource_version) for trace in listed.values()), default=0)
        gone = [_Suspect(kind, uid, newest) for uid in held if uid not in listed]
        behind = [trace for trace in listed.values() if self._is_behind(kind, trace)]
        return gone + [_Suspect(kind, trace.uid, int(trace.resource_version), trace) for trace in behind]

    def _is_behind(self, kind: Kind, trace: Trace) -> bool:
        known = self._intake.shelf(kind).get(trace.uid)
        return known is None or int(known.resource_version) < int(trace.resource_version)

    async def _mend(self, suspect: _Suspect, late: bool) -> bool:
        """Mend one object; answers whether its watch had lost it. What is late, as in a flood, comes by itself."""
        kind, trace = suspect.kind, suspect.trace
        if trace is None:
            return self._intake.bury(kind, suspect.uid, suspect.version) and not late
        if late or not self._is_behind(kind, trace):
            return False
        readers: dict[Kind, Callable[[str, str], Awaitable[Item]]] = {
            "tweetbots": self._cluster.bot,
            "jobs": self._cluster.job,
            "pods": self._cluster.pod,
        }
        try:
            return self._intake.put(await readers[kind](trace.namespace, trace.name))
        except Missing:
            return False
