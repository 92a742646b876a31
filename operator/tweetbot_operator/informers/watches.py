"""Runs kopf's watches, and runs them again when kopf ends, with caches and Lease kept.

kopf ends at what it does not expect of an API server: a 410 before a stream begins or between the pages of a list, an
error within a stream, an answer that is not JSON. It leaves the restart to the kubelet, but a new process would list
everything, wait for a Lease, and after a few such ends wait for minutes in CrashLoopBackOff.
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
from tweetbot_operator.informers.cache import EventHandler
from tweetbot_operator.informers.resync import Resync
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.telemetry.logs import with_fields
from tweetbot_operator.telemetry.metrics import WATCH_RESTARTS

LOG = logging.getLogger(__name__)
#: kopf's log lines (kopf/_cogs/clients/watching.py) by what they mean: 410 Gone, or a silent stream.
_RESTART_CAUSES = {
    "Expired": re.compile(r"Restarting the watch-stream for (\w+)"),
    "Silent": re.compile(r"Watch-stream for (\w+)\S* .*is inactive, reconnecting"),
}
#: Seconds after which watches that end again did run, so that the backoff starts over.
_STABLE_SECONDS = 120.0
#: Seconds by which kopf has surely installed its own signal handlers.
_KOPF_STARTED_SECONDS = 1.0
#: kopf's name among its peers, of which there are none. By default it looks up the user's name, which fails in an image
#: that runs as any uid.
_IDENTITY = "tweetbot-operator"


class CannotStart(Exception):
    """The operator needs something changed before it can start; the message says what."""


def count_restart(record: logging.LogRecord, on_restart: Callable[[], None]) -> bool:
    """Count a restart that kopf's log line reports; return whether the line passes the filter.

    `on_restart` is called if a watch starts again with a list, which does not show what was deleted.
    """
    if record.levelno > logging.DEBUG:
        return True
    for cause, pattern in _RESTART_CAUSES.items():
        if found := pattern.match(record.getMessage()):
            WATCH_RESTARTS.labels(resource=found[1], cause=cause).inc()
            if cause == "Expired":  # a silent one continues from its last version
                on_restart()
    return False


@contextlib.contextmanager
def listen_to_watches(on_restart: Callable[[], None]) -> Iterator[None]:
    """Read kopf's log inside."""
    logger = logging.getLogger("kopf._cogs.clients.watching")
    level = logger.level

    def read_line(record: logging.LogRecord) -> bool:
        return count_restart(record, on_restart)

    logger.setLevel(logging.DEBUG)
    logger.addFilter(read_line)
    try:
        yield
    finally:
        logger.removeFilter(read_line)
        logger.setLevel(level)


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` on SIGTERM and SIGINT. Needs the main thread's running loop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


class Watches:
    """Fills the cache, first by a list and then by watching, until it is stopped."""

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
        """`pauses` are the seconds between two tries; `clock` is monotonic."""
        self._event_handler, self._resync, self._settings = event_handler, resync, settings
        self._run_kopf, self._pauses, self._clock = run_kopf, pauses, clock
        self.started = asyncio.Event()
        """Set once the watches run."""
        self._ending = asyncio.Event()

    def restart(self) -> None:
        """Open other watches, which begin with a list; the present ones go on from versions that are no more."""
        self._ending.set()

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
                fields = with_fields(fault=str(fault), seconds=round(pause, 1))
                LOG.warning("the API server does not answer", extra=fields)
                await self._sleep(pause, stop)
            else:
                return

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop` is set. Raises CannotStart if the cluster no longer knows TweetBots."""
        namespaces = ",".join(self._settings.namespaces) or "all"
        LOG.info("started", extra=with_fields(workers=self._settings.workers, namespaces=namespaces))
        with listen_to_watches(self._resync.mark_stale):
            pauses = iter(self._pauses())
            while not stop.is_set():
                began = self._clock()
                try:
                    await self._watch(stop)
                    if not self._ending.is_set():
                        stop.set()  # without an error, kopf ends on a signal
                    stop_on_signals(stop)
                except Exception:  # whatever it is, the caches are still good and the Lease is still ours
                    pauses = pauses if self._clock() - began < _STABLE_SECONDS else iter(self._pauses())
                    pause = next(pauses)
                    LOG.exception("the watches ended, and are opened again", extra=with_fields(seconds=round(pause, 1)))
                    await self._recover(pause, stop)

    async def _recover(self, pause: float, stop: asyncio.Event) -> None:
        """Wait until the API server answers, and have Resync look for what no watch reports. Raises CannotStart."""
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
        self._ending = asyncio.Event()
        ending = asyncio.create_task(_pass_on(stop, self._ending))
        try:
            await self._watch_until(self._ending, stop)
        finally:
            ending.cancel()

    async def _watch_until(self, ending: asyncio.Event, stop: asyncio.Event) -> None:
        registry, settings = kopf.OperatorRegistry(), kopf.OperatorSettings()
        kopf_setup.configure(settings)
        kopf_setup.login(registry)
        register(registry, self._event_handler)
        # kopf takes over the signals as it starts; while it ends after an error, it would hold them and ignore them.
        asyncio.get_running_loop().call_later(_KOPF_STARTED_SECONDS, stop_on_signals, stop)
        await self._run_kopf(
            registry=registry,
            settings=settings,
            standalone=True,
            identity=_IDENTITY,
            clusterwide=not self._settings.namespaces,
            namespaces=self._settings.namespaces,
            stop_flag=ending,
            ready_flag=self.started,
            memories=kopf_setup.NoMemories(),
        )


async def _pass_on(stop: asyncio.Event, ending: asyncio.Event) -> None:
    await stop.wait()
    ending.set()


def register(registry: kopf.OperatorRegistry, event_handler: EventHandler) -> None:
    """Watch TweetBots, Jobs and Pods. Only by `on.event`: every other decorator makes kopf write to the objects."""

    def handle(kind: Kind, parse: Callable[[Any], Any], event: Mapping[str, Any]) -> None:
        item = event_handler.find_version(kind, event["object"]["metadata"]) or parse(event["object"])
        event_handler.observe_version(kind, item)
        if event["type"] == "DELETED":
            event_handler.delete(kind, item.uid, int(item.resource_version))
        else:
            event_handler.put(item)

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def on_bot(event: Mapping[str, Any], **_: Any) -> None:
        handle("tweetbots", parse_cached_bot, event)

    @kopf.on.event("batch", "v1", "jobs", registry=registry)
    async def on_job(event: Mapping[str, Any], **_: Any) -> None:
        handle("jobs", parse_job, event)

    @kopf.on.event("", "v1", "pods", registry=registry)
    async def on_pod(event: Mapping[str, Any], **_: Any) -> None:
        handle("pods", parse_pod, event)
