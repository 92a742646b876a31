"""What the watches have shown last, and the handler that keeps it in step with the work queue.

An older version never replaces a newer one, whichever way it comes.
"""

import math
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace
from typing import Any, Generic, TypeVar

from tweetbot_operator.client.errors import NotFound
from tweetbot_operator.client.interface import KINDS, Kind
from tweetbot_operator.informers.workqueue import WorkQueue
from tweetbot_operator.telemetry.metrics import CACHE_OBJECTS
from tweetbot_operator.types.objects import CachedTweetBot, JobView, Key, PodView

Item = CachedTweetBot | JobView | PodView
_KIND_OF: dict[type[Item], Kind] = {CachedTweetBot: "tweetbots", JobView: "jobs", PodView: "pods"}
#: Deleted objects remembered, so that a late answer to a write does not bring one back.
_TOMBSTONES = 4096


T = TypeVar("T", CachedTweetBot, JobView, PodView)


class Indexer(Generic[T]):
    """Objects of one kind by uid and by index key."""

    def __init__(self) -> None:
        self._objects: dict[str, T] = {}
        self._indices: dict[Hashable, dict[str, None]] = {}
        self._tombstones: dict[str, float] = {}
        self.on_change: Callable[[T], None] = lambda item: None
        """Called after each change with the object that came or went."""

    def put(self, item: T, *, shown: bool = False) -> bool:
        """Keep the object unless this or a newer version is known; return whether it was news.

        A watch reports an object that loses its label as deleted. If a watch or LIST shows it again (`shown`), it is
        back; the mere answer to a request does not bring it back, as no watch would report its further changes.
        """
        version, known = _parse_resource_version(item), self._objects.get(item.uid)
        if known and _parse_resource_version(known) >= version:
            return False
        if self._tombstones.get(item.uid, -1) >= (version if shown else 0):
            return False
        self._tombstones.pop(item.uid, None)
        if known and known.index_key != item.index_key:
            self._remove_from_index(known)
        self._objects[item.uid] = item
        self._indices.setdefault(item.index_key, {})[item.uid] = None
        self.on_change(item)
        return True

    def delete(self, uid: str, resource_version: float = math.inf) -> T | None:
        """Remove the object and return it if it was known. Only a version after this one brings it back."""
        item = self._objects.pop(uid, None)
        self._tombstones[uid] = max(resource_version, _parse_resource_version(item) if item else 0)
        if len(self._tombstones) > _TOMBSTONES:
            del self._tombstones[next(iter(self._tombstones))]
        if item:
            self._remove_from_index(item)
            self.on_change(item)
        return item

    async def read_again(self, uid: str, reading: Awaitable[T]) -> None:
        """Replace an object that has changed since it was cached; under its name there may be another one by now."""
        try:
            found = await reading
        except NotFound:
            self.delete(uid)
            return
        if found.uid != uid:
            self.delete(uid)
        self.put(found)

    def _remove_from_index(self, item: T) -> None:
        members = self._indices[item.index_key]
        del members[item.uid]
        if not members:
            del self._indices[item.index_key]

    def list_by_index(self, key: Hashable) -> tuple[T, ...]:
        """Return the objects with this index key, in the order in which they came."""
        return tuple(self._objects[uid] for uid in self._indices.get(key, ()))

    def get(self, uid: str) -> T | None:
        """Return the object with this uid."""
        return self._objects.get(uid)

    def list_all(self) -> tuple[T, ...]:
        """Return every object."""
        return tuple(self._objects.values())

    def __len__(self) -> int:
        return len(self._objects)


def _parse_resource_version(item: Item) -> int:
    """Versions are ordered as numbers within a kind: promised since Kubernetes 1.35, and always so in etcd."""
    return int(item.resource_version)


class Cache:
    """TweetBots by namespace and name, Jobs by namespace and controller, Pods by namespace and TweetBot."""

    def __init__(self) -> None:
        self.bots: Indexer[CachedTweetBot] = Indexer()
        self.jobs: Indexer[JobView] = Indexer()
        self.pods: Indexer[PodView] = Indexer()

    def get_bot(self, key: Key) -> CachedTweetBot | None:
        """Return the TweetBot of this namespace and name; if it was created again, the newer one."""
        return max(self.bots.list_by_index(key), key=_parse_resource_version, default=None)


class EventHandler:
    """Puts objects of watches and LISTs into the cache, and the TweetBots concerned into the work queue."""

    def __init__(self, cache: Cache, queue: WorkQueue) -> None:
        self.cache, self._queue = cache, queue
        self.indexers: dict[Kind, Indexer[Any]] = {"tweetbots": cache.bots, "jobs": cache.jobs, "pods": cache.pods}
        self.observed_versions: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        """The newest version that a watch of each kind has shown."""
        for kind, indexer in self.indexers.items():
            CACHE_OBJECTS.labels(kind=kind).set_function(indexer.__len__)

    def observe_version(self, kind: Kind, item: Item) -> None:
        """Record how far a watch has come."""
        self.observed_versions[kind] = max(self.observed_versions[kind], int(item.resource_version))

    def put(self, item: Item) -> bool:
        """Take an object as a watch or a LIST shows it now; return whether it was news."""
        indexer = self.indexers[_KIND_OF[type(item)]]
        known, news = indexer.get(item.uid), indexer.put(item, shown=True)
        if news and not (known and _is_equivalent(known, item)):
            self._queue.add(get_key(item))
        return news

    def delete(self, kind: Kind, uid: str, resource_version: int) -> bool:
        """Remove an object that is gone since this version; return whether that was news."""
        item = self.indexers[kind].delete(uid, resource_version)
        if item is not None:
            self._queue.add(get_key(item))
        return item is not None


def _is_equivalent(known: Item, item: Item) -> bool:
    """Whether nothing differs that a decision reads, as when the Job controller counts its Pods."""
    return replace(known, resource_version=item.resource_version) == item


def get_key(item: Item) -> Key:
    """Return the TweetBot that an object belongs to."""
    return (item.namespace, item.name if isinstance(item, CachedTweetBot) else item.bot)
