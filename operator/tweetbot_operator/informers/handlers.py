"""Takes objects from a watch or a LIST: into the cache, and the TweetBot concerned into the work queue."""

from dataclasses import replace

from tweetbot_operator.client.interface import KINDS, Kind
from tweetbot_operator.informers.cache import Cache, Indexer
from tweetbot_operator.informers.workqueue import WorkQueue
from tweetbot_operator.telemetry.metrics import CACHE_OBJECTS
from tweetbot_operator.types.objects import CachedTweetBot, JobView, Key, PodView

Item = CachedTweetBot | JobView | PodView


class EventHandler:
    """Keeps cache and queue in step."""

    def __init__(self, cache: Cache, queue: WorkQueue) -> None:
        self.cache, self._queue = cache, queue
        self.observed_versions: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        """The newest version that a watch of each kind has shown."""
        for kind in KINDS:
            CACHE_OBJECTS.labels(kind=kind).set_function(self.get_indexer(kind).__len__)

    def observe_version(self, kind: Kind, item: Item) -> None:
        """Record how far a watch has come."""
        self.observed_versions[kind] = max(self.observed_versions[kind], int(item.resource_version))

    def put(self, item: Item) -> bool:
        """Take an object as a watch or a LIST shows it now; return whether it was news."""
        known: Item | None
        match item:
            case CachedTweetBot():
                known, news = self.cache.bots.get(item.uid), self.cache.bots.put(item, shown=True)
            case JobView():
                known, news = self.cache.jobs.get(item.uid), self.cache.jobs.put(item, shown=True)
            case PodView():
                known, news = self.cache.pods.get(item.uid), self.cache.pods.put(item, shown=True)
        if news and not (known and _is_equivalent(known, item)):
            self._queue.add(get_key(item))
        return news

    def delete(self, kind: Kind, uid: str, resource_version: int) -> bool:
        """Remove an object that is gone since this version; return whether that was news."""
        item = self.get_indexer(kind).delete(uid, resource_version)
        if item is not None:
            self._queue.add(get_key(item))
        return item is not None

    def get_indexer(self, kind: Kind) -> Indexer[CachedTweetBot] | Indexer[JobView] | Indexer[PodView]:
        """Return the cached objects of a kind."""
        match kind:
            case "tweetbots":
                return self.cache.bots
            case "jobs":
                return self.cache.jobs
            case "pods":
                return self.cache.pods


def _is_equivalent(known: Item, item: Item) -> bool:
    """Whether nothing differs that a decision reads, as when the Job controller counts its Pods."""
    return replace(known, resource_version=item.resource_version) == item


def get_key(item: Item) -> Key:
    """Return the TweetBot that an object belongs to."""
    return (item.namespace, item.name if isinstance(item, CachedTweetBot) else item.bot)
