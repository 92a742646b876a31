"""kopf's watches, kept going: what ends them is told, and they begin anew here, with the caches and the Lease kept.

kopf ends at what it does not expect of an API server: a 410 before a stream begins or between the pages of a list, an
error within a stream, an answer that is no JSON. Its author leaves that to a kubelet, but a process that starts anew
lists everything, waits for a Lease, and after a few such ends waits for minutes in CrashLoopBackOff.
"""

import asyncio
import contextlib
import logging
import re
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any

import kopf

from tweetbot_contract.handover import GROUP, PLURAL, VERSION
from tweetbot_operator.client.errors import ApiError, NotFound
from tweetbot_operator.client.interface import Kind
from tweetbot_operator.client.parse import parse_cached_bot, parse_job, parse_pod
from tweetbot_operator.informers import kopf_setup
from tweetbot_operator.informers.handlers import EventHandler
from tweetbot_operator.informers.resync import Resync
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.telemetry.logs import with_fields
from tweetbot_operator.telemetry.metrics import WATCH_RESTARTS

#: kopf's own words (kopf/_cogs/clients/watching.py), by what they mean: 410 Gone, or a stream that fell silent.
_CAUSES = {
    "Expired": re.compile(r"Restarting the watch-stream for (\w+)"),
    "Silent": re.compile(r"Watch-stream for (\w+)\S* .*is inactive, reconnecting"),
}


class KopfRestartFilter(logging.Filter):
    """Reads the lines of kopf's watching; lets pass what would be seen without it."""

    def __init__(self, on_restart: Callable[[], None]) -> None:
        """`on_restart` is called whenever a watch begins anew from a list, which does not tell what is gone."""
        super().__init__()
        self._on_restart = on_restart

    def filter(self, record: logging.LogRecord) -> bool:
        """Count the line if it tells of a restart."""
        if record.levelno > logging.DEBUG:
            return True
        for cause, words in _CAUSES.items():
            if found := words.match(record.getMessage()):
                WATCH_RESTARTS.labels(resource=found[1], cause=cause).inc()
                if cause == "Expired":  # a silent one goes on from where it was
                    self._on_restart()
        return False


@contextlib.contextmanager
def listen_to_watches(on_restart: Callable[[], None]) -> Iterator[None]:
    """Listen to kopf inside."""
    logger, log = logging.getLogger("kopf._cogs.clients.watching"), KopfRestartFilter(on_restart)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addFilter(log)
    try:
        yield
    finally:
        logger.removeFilter(log)
        logger.setLevel(level)


LOG = logging.getLogger(__name__)
#: Seconds after which watches that end again did run: the pauses begin anew.
_RAN = 120.0
#: Seconds by which kopf has surely begun.
_BEGUN = 1.0
#: What kopf would call itself among its peers, of which it has none. Left to itself it asks for the name of the user,
#: and fails: an image may run as any number.
_NAME = "tweetbot-operator"


class CannotStart(Exception):
    """Whoever runs the operator must change something; the message says what."""


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` on SIGTERM and SIGINT. Only the main thread may ask for that, on its own loop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


class Watches:
    """Fills the cache, first by a list and then by watching, until it is told to end."""

    def __init__(
        self,
        event_handler: EventHandler,
        resync: Resync,
        settings: OperatorSettings,
        *,
        run_kopf: Callable[..., Awaitable[None]] = kopf_setup.run_kopf,
        pauses: Callable[[], Iterable[float]] = kopf_setup.UnboundedBackoff,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`operate` runs kopf; `pauses` are those between two tries, in seconds as `clock`, which is steady."""
        self._event_handler, self._resync, self._settings = event_handler, resync, settings
        self._run_kopf, self._pauses, self._clock = run_kopf, pauses, clock
        self.started = asyncio.Event()
        """Set once the watches have run."""

    async def wait_for_cache_sync(self, stop: asyncio.Event) -> None:
        """Read everything once the API server answers; an outage must not become a crash loop. Raises CannotStart."""
        pauses = iter(self._pauses())
        while not stop.is_set():
            try:
                await self._resync.list_initial()
            except NotFound:
                raise CannotStart("the cluster does not know TweetBots: kubectl apply -f crds/ first") from None
            except ApiError as fault:
                pause = next(pauses)
                LOG.warning(
                    "the API server does not answer", extra=with_fields(fault=str(fault), seconds=round(pause, 1))
                )
                await self._sleep(pause, stop)
            else:
                return

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop` is set. Raises CannotStart when the cluster knows TweetBots no more."""
        namespaces = ",".join(self._settings.namespaces) or "all"
        LOG.info("started", extra=with_fields(workers=self._settings.workers, namespaces=namespaces))
        with listen_to_watches(self._resync.mark_stale):
            pauses = iter(self._pauses())
            while not stop.is_set():
                began = self._clock()
                try:
                    await self._watch(stop)
                    stop.set()  # kopf ends in good order on a signal alone
                except Exception:  # whatever it is, the caches are still good and the Lease is still ours
                    pauses = pauses if self._clock() - began < _RAN else iter(self._pauses())
                    pause = next(pauses)
                    LOG.exception("the watches ended, and begin anew", extra=with_fields(seconds=round(pause, 1)))
                    await self._recover(pause, stop)

    async def _recover(self, pause: float, stop: asyncio.Event) -> None:
        """Wait until the API server answers, and have looked for what no watch will tell. Raises CannotStart."""
        WATCH_RESTARTS.labels(resource="all", cause="Failed").inc()
        stop_on_signals(stop)
        await self._sleep(pause, stop)
        await self.wait_for_cache_sync(stop)
        self._resync.mark_stale()

    async def _sleep(self, seconds: float, stop: asyncio.Event) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()

    async def _watch(self, stop: asyncio.Event) -> None:
        registry, settings = kopf.OperatorRegistry(), kopf.OperatorSettings()
        kopf_setup.configure(settings)
        kopf_setup.login(registry)
        register(registry, self._event_handler)
        # kopf takes the signals over as it begins, and would still hold them, deaf, while it ends by a fault.
        asyncio.get_running_loop().call_later(_BEGUN, stop_on_signals, stop)
        await self._run_kopf(
            registry=registry,
            settings=settings,
            standalone=True,
            identity=_NAME,
            clusterwide=not self._settings.namespaces,
            namespaces=self._settings.namespaces,
            stop_flag=stop,
            ready_flag=self.started,
            memories=kopf_setup.NoMemories(),
        )


def register(registry: kopf.OperatorRegistry, event_handler: EventHandler) -> None:
    """Watch TweetBots, Jobs and Pods. Only `on.event`: every other decorator makes kopf write to the objects."""
    views: dict[Kind, Any] = {"tweetbots": parse_cached_bot, "jobs": parse_job, "pods": parse_pod}

    def take(kind: Kind, event: Mapping[str, Any]) -> None:
        item = views[kind](event["object"])
        event_handler.observe_version(kind, item)
        if event["type"] == "DELETED":
            event_handler.delete(kind, item.uid, int(item.resource_version))
        else:
            event_handler.put(item)

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def on_bot(event: Mapping[str, Any], **_: Any) -> None:
        take("tweetbots", event)

    @kopf.on.event("batch", "v1", "jobs", registry=registry)
    async def on_job(event: Mapping[str, Any], **_: Any) -> None:
        take("jobs", event)

    @kopf.on.event("", "v1", "pods", registry=registry)
    async def on_pod(event: Mapping[str, Any], **_: Any) -> None:
        take("pods", event)
