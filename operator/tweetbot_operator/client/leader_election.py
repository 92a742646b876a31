"""Which replica acts: every one watches and keeps its caches warm, and only the holder of the Lease makes passes.

Whether the Lease is over is judged as client-go does: by how long ago, on our own steady clock, we saw it change. No
two clocks are compared, so none has to be right. What the election cannot promise (a process that is stopped between
its look at the clock and its write) the API server refuses: every write carries the version it was planned from.
"""

import asyncio
import contextlib
import logging
import math
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from tweetbot_operator.client.errors import ApiFault, Conflict, Missing, NameTaken
from tweetbot_operator.client.lease import Lease, LeaseDoor, time_text
from tweetbot_operator.telemetry.logs import about
from tweetbot_operator.telemetry.metrics import LEADER, LEASE_TRANSITIONS

LOG = logging.getLogger(__name__)
#: Share by which the pause between two looks may be longer, so that the standbys do not fall into step.
_SPREAD = 0.2


class Leadership(Protocol):
    """What the workers and the door to the API server ask."""

    leading: asyncio.Event
    """Set while passes may be made."""

    def time_to_act(self) -> float:
        """Return for how many seconds a write that begins now may take; 0 when none may begin."""

    def leader_address(self) -> str:
        """Return where the replica that leads takes reports of progress; empty while that is not known, or this one."""

    async def run(self) -> None:
        """Stand for election for ever."""

    async def release(self) -> None:
        """Give up for good, so that another replica takes over at once."""


class Unopposed:
    """The leadership of an operator without a Lease: whoever runs it sees to it that it is the only one."""

    def __init__(self) -> None:
        self.leading = asyncio.Event()
        self.leading.set()
        LEADER.set(1)

    def time_to_act(self) -> float:
        """Return that a write may take as long as it likes."""
        return math.inf

    def leader_address(self) -> str:
        """Return that no other replica leads."""
        return ""

    async def run(self) -> None:
        """Do nothing: there is no election."""

    async def release(self) -> None:
        """Do nothing: there is no Lease."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Who stands, and the election's times in seconds: `retry` < `renew` < `lease`."""

    identity: str
    lease: int = 15
    """Without a renewal for so long, another may take over."""
    renew: float = 10
    """Without one for so long, the leader begins no further write."""
    retry: float = 2
    """Between two looks."""
    address: str = ""
    """Where this replica takes reports of progress, told to the others in the Lease."""


def end_at_once(why: str) -> None:
    """End the process without another line of Python: whatever it had in hand is another replica's by now."""
    LOG.error("the lease was lost while passes were made: ending", extra=about(why=why))
    os._exit(1)


class Elector:
    """Takes the Lease, renews it, and stands down in time when it cannot."""

    def __init__(
        self,
        door: LeaseDoor,
        terms: Terms,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        *,
        end: Callable[[str], None] = end_at_once,
        tell: Callable[[bool], None] = lambda leads: None,
    ) -> None:
        """`clock` is steady, in seconds; `now` is only written down; `end` ends the process; `tell` hears who leads."""
        self.leading = asyncio.Event()
        self._door, self._terms, self._clock, self._now, self._end = door, terms, clock, now, end
        self._tell = tell
        self._lease: Lease | None = None
        self._changed_at = 0.0
        self._renewed_at = -math.inf
        self._told = ""
        LEADER.set(0)

    def time_to_act(self) -> float:
        """Return the seconds until another may take over, or 0 once no write may begin any more."""
        now = self._clock()
        may_begin = self.leading.is_set() and self._left(now) > 0
        return self._renewed_at + self._terms.lease - now if may_begin else 0.0

    def leader_address(self) -> str:
        """Return the address in the Lease, unless this replica leads."""
        return self._lease.address if self._lease and not self.leading.is_set() else ""

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Stand for election for ever."""
        try:
            while True:
                await sleep(await self.look())
        except Exception as fault:  # a replica that neither leads nor stands by is of no use to anybody
            LOG.exception("the election failed by a fault of ours")
            self._lose(f"{type(fault).__name__}, see the traceback")

    async def look(self) -> float:
        """Take, renew or watch the Lease once; answers the seconds until the next look."""
        began = self._clock()
        if self.leading.is_set():
            self._check(began)
        led = self.leading.is_set()
        try:
            async with asyncio.timeout(self._patience(began)):
                await (self._renew(began) if led else self._stand(began))
        except (ApiFault, TimeoutError) as fault:
            self._note_fault(fault)
            if led:
                self._lease = None  # the answer to a write may have been lost: read it before the next try
        else:
            self._told = ""
        return self._pause()

    def _note_fault(self, fault: Exception) -> None:
        """Tell the first of a row of the same: an outage would else be told every two seconds."""
        faster = isinstance(fault, Conflict | NameTaken)  # another replica took it in this very moment
        level = logging.DEBUG if faster or repr(fault) == self._told else logging.WARNING
        self._told = "" if faster else repr(fault)
        LOG.log(level, "the lease cannot be read or written", extra=_fault(fault))

    def _check(self, now: float) -> None:
        """Stop acting while nobody else acts yet; later than that, somebody may have for a while."""
        if now >= self._renewed_at + self._terms.lease:
            self._lose("this process stood still for longer than the lease lasts")
        elif self._left(now) <= 0:
            self._step_back()
            LOG.warning("standing down: the lease could not be renewed", extra=about(seconds=self._terms.renew))

    def _patience(self, began: float) -> float:
        """A request that hangs must leave time for another one."""
        return min(self._terms.renew / 2, self._left(began))

    def _left(self, now: float) -> float:
        """Return the seconds until a leader without a renewal must stand down."""
        return max(self._renewed_at + self._terms.renew - now, 0.0) if self.leading.is_set() else math.inf

    def _pause(self) -> float:
        pause = self._terms.retry * random.uniform(1, 1 + _SPREAD)  # noqa: S311 - no secret
        return min(pause, self._left(self._clock()))

    async def _renew(self, began: float) -> None:
        if self._lease:
            try:
                return await self._take(self._lease, began)
            except (Conflict, Missing):
                LOG.info("the lease was touched by somebody else")
        lease = await self._read()
        if lease.holder not in ("", self._terms.identity):
            return self._lose(f"{lease.holder} holds it")
        return await self._take(lease, began)

    async def _read(self) -> Lease:
        try:
            return self._noted(await self._door.read())
        except Missing:
            return Lease("", 0)

    async def _stand(self, began: float) -> None:
        lease = await self._read()
        if lease.holder not in ("", self._terms.identity) and began < self._changed_at + lease.seconds:
            return
        await self._take(lease, began)
        self.leading.set()
        LEADER.set(1)
        self._tell(True)
        LOG.info("leading", extra=about(identity=self._terms.identity))
        with contextlib.suppress(ApiFault):  # an Event is a courtesy
            await self._door.tell("LeaderElection", f"{self._terms.identity} became leader", self._now())

    async def _take(self, lease: Lease, began: float) -> None:
        """Write the Lease as ours. It counts from before the request: others count from after it."""
        now, ours = time_text(self._now()), lease.holder == self._terms.identity
        mine = replace(
            lease,
            holder=self._terms.identity,
            seconds=self._terms.lease,
            address=self._terms.address,
            acquired=lease.acquired if ours else now,
            renewed=now,
            transitions=lease.transitions if ours or not lease.resource_version else lease.transitions + 1,
        )
        self._noted(await self._door.write(mine))
        self._renewed_at = began

    def _noted(self, lease: Lease) -> Lease:
        """Remember the Lease, and when it was first seen to say so: an annotation is no renewal."""
        if self._lease is None or lease != replace(self._lease, resource_version=lease.resource_version):
            self._changed_at = self._clock()
            LEASE_TRANSITIONS.set(lease.transitions)
        self._lease = lease
        return lease

    def _step_back(self) -> None:
        self.leading.clear()
        LEADER.set(0)
        self._tell(False)

    def _lose(self, why: str) -> None:
        self._step_back()
        self._end(why)

    async def release(self) -> None:
        """Give the Lease back, so that another replica need not wait for its end."""
        if not self.leading.is_set() or self._lease is None:
            return
        self._step_back()
        given_back = replace(self._lease, holder="", address="", seconds=1, renewed=time_text(self._now()))
        try:
            async with asyncio.timeout(self._terms.retry):
                await self._door.write(given_back)
        except (ApiFault, TimeoutError) as fault:
            LOG.warning("the lease was not given back", extra=_fault(fault))
        else:
            LOG.info("gave the lease back")


def _fault(fault: Exception) -> dict[str, dict[str, object]]:
    return about(fault=f"{type(fault).__name__}: {fault}")
