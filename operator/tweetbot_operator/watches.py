"""kopf's watches, kept going: what ends them is told, and they begin anew here, with the caches and the Lease kept.

kopf ends at what it does not expect of an API server: a 410 before a stream begins or between the pages of a list, an
error within a stream, an answer that is no JSON. Its author leaves that to a kubelet, but a process that starts anew
lists everything, waits for a Lease, and after a few such ends waits for minutes in CrashLoopBackOff.
"""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Iterable

import kopf

from tweetbot_operator import handlers, kopf_run, kopf_setup
from tweetbot_operator.errors import ApiFault, Missing
from tweetbot_operator.intake import Intake
from tweetbot_operator.logs import about
from tweetbot_operator.metrics import WATCH_RESTARTS
from tweetbot_operator.resync import Resync
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.watch_log import listening_to_watches

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


def end_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` on SIGTERM and SIGINT. Only the main thread may ask for that, on its own loop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


class Watches:
    """Fills the cache, first by a list and then by watching, until it is told to end."""

    def __init__(
        self,
        intake: Intake,
        resync: Resync,
        settings: OperatorSettings,
        *,
        operate: Callable[..., Awaitable[None]] = kopf_run.operate,
        pauses: Callable[[], Iterable[float]] = kopf_setup.EndlessPauses,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`operate` runs kopf; `pauses` are those between two tries, in seconds as `clock`, which is steady."""
        self._intake, self._resync, self._settings = intake, resync, settings
        self._operate, self._pauses, self._clock = operate, pauses, clock
        self.began = asyncio.Event()
        """Set once the watches have run."""

    async def prime(self, stop: asyncio.Event) -> None:
        """Read everything once the API server answers; an outage must not become a crash loop. Raises CannotStart."""
        pauses = iter(self._pauses())
        while not stop.is_set():
            try:
                await self._resync.prime()
            except Missing:
                raise CannotStart("the cluster does not know TweetBots: kubectl apply -f crds/ first") from None
            except ApiFault as fault:
                pause = next(pauses)
                LOG.warning("the API server does not answer", extra=about(fault=str(fault), seconds=round(pause, 1)))
                await self._rest(pause, stop)
            else:
                return

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop` is set. Raises CannotStart when the cluster knows TweetBots no more."""
        namespaces = ",".join(self._settings.namespaces) or "all"
        LOG.info("started", extra=about(workers=self._settings.workers, namespaces=namespaces))
        with listening_to_watches(self._resync.doubt):
            pauses = iter(self._pauses())
            while not stop.is_set():
                began = self._clock()
                try:
                    await self._watch(stop)
                    stop.set()  # kopf ends in good order on a signal alone
                except Exception:  # whatever it is, the caches are still good and the Lease is still ours
                    pauses = pauses if self._clock() - began < _RAN else iter(self._pauses())
                    pause = next(pauses)
                    LOG.exception("the watches ended, and begin anew", extra=about(seconds=round(pause, 1)))
                    await self._recover(pause, stop)

    async def _recover(self, pause: float, stop: asyncio.Event) -> None:
        """Wait until the API server answers, and have looked for what no watch will tell. Raises CannotStart."""
        WATCH_RESTARTS.labels(resource="all", cause="Failed").inc()
        end_on_signals(stop)
        await self._rest(pause, stop)
        await self.prime(stop)
        self._resync.doubt()

    async def _rest(self, seconds: float, stop: asyncio.Event) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()

    async def _watch(self, stop: asyncio.Event) -> None:
        registry, settings = kopf.OperatorRegistry(), kopf.OperatorSettings()
        kopf_setup.configure(settings, self._settings.watch_silence_seconds)
        kopf_setup.login(registry)
        handlers.register(registry, self._intake)
        # kopf takes the signals over as it begins, and would still hold them, deaf, while it ends by a fault.
        asyncio.get_running_loop().call_later(_BEGUN, end_on_signals, stop)
        await self._operate(
            registry=registry,
            settings=settings,
            standalone=True,
            identity=_NAME,
            clusterwide=not self._settings.namespaces,
            namespaces=self._settings.namespaces,
            stop_flag=stop,
            ready_flag=self.began,
            memories=kopf_setup.NoMemories(),
        )
