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
from tweetbot_operator.types.objects import CachedTweetBot, JobView, Key, Manifest, PodView

Item = CachedTweetBot | JobView | PodView
_KIND_OF: dict[type[Item], Kind] = {CachedTweetBot: "tweetbots", JobView: "jobs", PodView: "pods"}
#: Deleted objects remembered, so that a late answer to a write does not bring one back.
_TOMBSTONES = 4096


T = TypeVar("T", CachedTweetBot, JobView, PodView)


class Indexer(Generic[T]):
    """Objects of one kind by uid and by index key."""

    def __init__(self, get_keys: Callable[[T], tuple[Hashable, ...]] = lambda item: (item.index_key,)) -> None:
        """`get_keys` returns the index keys of an object."""
        self._get_keys: Callable[[T], tuple[Hashable, ...]] = get_keys
        self._objects: dict[str, T] = {}
        self._indices: dict[Hashable, dict[str, None]] = {}
        self._tombstones: dict[str, float] = {}
        self.newest_version = 0
        """The newest version of any object that a watch, a LIST or the answer to a request has shown."""
        self.listeners: list[Callable[[T], None]] = []
        """Called after each change with the object that came or went."""

    def put(self, item: T, *, shown: bool = False) -> bool:
        """Keep the object unless this or a newer version is known; return whether it was news.

        A watch reports an object that loses its label as deleted. If a watch or LIST shows it again (`shown`), it is
        back; the mere answer to a request does not bring it back, as no watch would report its further changes.
        """
        version, known = _parse_resource_version(item), self._objects.get(item.uid)
        self.newest_version = max(self.newest_version, version)
        if known and _parse_resource_version(known) >= version:
            return False
        if self._tombstones.get(item.uid, -1) >= (version if shown else 0):
            return False
        self._tombstones.pop(item.uid, None)
        if known and self._get_keys(known) != self._get_keys(item):
            self._remove_from_index(known)
        self._objects[item.uid] = item
        for key in self._get_keys(item):
            self._indices.setdefault(key, {})[item.uid] = None
        self._tell(item)
        return True

    def delete(self, uid: str, resource_version: float = math.inf) -> T | None:
        """Remove the object and return it if it was known. Only a version after this one brings it back."""
        item = self._objects.pop(uid, None)
        self._tombstones[uid] = max(resource_version, _parse_resource_version(item) if item else 0)
        if len(self._tombstones) > _TOMBSTONES:
            del self._tombstones[next(iter(self._tombstones))]
        if item:
            self._remove_from_index(item)
            self._tell(item)
        return item

    def _tell(self, item: T) -> None:
        for listener in self.listeners:
            listener(item)

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

    def forget_versions(self) -> None:
        """Forget which versions were seen, also of what was deleted."""
        self._tombstones.clear()
        self.newest_version = 0

    def _remove_from_index(self, item: T) -> None:
        for key in self._get_keys(item):
            members = self._indices[key]
            members.pop(item.uid, None)
            if not members:
                del self._indices[key]

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
    """TweetBots by namespace and name, Jobs by namespace and controller, Pods by namespace and TweetBot or Job."""

    def __init__(self) -> None:
        self.bots: Indexer[CachedTweetBot] = Indexer()
        self.jobs: Indexer[JobView] = Indexer()
        self.pods: Indexer[PodView] = Indexer(lambda pod: (pod.index_key, pod.controller_key))

    def get_bot(self, key: Key) -> CachedTweetBot | None:
        """Return the TweetBot of this namespace and name; if it was created again, the newer one."""
        return max(self.bots.list_by_index(key), key=_parse_resource_version, default=None)

    def list_pods(self, namespace: str, bot_uid: str) -> tuple[PodView, ...]:
        """Return the Pods of a TweetBot's Jobs, whatever their labels, and those with its label and no known Job."""
        jobs = self.jobs.list_by_index((namespace, bot_uid))
        own = {pod.uid: pod for job in jobs for pod in self.pods.list_by_index((namespace, job.uid))}
        labelled = {pod.uid: pod for pod in self.pods.list_by_index((namespace, bot_uid))}
        alone = {uid: pod for uid, pod in labelled.items() if not self.jobs.get(pod.controller_uid)}
        return tuple((alone | own).values())

    def find_key(self, item: Item) -> Key:
        """Return the TweetBot that an object belongs to: by its controllers, or by its label if they are unknown."""
        if isinstance(item, CachedTweetBot):
            return item.index_key
        job = self.jobs.get(item.controller_uid) if isinstance(item, PodView) else item
        uid = (job.owner_uid or job.bot_uid) if job else item.bot_uid
        bot = self.bots.get(uid)
        return bot.index_key if bot and bot.namespace == item.namespace else (item.namespace, item.bot)


class EventHandler:
    """Puts objects of watches and LISTs into the cache, and the TweetBots concerned into the work queue."""

    def __init__(self, cache: Cache, queue: WorkQueue) -> None:
        self.cache, self._queue = cache, queue
        self.indexers: dict[Kind, Indexer[Any]] = {"tweetbots": cache.bots, "jobs": cache.jobs, "pods": cache.pods}
        self.observed_versions: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        """The newest version that a watch of each kind has shown."""
        for kind, indexer in self.indexers.items():
            CACHE_OBJECTS.labels(kind=kind).set_function(indexer.__len__)

    def find_version(self, kind: Kind, metadata: Manifest) -> Any:
        """Return the cached object in this very version, as the answer to a write of ours brought it, or None."""
        known = self.indexers[kind].get(metadata["uid"])
        return known if known and known.resource_version == metadata["resourceVersion"] else None

    def observe_version(self, kind: Kind, item: Item) -> None:
        """Record how far a watch has come."""
        self.observed_versions[kind] = max(self.observed_versions[kind], int(item.resource_version))

    def get_newest_version(self, kind: Kind) -> int:
        """Return the newest version of a kind that was seen in any way."""
        return max(self.observed_versions[kind], self.indexers[kind].newest_version)

    def reset(self) -> None:
        """Forget everything, as before the first list; what is not there any more gets a pass, too."""
        for kind, indexer in self.indexers.items():
            for item in indexer.list_all():
                self.delete(kind, item.uid, 0)
            indexer.forget_versions()
            self.observed_versions[kind] = 0

    def put(self, item: Item) -> bool:
        """Take an object as a watch or a LIST shows it now; return whether it was news."""
        indexer = self.indexers[_KIND_OF[type(item)]]
        known, news = indexer.get(item.uid), indexer.put(item, shown=True)
        if news and not (known and _is_equivalent(known, item)):
            self._queue.add(self.cache.find_key(item))
        return news

    def delete(self, kind: Kind, uid: str, resource_version: int) -> bool:
        """Remove an object that is gone since this version; return whether that was news."""
        item = self.indexers[kind].delete(uid, resource_version)
        if item is not None:
            self._queue.add(self.cache.find_key(item))
        return item is not None


def _is_equivalent(known: Item, item: Item) -> bool:
    """Whether nothing differs that a decision reads, as when the Job controller counts its Pods."""
    return replace(known, resource_version=item.resource_version) == item
