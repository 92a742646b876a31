"""How many runs may be active at once, and whose turn it is: the oldest of the namespace that has the fewest.

Nothing is kept but an index of the cache: who is active is read off the Jobs, who waits off the statuses. So a restart
or another replica finds the same row in the same order. Namespaces take turns by having fewest active first, which
needs no memory of whose turn was last; inside one the oldest run goes first, so nobody is overtaken for ever.
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.objects import CachedTweetBot, JobView, Key, QueuePosition

#: Orders the runs of a namespace: when the run was recorded, then the TweetBot's name.
QueueKey = tuple[str, str]
#: Who does not wait yet stands behind all who do.
_LAST = "~"


@dataclass(frozen=True, slots=True)
class ConcurrencyLimits:
    """Runs that may be active at once; 0 is no limit."""

    total: int = 0
    per_namespace: int = 0

    @classmethod
    def from_settings(cls, settings: OperatorSettings) -> Self:
        """Return the limits that the settings ask for."""
        return cls(settings.max_active_runs, settings.max_active_runs_per_namespace)

    def __bool__(self) -> bool:
        return bool(self.total or self.per_namespace)


class ConcurrencyLimiter:
    """Lets a run begin when there is a slot and nobody is before it; calls whoever is next when one becomes free."""

    def __init__(self, cache: Cache, limits: ConcurrencyLimits, call: Callable[[Key], None]) -> None:
        """`call` asks for a look at a TweetBot."""
        self._cache, self._limits, self._call = cache, limits, call
        self._holders: dict[str, str] = {}
        self._active: Counter[str] = Counter()
        self._reserved: dict[str, str] = {}
        self._queues: dict[str, list[QueueKey]] = {}
        self._waiting: dict[str, tuple[str, QueueKey]] = {}
        if limits:
            cache.bots.on_change = lambda bot: self._update(bot.uid, bot.namespace)
            cache.jobs.on_change = lambda job: self._update(job.owner_uid, job.namespace) if job.owner_uid else None

    def get_position(self, bot: CachedTweetBot) -> QueuePosition | None:
        """Return what a run of this TweetBot would wait for, or None if it may begin (or has)."""
        if not self._limits or bot.uid in self._holders or self._may_start(bot):
            return None
        return QueuePosition(
            self._describe_limit(bot.namespace), bisect_left(self._queues.get(bot.namespace, []), _get_queue_key(bot))
        )

    def reserve(self, bot: CachedTweetBot) -> bool:
        """Take a slot for the Job that is about to be created; answers whether there was one."""
        if self.get_position(bot) is not None:
            return False
        if self._limits and bot.uid not in self._holders:
            self._reserved[bot.uid] = bot.namespace
            self._active[bot.namespace] += 1
        return True

    def unreserve(self, bot: CachedTweetBot) -> None:
        """End what `enter` began: by now the cache shows the Job, or there is none and the slot is free again."""
        if self._reserved.pop(bot.uid, None) is not None:
            self._active[bot.namespace] -= 1
            self._call_next()

    def look(self, bot: CachedTweetBot) -> None:
        """Take note that a pass over this TweetBot begins: it can take its turn."""
        if self._limits:
            self._update(bot.uid, bot.namespace)

    def step_aside(self, bot: CachedTweetBot) -> None:
        """Let the others go first: the pass over this TweetBot failed, so it cannot take its turn now."""
        if self._update_queue(bot.uid, None):
            self._call_next()

    def _may_start(self, bot: CachedTweetBot) -> bool:
        if self._count_free_slots() <= 0 or not self._has_room(bot.namespace, Counter()):
            return False
        return (bot.namespace, _get_queue_key(bot)) in self._choose_next((bot.namespace, _get_queue_key(bot)))

    def _count_free_slots(self) -> int:
        total = self._limits.total
        return total - len(self._holders) - len(self._reserved) if total else len(self._waiting) + 1

    def _has_room(self, namespace: str, more: Counter[str]) -> bool:
        limit = self._limits.per_namespace
        return not limit or self._active[namespace] + more[namespace] < limit

    def _choose_next(self, newcomer: tuple[str, QueueKey] | None = None) -> list[tuple[str, QueueKey]]:
        """Return those who may begin now, in order; a newcomer stands where it would if it waited."""
        queues = {namespace: queue[: max(self._count_free_slots(), 0)] for namespace, queue in self._queues.items()}
        if newcomer and newcomer[1] not in queues.get(newcomer[0], []):
            insort(queues.setdefault(newcomer[0], []), newcomer[1])
        chosen: list[tuple[str, QueueKey]] = []
        more: Counter[str] = Counter()
        while len(chosen) < self._count_free_slots():
            open_queues = [
                namespace for namespace, queue in queues.items() if queue and self._has_room(namespace, more)
            ]
            if not open_queues:
                break
            namespace = min(open_queues, key=lambda name: (self._active[name] + more[name], queues[name][0], name))
            chosen.append((namespace, queues[namespace].pop(0)))
            more[namespace] += 1
        return chosen

    def _call_next(self) -> None:
        if self._waiting and self._count_free_slots() > 0:
            for namespace, (_, name) in self._choose_next():
                self._call((namespace, name))

    def _update(self, uid: str, namespace: str) -> None:
        """Take note of a TweetBot, or of a Job of its."""
        bot, jobs = self._cache.bots.get(uid), self._cache.jobs.list_by_index((namespace, uid))
        if bot and bot.namespace != namespace:
            return  # a Job elsewhere that claims another tenant's TweetBot
        held, holds = uid in self._holders, _has_slot(bot, jobs)
        if holds != held:
            self._active[self._holders.setdefault(uid, namespace)] += 1 if holds else -1
            if not holds:
                del self._holders[uid]
        if holds and self._reserved.pop(uid, None) is not None:
            self._active[namespace] -= 1
        waits = bot and bot.queued_since and not any(not job.finished for job in jobs if job.owner_uid)
        left = self._update_queue(uid, bot if waits and not holds else None)
        if left or (held and not holds):
            self._call_next()

    def _update_queue(self, uid: str, bot: CachedTweetBot | None) -> bool:
        """Put a TweetBot into its row, or take it out (None); answers whether it has left its place."""
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
            return f"At most {self._limits.total} runs are active at once"
        return f"At most {self._limits.per_namespace} runs of a namespace are active at once"


def _get_queue_key(bot: CachedTweetBot) -> QueueKey:
    return (bot.queued_since or _LAST, bot.name)


def _has_slot(bot: CachedTweetBot | None, jobs: tuple[JobView, ...]) -> bool:
    """An unfinished Job is active; so is a run between its stages, whose one Job has ended well.

    One that went through a queue of Kueue's is not: Kueue decides how many of those run, and has counted it. Nor is one
    whose TweetBot is gone: its Job goes as well, and anybody can make Jobs that name a controller of their invention.
    """
    if bot is None:
        return False
    if unfinished := [job for job in jobs if job.owner_uid and not job.finished]:
        return any(not job.queue for job in unfinished)
    own = [job for job in jobs if bot.run_id and job.run_id == bot.run_id]
    return bool(own) and all(job.finished_condition == "Complete" for job in own)


class RateLimiter:
    """Hands out moments, so many a second; who comes before its moment is told how long it has to wait."""

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        """`clock` is monotonic, in seconds; `per_second` 0 is no limit."""
        self._distance = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._next = 0.0
        self._moments: dict[Key, float] = {}

    def reserve(self, key: Key) -> float:
        """Return 0 when the creation may happen now, else the seconds until its moment, which stays reserved."""
        now = self._clock()
        if not self._distance:
            return 0.0
        if key not in self._moments:
            moment = self._moments[key] = max(self._next, now)
            self._next = moment + self._distance
        if self._moments[key] > now:
            return self._moments[key] - now
        del self._moments[key]
        return 0.0

    def forget(self, key: Key) -> None:
        """Give up the moment of a TweetBot that is gone."""
        self._moments.pop(key, None)
