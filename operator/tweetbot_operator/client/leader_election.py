"""Which replica acts: all of them watch and keep their caches warm, but only the holder of the Lease makes passes.

As in client-go, a Lease has expired when our own monotonic clock says that we have not seen it change for its duration.
No two clocks are compared, so none has to be right. A process may still be stopped between its look at the clock and
its write; the API server then refuses the write, as each carries the version that it was planned from.
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

from tweetbot_operator.client.errors import AlreadyExists, ApiError, Conflict, NotFound
from tweetbot_operator.client.lease import Lease, LeaseClient
from tweetbot_operator.telemetry.logs import with_fields
from tweetbot_operator.telemetry.metrics import LEADER, LEASE_TRANSITIONS
from tweetbot_operator.types.times import format_micro_time

LOG = logging.getLogger(__name__)
#: Share by which the pause between two tries may be longer, so that standbys do not fall into step.
_SPREAD = 0.2
#: Shares of the Lease's duration, as client-go's defaults of 15, 10 and 2 seconds.
RENEW_SHARE, RETRY_SHARE = 2 / 3, 2 / 15


class Leadership:
    """Leads always, as an operator without a Lease must. LeaderElector leads only while it holds the Lease."""

    def __init__(self) -> None:
        self.leading = asyncio.Event()
        """Set while passes may be made."""
        self.on_change: Callable[[bool], None] = lambda leads: None
        """Called with whether this replica leads, after each change."""
        self.on_restore: Callable[[], None] = lambda: None
        """Called when the Lease has an older version than it had, as after a restore of etcd from a backup."""
        self.leading.set()
        LEADER.set(1)

    def get_write_timeout(self) -> float:
        """Return how many seconds a write that begins now may take; 0: none may begin."""
        return math.inf

    async def run(self) -> None:
        """Take part in the election until cancelled, if there is one."""

    async def release(self) -> None:
        """Stop leading for good, so that another replica takes over at once."""


@dataclass(frozen=True, slots=True)
class LeaderElectionConfig:
    """Who takes part, and client-go's three times in seconds: retry period < renew deadline < lease duration."""

    holder_identity: str
    lease_duration: int = 15
    """Time without a renewal after which another replica may take over."""
    renew_deadline: float = 10
    """Time without a renewal after which the leader begins no further write."""
    retry_period: float = 2
    """Time between two tries to acquire or renew."""


def exit_now(why: str) -> None:
    """End the process without running another line: what it was doing is another replica's by now."""
    LOG.error("the lease was lost while passes were made: ending", extra=with_fields(why=why))
    os._exit(1)


class LeaderElector(Leadership):
    """Takes the Lease, renews it, and stands down in time when it cannot."""

    def __init__(
        self,
        client: LeaseClient,
        config: LeaderElectionConfig,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        *,
        end: Callable[[str], None] = exit_now,
    ) -> None:
        """`clock` is monotonic; `now` is only written into the Lease; `end` ends the process."""
        super().__init__()
        self.leading.clear()
        self._client, self._config, self._clock, self._now, self._end = client, config, clock, now, end
        self._lease: Lease | None = None
        self._changed_at = 0.0
        self._newest_version, self._free_at = 0, -math.inf
        self._renewed_at = -math.inf
        self._last_fault = ""
        LEADER.set(0)

    def get_write_timeout(self) -> float:
        """Return the seconds until another replica may take over, or 0 once no write may begin."""
        now = self._clock()
        may_begin = self.leading.is_set() and self._get_seconds_left(now) > 0
        return self._renewed_at + self._config.lease_duration - now if may_begin else 0.0

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Try to acquire or renew the Lease until cancelled."""
        try:
            while True:
                await sleep(await self.try_acquire_or_renew())
        except Exception as fault:  # a replica that neither leads nor stands by is of no use
            LOG.exception("bug in the leader election")
            self._lose(f"{type(fault).__name__}, see the traceback")

    async def try_acquire_or_renew(self) -> float:
        """Acquire, renew or read the Lease once; return the seconds until the next try."""
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
                self._lease = None  # a write may have succeeded without an answer: read it before the next try
        else:
            self._last_fault = ""
        return self._compute_pause()

    def _note_fault(self, fault: Exception) -> None:
        """Warn only of the first of several equal faults: an outage would fill the log every two seconds."""
        faster = isinstance(fault, Conflict | AlreadyExists)  # another replica was faster
        level = logging.DEBUG if faster or repr(fault) == self._last_fault else logging.WARNING
        self._last_fault = "" if faster else repr(fault)
        LOG.log(level, "the lease cannot be read or written", extra=_build_fault_fields(fault))

    def _check_deadlines(self, now: float) -> None:
        """Stop leading before another replica can start; if it is too late for that, end the process."""
        if now >= self._renewed_at + self._config.lease_duration:
            self._lose("this process was stopped for longer than the lease lasts")
        elif self._get_seconds_left(now) <= 0:
            self._stop_leading()
            seconds = self._config.renew_deadline
            LOG.warning("stopped leading: the lease could not be renewed", extra=with_fields(seconds=seconds))

    def _compute_timeout(self, began: float) -> float:
        """A request that hangs must leave time for another try."""
        return min(self._config.renew_deadline / 2, self._get_seconds_left(began))

    def _get_seconds_left(self, now: float) -> float:
        """Return the seconds until a leader that cannot renew must stop; infinity for a standby."""
        return max(self._renewed_at + self._config.renew_deadline - now, 0.0) if self.leading.is_set() else math.inf

    def _compute_pause(self) -> float:
        pause = self._config.retry_period * random.uniform(1, 1 + _SPREAD)  # noqa: S311 - no secret
        return min(pause, self._get_seconds_left(self._clock()))

    async def _renew(self, began: float) -> None:
        if self._lease:
            try:
                return await self._write_lease(self._lease, began)
            except (Conflict, NotFound):
                LOG.info("somebody else has written the lease")
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
        if began < self._free_at:
            return
        await self._write_lease(lease, began)
        self.leading.set()
        LEADER.set(1)
        self.on_change(True)
        LOG.info("leading", extra=with_fields(identity=self._config.holder_identity))
        with contextlib.suppress(ApiError):  # it leads without the Event, too
            message = f"{self._config.holder_identity} became leader"
            await self._client.post_event("LeaderElection", message, self._now())

    async def _write_lease(self, lease: Lease, began: float) -> None:
        """Write the Lease as ours. We count its time from before the request, others from after it."""
        now, ours = format_micro_time(self._now()), lease.holder == self._config.holder_identity
        mine = replace(
            lease,
            holder=self._config.holder_identity,
            seconds=self._config.lease_duration,
            acquired=lease.acquired if ours else now,
            renewed=now,
            transitions=lease.transitions if ours or not lease.resource_version else lease.transitions + 1,
        )
        self._observe(await self._client.write(mine))
        self._renewed_at = began

    def _observe(self, lease: Lease) -> Lease:
        """Remember the Lease, and when its content last changed: a new resource version alone is no renewal.

        One that is older than before was restored with etcd. It names who led then, perhaps ourselves; who led until
        now may not know yet, so a standby waits for as long as a Lease lasts.
        """
        version, self._newest_version = self._newest_version, int(lease.resource_version)
        if self._newest_version < version:
            self._free_at = self._clock() + (0 if self.leading.is_set() else self._config.lease_duration)
            self.on_restore()
        if self._lease is None or lease != replace(self._lease, resource_version=lease.resource_version):
            self._changed_at = self._clock()
            LEASE_TRANSITIONS.set(lease.transitions)
        self._lease = lease
        return lease

    def _stop_leading(self) -> None:
        self.leading.clear()
        LEADER.set(0)
        self.on_change(False)

    def _lose(self, why: str) -> None:
        self._stop_leading()
        self._end(why)

    async def release(self) -> None:
        """Empty the Lease, so that another replica need not wait for it to expire."""
        if not self.leading.is_set() or self._lease is None:
            return
        self._stop_leading()
        released = replace(self._lease, holder="", seconds=1, renewed=format_micro_time(self._now()))
        try:
            async with asyncio.timeout(self._config.retry_period):
                await self._client.write(released)
        except (ApiError, TimeoutError) as fault:
            LOG.warning("the lease was not released", extra=_build_fault_fields(fault))
        else:
            LOG.info("released the lease")


def _build_fault_fields(fault: Exception) -> dict[str, dict[str, object]]:
    return with_fields(fault=f"{type(fault).__name__}: {fault}")
