"""Mends what a watch has lost: once at the start everything is read, then metadata is compared every ten minutes."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from tweetbot_operator.cluster import KINDS, Cluster, Kind, Trace
from tweetbot_operator.errors import ApiFault, Missing
from tweetbot_operator.intake import Intake, Item
from tweetbot_operator.logs import about
from tweetbot_operator.metrics import RESYNC_DRIFT

LOG = logging.getLogger(__name__)
#: Share by which two resyncs' distance varies, so that operators do not fall into step.
_SPREAD = 0.1
#: Seconds that a watch may be behind a LIST before what it did not show counts as lost.
_LAG = 5.0
#: Resyncs in a row that found something lost, after which the watches count as dead.
_STRIKES = 2


class Resync:
    """Compares what the API server lists with what the cache holds."""

    def __init__(
        self,
        cluster: Cluster,
        intake: Intake,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._cluster, self._intake, self._seconds = cluster, intake, seconds
        self._clock, self._sleep = clock, sleep
        self._last: float | None = None
        self._strikes = 0

    async def prime(self) -> None:
        """Read everything, Pods first, so that the first pass sees what runs. Raises Missing without the CRD."""
        for kind in reversed(KINDS):
            async for item in self._cluster.everything(kind):
                self._intake.put(item)
        self._last = self._clock()

    @property
    def fresh(self) -> bool:
        """Whether a resync succeeded within two and a half periods, and the watches are not found dead."""
        recent = self._last is not None and self._clock() - self._last < 2.5 * self._seconds
        return recent and self._strikes < _STRIKES

    async def run(self) -> None:
        """Compare for ever; what fails is tried again a period later, and `fresh` says so in the end."""
        while True:
            await self._sleep(self._seconds * random.uniform(1 - _SPREAD, 1 + _SPREAD))  # noqa: S311 - no secret
            try:
                drift = await self.compare()
            except ApiFault as fault:
                LOG.warning("resync failed", extra=about(fault=str(fault)))
            except Exception:  # a bug here must not leave the watches unwatched without a word
                LOG.exception("resync failed by a fault of ours")
            else:
                if drift:
                    LOG.warning("the watches had lost something", extra=about(objects=drift))

    async def compare(self) -> int:
        """Mend the cache; answers how many objects it had wrong."""
        suspects = [suspect for kind in KINDS for suspect in await self._suspects(kind)]
        if suspects:
            await self._sleep(_LAG)
        drift = 0
        for kind, uid, trace in suspects:
            lost = await self._mend(kind, uid, trace)
            RESYNC_DRIFT.labels(kind=kind).inc(lost)
            drift += lost
        self._last = self._clock()
        self._strikes = self._strikes + 1 if drift else 0
        return drift

    async def _suspects(self, kind: Kind) -> list[tuple[Kind, str, Trace | None]]:
        """Return what the cache holds and the API server does not (without a trace), or has newer."""
        held = {item.uid for item in self._intake.shelf(kind).all()}
        listed = {trace.uid: trace async for trace in self._cluster.traces(kind)}
        gone: list[tuple[Kind, str, Trace | None]] = [(kind, uid, None) for uid in held if uid not in listed]
        return gone + [(kind, uid, trace) for uid, trace in listed.items() if self._is_behind(kind, trace)]

    def _is_behind(self, kind: Kind, trace: Trace) -> bool:
        known = self._intake.shelf(kind).get(trace.uid)
        return known is None or int(known.resource_version) < int(trace.resource_version)

    async def _mend(self, kind: Kind, uid: str, trace: Trace | None) -> bool:
        if trace is None:
            return self._intake.bury(kind, uid)
        if not self._is_behind(kind, trace):
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
