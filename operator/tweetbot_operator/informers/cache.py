"""What the watches have shown last. Older news never replaces newer, whichever way it comes."""

import math
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from tweetbot_operator.types.objects import JobView, Key, PodView, StoredBot

#: Deleted objects remembered, so that a slow answer to a write does not bring one back.
_GRAVES = 4096


class Kept(Protocol):
    """What a shelf needs to know of an object."""

    @property
    def uid(self) -> str:
        """Identity; a deleted and recreated object has another."""

    @property
    def resource_version(self) -> str:
        """Age; ordered as a number within a kind (promised since Kubernetes 1.35, true in etcd always)."""

    @property
    def group(self) -> Hashable:
        """What it is looked up by."""


T = TypeVar("T", bound=Kept)


class Shelf(Generic[T]):
    """Objects of one kind by uid, and the uids of each group."""

    def __init__(self) -> None:
        self._objects: dict[str, T] = {}
        self._groups: dict[Hashable, dict[str, None]] = {}
        self._graves: dict[str, float] = {}
        self.on_change: Callable[[T], None] = lambda item: None
        """Called after each change, with the object that came or went."""

    def put(self, item: T, *, shown: bool = False) -> bool:
        """Keep the object unless a newer or equal form of it is known; answers whether this was news.

        To a watch an object whose label is taken off is gone. If it is `shown` later than that, its label is back; what
        is only the answer to a request may not come back, as no watch would tell any more of it.
        """
        known = self._objects.get(item.uid)
        if (known and _age(known) >= _age(item)) or self._graves.get(item.uid, -1) >= (_age(item) if shown else 0):
            return False
        self._graves.pop(item.uid, None)
        if known and known.group != item.group:
            self._leave_group(known)
        self._objects[item.uid] = item
        self._groups.setdefault(item.group, {})[item.uid] = None
        self.on_change(item)
        return True

    def bury(self, uid: str, version: float = math.inf) -> T | None:
        """Forget the object and return it if it was known; from `version` on it was not shown, by default for good."""
        item = self._objects.pop(uid, None)
        self._graves[uid] = max(version, _age(item) if item else 0)
        if len(self._graves) > _GRAVES:
            del self._graves[next(iter(self._graves))]
        if item:
            self._leave_group(item)
            self.on_change(item)
        return item

    def _leave_group(self, item: T) -> None:
        members = self._groups[item.group]
        del members[item.uid]
        if not members:
            del self._groups[item.group]

    def group(self, key: Hashable) -> tuple[T, ...]:
        """Return the objects of a group, oldest known first."""
        return tuple(self._objects[uid] for uid in self._groups.get(key, ()))

    def get(self, uid: str) -> T | None:
        """Return the object of this uid."""
        return self._objects.get(uid)

    def all(self) -> tuple[T, ...]:
        """Return every object."""
        return tuple(self._objects.values())

    def __len__(self) -> int:
        return len(self._objects)


def _age(item: Kept) -> int:
    return int(item.resource_version)


class Cache:
    """TweetBots by namespace and name, Jobs by namespace and controller's uid, Pods by theirs and the TweetBot's."""

    def __init__(self) -> None:
        self.bots: Shelf[StoredBot] = Shelf()
        self.jobs: Shelf[JobView] = Shelf()
        self.pods: Shelf[PodView] = Shelf()

    def bot(self, key: Key) -> StoredBot | None:
        """Return the TweetBot of this namespace and name; of two, the one that came last."""
        return max(self.bots.group(key), key=_age, default=None)
