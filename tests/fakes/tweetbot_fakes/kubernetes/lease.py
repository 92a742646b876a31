"""A Lease in memory, and replicas that stand for it on a clock in the test's hand."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tweetbot_operator.client.errors import AlreadyExists, ApiError, Conflict, NotFound, Unavailable
from tweetbot_operator.client.leader_election import LeaderElectionConfig, LeaderElector
from tweetbot_operator.client.lease import Lease, LeaseClient

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@dataclass
class FakeLease(LeaseClient):
    """What the API server keeps; it refuses whatever was planned from an older form."""

    lease: Lease | None = None
    faults: list[ApiError] = field(default_factory=list)
    """Raised by the next requests, one each."""
    loses_answers: int = 0
    """Writes, from now on, that are committed and not answered."""
    away: Callable[[], bool] = lambda: False
    events: list[str] = field(default_factory=list)
    _version: int = 0

    async def read(self) -> Lease:
        self._check()
        if self.lease is None:
            raise NotFound("no such lease")
        return self.lease

    async def write(self, lease: Lease) -> Lease:
        self._check()
        if self.lease and not lease.resource_version:
            raise AlreadyExists("it exists")
        if lease.resource_version and self.lease is None:
            raise NotFound("it was deleted")
        if self.lease and lease.resource_version != self.lease.resource_version:
            raise Conflict("it has been modified")
        self._version += 1
        self.lease = replace(lease, resource_version=str(self._version))
        if self.loses_answers:
            self.loses_answers -= 1
            raise Unavailable("the answer was lost")
        return self.lease

    async def post_event(self, reason: str, message: str, now: datetime) -> None:
        self._check()
        self.events.append(f"{reason}: {message}")

    def annotate(self) -> None:
        """Change nothing but the resource version."""
        assert self.lease
        self._version += 1
        self.lease = replace(self.lease, resource_version=str(self._version))

    def restore(self, backup: Lease) -> None:
        """Go back to what the Lease was, as etcd does when a backup is restored."""
        self.lease, self._version = backup, int(backup.resource_version)

    def _check(self) -> None:
        if self.faults:
            raise self.faults.pop(0)
        if self.away():
            raise Unavailable("the API server is away")


class Replica:
    """One operator's elector; its wall clock is wrong by `skew` seconds, and it looks only while it is not stopped."""

    def __init__(self, name: str, client: FakeLease, clock: Callable[[], float], skew: float = 0) -> None:
        self.name, self.ended = name, ""
        self.stopped = False
        #: Whether it began or stopped to lead, in order.
        self.changes: list[bool] = []
        self.elector = LeaderElector(
            client,
            LeaderElectionConfig(name),
            clock,
            lambda: NOON + timedelta(seconds=clock() + skew),
            end=self._end,
        )
        self.elector.on_change = self.changes.append
        self.restores = 0
        self.elector.on_restore = self._note_restore

    def _note_restore(self) -> None:
        self.restores += 1

    def _end(self, why: str) -> None:
        self.ended = why

    @property
    def acts(self) -> bool:
        """Whether a write of its would be sent now."""
        return self.elector.get_write_timeout() > 0


class Election:
    """Replicas, one Lease and one clock; `step` lets the replica look that is due next."""

    def __init__(self) -> None:
        self.time = 0.0
        self.client = FakeLease()
        self.replicas: list[Replica] = []
        self._due: list[tuple[float, int]] = []

    def clock(self) -> float:
        return self.time

    def enter(self, name: str, skew: float = 0) -> Replica:
        """Start a replica, which looks at once."""
        replica = Replica(name, self.client, self.clock, skew)
        self.replicas.append(replica)
        heapq.heappush(self._due, (self.time, len(self.replicas) - 1))
        return replica

    async def step(self) -> None:
        """Move on to the next look that is due, and let it happen."""
        when, number = heapq.heappop(self._due)
        self.time = max(self.time, when)
        replica = self.replicas[number]
        pause = 0.5 if replica.stopped or replica.ended else await replica.elector.try_acquire_or_renew()
        heapq.heappush(self._due, (self.time + pause, number))
        assert sum(one.acts for one in self.replicas) <= 1, f"two act at {self.time}"

    async def run(self, seconds: float) -> None:
        """Let this many seconds pass; at no moment may two replicas act."""
        end = self.time + seconds
        while self._due[0][0] <= end:
            await self.step()
        self.time = end

    @property
    def acting(self) -> list[str]:
        return [replica.name for replica in self.replicas if replica.acts]
