"""Limits on how many runs are active at once and on how fast Jobs are created.

Next comes the oldest run of the namespace with the fewest active ones, so no run waits for ever. All state is an index
of the cache: active runs are read from Jobs, waiting ones from statuses. So after a restart, or on another replica, the
queue has the same order.
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from tweetbot_contract.handover import TASK_STAGES
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.objects import CachedTweetBot, JobView, Key, QueuePosition

#: Orders the runs of a namespace: when the run was recorded, then the TweetBot's name.
QueueKey = tuple[str, str]
#: Sorts a run that does not wait yet behind all that do.
_LAST = "~"


@dataclass(frozen=True, slots=True)
class ConcurrencyLimits:
    """Runs that may be active at once; 0 is no limit."""

    total: int = 0
    per_namespace: int = 0

    @classmethod
    def from_settings(cls, settings: OperatorSettings) -> Self:
        """Return the limits of the settings."""
        return cls(settings.max_active_runs, settings.max_active_runs_per_namespace)

    def __bool__(self) -> bool:
        return bool(self.total or self.per_namespace)


class ConcurrencyLimiter:
    """Lets a run begin when a slot is free and none is before it; enqueues the next one when a slot becomes free."""

    def __init__(self, cache: Cache, limits: ConcurrencyLimits, call: Callable[[Key], None]) -> None:
        """`call` enqueues a TweetBot."""
        self._cache, self._limits, self._call = cache, limits, call
        self._holders: dict[str, str] = {}
        self._active: Counter[str] = Counter()
        self._reserved: dict[str, str] = {}
        self._queues: dict[str, list[QueueKey]] = {}
        self._waiting: dict[str, tuple[str, QueueKey]] = {}
        if limits:
            cache.bots.listeners.append(self.look)
            cache.jobs.listeners.append(
                lambda job: self._update(job.owner_uid, job.namespace) if job.owner_uid else None
            )

    def get_position(self, bot: CachedTweetBot) -> QueuePosition | None:
        """Return what a run of this TweetBot waits for, or None if it may begin or has begun."""
        if not self._limits or bot.uid in self._holders or self._may_start(bot):
            return None
        before = bisect_left(self._queues.get(bot.namespace, []), _get_queue_key(bot))
        return QueuePosition(self._describe_limit(bot.namespace), before)

    def reserve(self, bot: CachedTweetBot) -> bool:
        """Reserve a slot for the Job that is about to be created; answers whether one was free."""
        if self.get_position(bot) is not None:
            return False
        if self._limits and bot.uid not in self._holders:
            self._reserved[bot.uid] = bot.namespace
            self._active[bot.namespace] += 1
        return True

    def unreserve(self, bot: CachedTweetBot) -> None:
        """End a reservation: by now the cache shows the Job, or there is none and the slot is free again."""
        if self._reserved.pop(bot.uid, None) is not None:
            self._active[bot.namespace] -= 1
            self._call_next()

    def look(self, bot: CachedTweetBot) -> None:
        """Count a TweetBot in whose pass begins."""
        if self._limits:
            self._update(bot.uid, bot.namespace)

    def step_aside(self, bot: CachedTweetBot) -> None:
        """Let the others go first: this TweetBot's pass failed, so it cannot use a slot now."""
        if self._update_queue(bot.uid, None):
            self._call_next()

    def _may_start(self, bot: CachedTweetBot) -> bool:
        if self._count_free_slots() <= 0 or not self._has_room(bot.namespace, Counter()):
            return False
        entry = (bot.namespace, _get_queue_key(bot))
        return entry in self._choose_next(entry)

    def _count_free_slots(self) -> int:
        total = self._limits.total
        return total - len(self._holders) - len(self._reserved) if total else len(self._waiting) + 1

    def _has_room(self, namespace: str, more: Counter[str]) -> bool:
        limit = self._limits.per_namespace
        return not limit or self._active[namespace] + more[namespace] < limit

    def _choose_next(self, newcomer: tuple[str, QueueKey] | None = None) -> list[tuple[str, QueueKey]]:
        """Return the runs that may begin now, in order; a newcomer has the place that it would have if it waited."""
        queues = {namespace: queue[: max(self._count_free_slots(), 0)] for namespace, queue in self._queues.items()}
        if newcomer and newcomer[1] not in queues.get(newcomer[0], []):
            insort(queues.setdefault(newcomer[0], []), newcomer[1])
        chosen: list[tuple[str, QueueKey]] = []
        more: Counter[str] = Counter()
        while len(chosen) < self._count_free_slots():
            candidates = [name for name, queue in queues.items() if queue and self._has_room(name, more)]
            if not candidates:
                break
            namespace = min(candidates, key=lambda name: (self._active[name] + more[name], queues[name][0], name))
            chosen.append((namespace, queues[namespace].pop(0)))
            more[namespace] += 1
        return chosen

    def _call_next(self) -> None:
        if self._waiting and self._count_free_slots() > 0:
            for namespace, (_, name) in self._choose_next():
                self._call((namespace, name))

    def _update(self, uid: str, namespace: str) -> None:
        """Update the index after a change of a TweetBot or of one of its Jobs."""
        bot, jobs = self._cache.bots.get(uid), self._cache.jobs.list_by_index((namespace, uid))
        if bot and bot.namespace != namespace:
            return  # a Job elsewhere that names another tenant's TweetBot
        held, holds = uid in self._holders, _has_slot(bot, jobs)
        if holds != held:
            self._active[self._holders.setdefault(uid, namespace)] += 1 if holds else -1
            if not holds:
                del self._holders[uid]
        if holds and self._reserved.pop(uid, None) is not None:
            self._active[namespace] -= 1
        waits = bot and bot.queued_since and not any(_is_active(job) for job in jobs)
        left = self._update_queue(uid, bot if waits and not holds else None)
        if left or (held and not holds):
            self._call_next()

    def _update_queue(self, uid: str, bot: CachedTweetBot | None) -> bool:
        """Put a TweetBot into its queue, or take it out (None); answers whether it has left its former place."""
        former, now = self._waiting.get(uid), (bot.namespace, _get_queue_key(bot)) if bot else None
        if former == now:
            return False
        if former:
            queue = self._queues[former[0]]
            queue.remove(former[1])
            if not queue:
                del self._queues[former[0]]
            del self._waiting[uid]
        if now:
            insort(self._queues.setdefault(now[0], []), now[1])
            self._waiting[uid] = now
        return former is not None

    def _describe_limit(self, namespace: str) -> str:
        if self._has_room(namespace, Counter()):
            return f"The limit of active runs is {self._limits.total}"
        return f"The limit of active runs in a namespace is {self._limits.per_namespace}"


def _get_queue_key(bot: CachedTweetBot) -> QueueKey:
    return (bot.queued_since or _LAST, bot.name)


def _has_slot(bot: CachedTweetBot | None, jobs: tuple[JobView, ...]) -> bool:
    """Whether a run is active: it has an unfinished Job, or is between its stages, its one Job Complete.

    A Job in a Kueue queue does not count, as Kueue limits those. Nor does one whose TweetBot is gone: it will go too,
    and anybody can create Jobs that name an invented controller.
    """
    if bot is None:
        return False
    if unfinished := [job for job in jobs if _is_active(job)]:
        return any(not job.queue for job in unfinished)
    own = [job for job in jobs if bot.run_id and job.run_id == bot.run_id]
    return bool(own) and all(job.finished_condition == "Complete" for job in own)


def _is_active(job: JobView) -> bool:
    """Whether this is a stage's Job that has not ended; one beside the stages belongs to no run."""
    return bool(job.owner_uid) and job.stage not in TASK_STAGES and not job.finished


class RateLimiter:
    """Gives each creation of a Job a moment of its own, in the order in which they were asked for."""

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        """`clock` is monotonic, in seconds; `per_second` 0 is no limit."""
        self._interval = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._next = 0.0
        self._moments: dict[Key, float] = {}

    def reserve(self, key: Key) -> float:
        """Return 0 if the creation may happen now, else the seconds until its moment, which stays reserved."""
        now = self._clock()
        if not self._interval:
            return 0.0
        if key not in self._moments:
            moment = self._moments[key] = max(self._next, now)
            self._next = moment + self._interval
        if self._moments[key] > now:
            return self._moments[key] - now
        del self._moments[key]
        return 0.0

    def forget(self, key: Key) -> None:
        """Give up the moment of a TweetBot that is gone."""
        self._moments.pop(key, None)
