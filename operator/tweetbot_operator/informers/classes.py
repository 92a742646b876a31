"""Keeps all TweetBotClasses: they are few, and the run that begins next needs them as they are now."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from tweetbot_contract.class_manifest import TweetBotClass
from tweetbot_operator.client.errors import ApiError, NotFound, Rejected
from tweetbot_operator.client.interface import Cluster
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.telemetry.logs import with_fields
from tweetbot_operator.types.objects import Key

LOG = logging.getLogger(__name__)
#: Seconds before the next try: where the server does not answer, and where the cluster does not know classes, or the
#: operator of some namespaces may not read them.
_PAUSE, _ABSENT_PAUSE = 2.0, 60.0


class ClassInformer:
    """Watches TweetBotClasses, and enqueues what waited for one."""

    def __init__(
        self,
        cluster: Cluster,
        cache: Cache,
        enqueue: Callable[[Key], None],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._cluster, self._cache, self._enqueue, self._sleep = cluster, cache, enqueue, sleep
        self._classes: tuple[TweetBotClass, ...] = ()
        self._last_fault = ""
        self.synced = asyncio.Event()
        """Set once the classes are known, or known not to be readable."""

    def list_classes(self) -> tuple[TweetBotClass, ...]:
        """Return every class, as the watch shows them."""
        return self._classes

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await self._sleep(await self._watch())

    async def _watch(self) -> float:
        """Watch until the watch ends; return the seconds before the next."""
        try:
            async for classes in self._cluster.watch_classes():
                self._replace(classes)
                self._last_fault = ""
        except (NotFound, Rejected) as fault:
            self._tell_once(str(fault))
            self._replace(() if isinstance(fault, NotFound) else self._classes)
            return _ABSENT_PAUSE
        except ApiError as fault:
            LOG.warning("the watch of TweetBotClasses ended, and is opened again", extra=with_fields(fault=str(fault)))
            return _PAUSE
        except Exception:  # whatever it is, the classes that are known still count
            LOG.exception("bug in the watch of TweetBotClasses")
            return _PAUSE
        return 0.0

    def _tell_once(self, fault: str) -> None:
        if fault != self._last_fault:
            LOG.warning(
                "TweetBotClasses cannot be read; those known before still count", extra=with_fields(fault=fault)
            )
        self._last_fault = fault

    def _replace(self, classes: tuple[TweetBotClass, ...]) -> None:
        changed = classes != self._classes
        self._classes = classes
        self.synced.set()
        if changed:
            for bot in self._cache.bots.list_all():
                if bot.awaits_class:
                    self._enqueue(bot.index_key)
