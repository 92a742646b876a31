"""Where news come in, from a watch or a LIST: into the cache, and the TweetBot concerned into the queue."""

from dataclasses import replace

from tweetbot_operator.client.interface import KINDS, Kind
from tweetbot_operator.informers.cache import Cache, Shelf
from tweetbot_operator.informers.workqueue import KeyedQueue
from tweetbot_operator.telemetry.metrics import CACHE_OBJECTS
from tweetbot_operator.types.objects import JobView, Key, PodView, StoredBot

Item = StoredBot | JobView | PodView


class Intake:
    """Keeps cache and queue in step."""

    def __init__(self, cache: Cache, queue: KeyedQueue) -> None:
        self.cache, self._queue = cache, queue
        self.shown: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        """The newest version that a watch of each kind has shown."""
        for kind in KINDS:
            CACHE_OBJECTS.labels(kind=kind).set_function(self.shelf(kind).__len__)  # counted when somebody asks

    def see(self, kind: Kind, item: Item) -> None:
        """Take note of how far a watch has come."""
        self.shown[kind] = max(self.shown[kind], int(item.resource_version))

    def put(self, item: Item) -> bool:
        """Take an object as a watch or a LIST shows it now; answers whether this was news."""
        known: Item | None
        match item:
            case StoredBot():
                known, news = self.cache.bots.get(item.uid), self.cache.bots.put(item, shown=True)
            case JobView():
                known, news = self.cache.jobs.get(item.uid), self.cache.jobs.put(item, shown=True)
            case PodView():
                known, news = self.cache.pods.get(item.uid), self.cache.pods.put(item, shown=True)
        if news and not (known and _says_the_same(known, item)):
            self._queue.add(key_of(item))
        return news

    def bury(self, kind: Kind, uid: str, version: int) -> bool:
        """Take note that an object is not shown any more since `version`; answers whether this was news."""
        item = self.shelf(kind).bury(uid, version)
        if item is not None:
            self._queue.add(key_of(item))
        return item is not None

    def shelf(self, kind: Kind) -> "Shelf[StoredBot] | Shelf[JobView] | Shelf[PodView]":
        """Return the cache's objects of a kind."""
        match kind:
            case "tweetbots":
                return self.cache.bots
            case "jobs":
                return self.cache.jobs
            case "pods":
                return self.cache.pods


def _says_the_same(known: Item, item: Item) -> bool:
    """Whether a newer form differs in nothing that a decision reads, as when the Job controller counts its Pods."""
    return replace(known, resource_version=item.resource_version) == item


def key_of(item: Item) -> Key:
    """Return the TweetBot that an object concerns."""
    return (item.namespace, item.name if isinstance(item, StoredBot) else item.bot)
