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
from tweetbot_operator.types.objects import JobView, Key, StoredBot
from tweetbot_operator.types.summary import Place

#: Orders the runs of a namespace: when the run was recorded, then the TweetBot's name.
Turn = tuple[str, str]
#: Who does not wait yet stands behind all who do.
_LAST = "~"


@dataclass(frozen=True, slots=True)
class Limits:
    """Runs that may be active at once; 0 is no limit."""

    total: int = 0
    per_namespace: int = 0

    @classmethod
    def of(cls, settings: OperatorSettings) -> Self:
        """Return the limits that the settings ask for."""
        return cls(settings.max_active_runs, settings.max_active_runs_per_namespace)

    def __bool__(self) -> bool:
        return bool(self.total or self.per_namespace)


class Turnstile:
    """Lets a run begin when there is a slot and nobody is before it; calls whoever is next when one becomes free."""

    def __init__(self, cache: Cache, limits: Limits, call: Callable[[Key], None]) -> None:
        """`call` asks for a look at a TweetBot."""
        self._cache, self._limits, self._call = cache, limits, call
        self._holders: dict[str, str] = {}
        self._active: Counter[str] = Counter()
        self._entering: dict[str, str] = {}
        self._rows: dict[str, list[Turn]] = {}
        self._waiting: dict[str, tuple[str, Turn]] = {}
        if limits:
            cache.bots.on_change = lambda bot: self._update(bot.uid, bot.namespace)
            cache.jobs.on_change = lambda job: self._update(job.owner, job.namespace) if job.owner else None

    def place_of(self, bot: StoredBot) -> Place | None:
        """Return what a run of this TweetBot would wait for, or None if it may begin (or has)."""
        if not self._limits or bot.uid in self._holders or self._may_enter(bot):
            return None
        return Place(self._limit_of(bot.namespace), bisect_left(self._rows.get(bot.namespace, []), _turn(bot)))

    def enter(self, bot: StoredBot) -> bool:
        """Take a slot for the Job that is about to be created; answers whether there was one."""
        if self.place_of(bot) is not None:
            return False
        if self._limits and bot.uid not in self._holders:
            self._entering[bot.uid] = bot.namespace
            self._active[bot.namespace] += 1
        return True

    def entered(self, bot: StoredBot) -> None:
        """End what `enter` began: by now the cache shows the Job, or there is none and the slot is free again."""
        if self._entering.pop(bot.uid, None) is not None:
            self._active[bot.namespace] -= 1
            self._call_next()

    def look(self, bot: StoredBot) -> None:
        """Take note that a pass over this TweetBot begins: it can take its turn."""
        if self._limits:
            self._update(bot.uid, bot.namespace)

    def step_aside(self, bot: StoredBot) -> None:
        """Let the others go first: the pass over this TweetBot failed, so it cannot take its turn now."""
        if self._queue(bot.uid, None):
            self._call_next()

    def _may_enter(self, bot: StoredBot) -> bool:
        if self._room() <= 0 or not self._has_room(bot.namespace, Counter()):
            return False
        return (bot.namespace, _turn(bot)) in self._next((bot.namespace, _turn(bot)))

    def _room(self) -> int:
        total = self._limits.total
        return total - len(self._holders) - len(self._entering) if total else len(self._waiting) + 1

    def _has_room(self, namespace: str, more: Counter[str]) -> bool:
        limit = self._limits.per_namespace
        return not limit or self._active[namespace] + more[namespace] < limit

    def _next(self, newcomer: tuple[str, Turn] | None = None) -> list[tuple[str, Turn]]:
        """Return those who may begin now, in order; a newcomer stands where it would if it waited."""
        rows = {namespace: row[: max(self._room(), 0)] for namespace, row in self._rows.items()}
        if newcomer and newcomer[1] not in rows.get(newcomer[0], []):
            insort(rows.setdefault(newcomer[0], []), newcomer[1])
        chosen: list[tuple[str, Turn]] = []
        more: Counter[str] = Counter()
        while len(chosen) < self._room():
            open_rows = [namespace for namespace, row in rows.items() if row and self._has_room(namespace, more)]
            if not open_rows:
                break
            namespace = min(open_rows, key=lambda name: (self._active[name] + more[name], rows[name][0], name))
            chosen.append((namespace, rows[namespace].pop(0)))
            more[namespace] += 1
        return chosen

    def _call_next(self) -> None:
        if self._waiting and self._room() > 0:
            for namespace, (_, name) in self._next():
                self._call((namespace, name))

    def _update(self, uid: str, namespace: str) -> None:
        """Take note of a TweetBot, or of a Job of its."""
        bot, jobs = self._cache.bots.get(uid), self._cache.jobs.group((namespace, uid))
        if bot and bot.namespace != namespace:
            return  # a Job elsewhere that claims another tenant's TweetBot
        held, holds = uid in self._holders, _holds(bot, jobs)
        if holds != held:
            self._active[self._holders.setdefault(uid, namespace)] += 1 if holds else -1
            if not holds:
                del self._holders[uid]
        if holds and self._entering.pop(uid, None) is not None:
            self._active[namespace] -= 1
        waits = bot and bot.queued_since and not any(not job.finished for job in jobs if job.owner)
        left = self._queue(uid, bot if waits and not holds else None)
        if left or (held and not holds):
            self._call_next()

    def _queue(self, uid: str, bot: StoredBot | None) -> bool:
        """Put a TweetBot into its row, or take it out (None); answers whether it has left its place."""
        former, now = self._waiting.get(uid), (bot.namespace, _turn(bot)) if bot else None
        if former == now:
            return False
        if former:
            row = self._rows[former[0]]
            row.remove(former[1])
            if not row:
                del self._rows[former[0]]
            del self._waiting[uid]
        if now:
            insort(self._rows.setdefault(now[0], []), now[1])
            self._waiting[uid] = now
        return former is not None

    def _limit_of(self, namespace: str) -> str:
        if self._has_room(namespace, Counter()):
            return f"At most {self._limits.total} runs are active at once"
        return f"At most {self._limits.per_namespace} runs of a namespace are active at once"


def _turn(bot: StoredBot) -> Turn:
    return (bot.queued_since or _LAST, bot.name)


def _holds(bot: StoredBot | None, jobs: tuple[JobView, ...]) -> bool:
    """An unfinished Job is active; so is a run between its stages, whose one Job has ended well.

    One that went through a queue of Kueue's is not: Kueue decides how many of those run, and has counted it. Nor is one
    whose TweetBot is gone: its Job goes as well, and anybody can make Jobs that name a controller of their invention.
    """
    if bot is None:
        return False
    if unfinished := [job for job in jobs if job.owner and not job.finished]:
        return any(not job.queue for job in unfinished)
    own = [job for job in jobs if bot.run and job.run == bot.run]
    return bool(own) and all(job.verdict == "Complete" for job in own)
