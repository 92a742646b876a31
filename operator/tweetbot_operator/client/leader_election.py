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

from tweetbot_operator.client.errors import AlreadyExists, ApiError, Conflict, NotFound
from tweetbot_operator.client.lease import Lease, LeaseClient, format_micro_time
from tweetbot_operator.telemetry.logs import with_fields
from tweetbot_operator.telemetry.metrics import LEADER, LEASE_TRANSITIONS

LOG = logging.getLogger(__name__)
#: Share by which the pause between two looks may be longer, so that the standbys do not fall into step.
_SPREAD = 0.2
#: Shares of the Lease's duration, as client-go's defaults of 15, 10 and 2 seconds.
RENEW_SHARE, RETRY_SHARE = 2 / 3, 2 / 15


class Leadership(Protocol):
    """What the workers and the door to the API server ask."""

    leading: asyncio.Event
    """Set while passes may be made."""

    def get_write_timeout(self) -> float:
        """Return for how many seconds a write that begins now may take; 0 when none may begin."""

    def get_leader_address(self) -> str:
        """Return where the replica that leads takes reports of progress; empty while that is not known, or this one."""

    async def run(self) -> None:
        """Stand for election for ever."""

    async def release(self) -> None:
        """Give up for good, so that another replica takes over at once."""


class NoElection:
    """The leadership of an operator without a Lease: whoever runs it sees to it that it is the only one."""

    def __init__(self) -> None:
        self.leading = asyncio.Event()
        self.leading.set()
        LEADER.set(1)

    def get_write_timeout(self) -> float:
        """Return that a write may take as long as it likes."""
        return math.inf

    def get_leader_address(self) -> str:
        """Return that no other replica leads."""
        return ""

    async def run(self) -> None:
        """Do nothing: there is no election."""

    async def release(self) -> None:
        """Do nothing: there is no Lease."""


@dataclass(frozen=True, slots=True)
class LeaderElectionConfig:
    """Who stands, and the election's times in seconds: `retry` < `renew_deadline` < `lease_duration`."""

    holder_identity: str
    lease_duration: int = 15
    """Without a renewal for so long, another may take over."""
    renew_deadline: float = 10
    """Without one for so long, the leader begins no further write."""
    retry_period: float = 2
    """Between two looks."""
    address: str = ""
    """Where this replica takes reports of progress, told to the others in the Lease."""


def exit_now(why: str) -> None:
    """End the process without another line of Python: whatever it had in hand is another replica's by now."""
    LOG.error("the lease was lost while passes were made: ending", extra=with_fields(why=why))
    os._exit(1)


class LeaderElector:
    """Takes the Lease, renews it, and stands down in time when it cannot."""

    def __init__(
        self,
        client: LeaseClient,
        config: LeaderElectionConfig,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        *,
        end: Callable[[str], None] = exit_now,
        on_change: Callable[[bool], None] = lambda leads: None,
    ) -> None:
        """`clock` is steady, in seconds; `now` is only written down; `end` ends the process; `tell` hears who leads."""
        self.leading = asyncio.Event()
        self._client, self._config, self._clock, self._now, self._end = client, config, clock, now, end
        self._on_change = on_change
        self._lease: Lease | None = None
        self._changed_at = 0.0
        self._renewed_at = -math.inf
        self._last_fault = ""
        LEADER.set(0)

    def get_write_timeout(self) -> float:
        """Return the seconds until another may take over, or 0 once no write may begin any more."""
        now = self._clock()
        may_begin = self.leading.is_set() and self._get_seconds_left(now) > 0
        return self._renewed_at + self._config.lease_duration - now if may_begin else 0.0

    def get_leader_address(self) -> str:
        """Return the address in the Lease, unless this replica leads."""
        return self._lease.address if self._lease and not self.leading.is_set() else ""

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Stand for election for ever."""
        try:
            while True:
                await sleep(await self.try_acquire_or_renew())
        except Exception as fault:  # a replica that neither leads nor stands by is of no use to anybody
            LOG.exception("the election failed by a fault of ours")
            self._lose(f"{type(fault).__name__}, see the traceback")

    async def try_acquire_or_renew(self) -> float:
        """Take, renew or watch the Lease once; answers the seconds until the next look."""
        began = self._clock()
        if self.leading.is_set():
            self._check_deadlines(began)
        led = self.leading.is_set()
        try:
            async with asyncio.timeout(self._compute_timeout(began)):
                await (self._renew(began) if led else self._try_acquire(began))
        except (ApiError, TimeoutError) as fault:
            self._note_fault(fault)
            if led:
                self._lease = None  # the answer to a write may have been lost: read it before the next try
        else:
            self._last_fault = ""
        return self._compute_pause()

    def _note_fault(self, fault: Exception) -> None:
        """Tell the first of a row of the same: an outage would else be told every two seconds."""
        faster = isinstance(fault, Conflict | AlreadyExists)  # another replica took it in this very moment
        level = logging.DEBUG if faster or repr(fault) == self._last_fault else logging.WARNING
        self._last_fault = "" if faster else repr(fault)
        LOG.log(level, "the lease cannot be read or written", extra=_build_fault_fields(fault))

    def _check_deadlines(self, now: float) -> None:
        """Stop acting while nobody else acts yet; later than that, somebody may have for a while."""
        if now >= self._renewed_at + self._config.lease_duration:
            self._lose("this process stood still for longer than the lease lasts")
        elif self._get_seconds_left(now) <= 0:
            self._stop_leading()
            LOG.warning(
                "standing down: the lease could not be renewed", extra=with_fields(seconds=self._config.renew_deadline)
            )

    def _compute_timeout(self, began: float) -> float:
        """A request that hangs must leave time for another one."""
        return min(self._config.renew_deadline / 2, self._get_seconds_left(began))

    def _get_seconds_left(self, now: float) -> float:
        """Return the seconds until a leader without a renewal must stand down."""
        return max(self._renewed_at + self._config.renew_deadline - now, 0.0) if self.leading.is_set() else math.inf

    def _compute_pause(self) -> float:
        pause = self._config.retry_period * random.uniform(1, 1 + _SPREAD)  # noqa: S311 - no secret
        return min(pause, self._get_seconds_left(self._clock()))

    async def _renew(self, began: float) -> None:
        if self._lease:
            try:
                return await self._write_lease(self._lease, began)
            except (Conflict, NotFound):
                LOG.info("the lease was touched by somebody else")
        lease = await self._read()
        if lease.holder not in ("", self._config.holder_identity):
            return self._lose(f"{lease.holder} holds it")
        return await self._write_lease(lease, began)

    async def _read(self) -> Lease:
        try:
            return self._observe(await self._client.read())
        except NotFound:
            return Lease("", 0)

    async def _try_acquire(self, began: float) -> None:
        lease = await self._read()
        if lease.holder not in ("", self._config.holder_identity) and began < self._changed_at + lease.seconds:
            return
        await self._write_lease(lease, began)
        self.leading.set()
        LEADER.set(1)
        self._on_change(True)
        LOG.info("leading", extra=with_fields(identity=self._config.holder_identity))
        with contextlib.suppress(ApiError):  # an Event is a courtesy
            await self._client.post_event(
                "LeaderElection", f"{self._config.holder_identity} became leader", self._now()
            )

    async def _write_lease(self, lease: Lease, began: float) -> None:
        """Write the Lease as ours. It counts from before the request: others count from after it."""
        now, ours = format_micro_time(self._now()), lease.holder == self._config.holder_identity
        mine = replace(
            lease,
            holder=self._config.holder_identity,
            seconds=self._config.lease_duration,
            address=self._config.address,
            acquired=lease.acquired if ours else now,
            renewed=now,
            transitions=lease.transitions if ours or not lease.resource_version else lease.transitions + 1,
        )
        self._observe(await self._client.write(mine))
        self._renewed_at = began

    def _observe(self, lease: Lease) -> Lease:
        """Remember the Lease, and when it was first seen to say so: an annotation is no renewal."""
        if self._lease is None or lease != replace(self._lease, resource_version=lease.resource_version):
            self._changed_at = self._clock()
            LEASE_TRANSITIONS.set(lease.transitions)
        self._lease = lease
        return lease

    def _stop_leading(self) -> None:
        self.leading.clear()
        LEADER.set(0)
        self._on_change(False)

    def _lose(self, why: str) -> None:
        self._stop_leading()
        self._end(why)

    async def release(self) -> None:
        """Give the Lease back, so that another replica need not wait for its end."""
        if not self.leading.is_set() or self._lease is None:
            return
        self._stop_leading()
        given_back = replace(self._lease, holder="", address="", seconds=1, renewed=format_micro_time(self._now()))
        try:
            async with asyncio.timeout(self._config.retry_period):
                await self._client.write(given_back)
        except (ApiError, TimeoutError) as fault:
            LOG.warning("the lease was not given back", extra=_build_fault_fields(fault))
        else:
            LOG.info("gave the lease back")


def _build_fault_fields(fault: Exception) -> dict[str, dict[str, object]]:
    return with_fields(fault=f"{type(fault).__name__}: {fault}")
