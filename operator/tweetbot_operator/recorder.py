"""Posts Events beside the passes that they tell of. One that cannot be written is dropped: it must hold up nothing."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime

from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.cluster import Cluster, Manifest
from tweetbot_operator.errors import ApiFault, NamespaceEnding, Refused
from tweetbot_operator.logs import about
from tweetbot_operator.status_to_events import Happening, event_for, happenings, warning
from tweetbot_operator.views import StoredBot

LOG = logging.getLogger(__name__)
#: Events that wait to be posted; in a flood the oldest go, as the newest say what is so now.
_WAITING = 1000
#: Seconds before an Event, as the pass that it tells of still has a Job to create, and between two of them while
#: TweetBots wait for a worker: a third of a launch's requests would be Events.
_LEISURE = 0.1


class Recorder:
    """Collects what happened, and posts it in order from a task of its own."""

    def __init__(
        self,
        cluster: Cluster,
        now: Callable[[], datetime],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._cluster, self._now, self._sleep = cluster, now, sleep
        self._waiting: deque[tuple[Manifest, dict[str, str]]] = deque(maxlen=_WAITING)
        self._wake = asyncio.Event()
        self._refused = False

    def note(self, bot: StoredBot, before: TweetBotStatus, after: TweetBotStatus) -> None:
        """Take up what the change of status means to people."""
        run = after.current_run
        scope = f"{run.id}-{run.number}" if run else ""
        for happening in happenings(before, after):
            self._take(bot, happening, scope, run.id if run else None)  # the run that the pass may just have recorded

    def warn(self, bot: StoredBot, reason: str, message: str) -> None:
        """Take up what no status could say; said again, the API server refuses it as a duplicate while it has it."""
        self._take(bot, warning(reason, message), "", None)

    def _take(self, bot: StoredBot, happening: Happening, scope: str, run: str | None) -> None:
        LOG.info(happening.message, extra=about(reason=happening.reason, type=happening.type, run=run))
        event = event_for(happening, (bot.namespace, bot.name, bot.uid), scope, self._now())
        self._waiting.append((event, about(namespace=bot.namespace, name=bot.name, run=run)["fields"]))
        self._wake.set()

    async def run(self, busy: Callable[[], bool] = lambda: False) -> None:
        """Post for ever, at leisure while `busy` says that there is more urgent work."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._sleep(_LEISURE)
            while self._waiting:
                await self._post(*self._waiting.popleft())
                if busy():
                    await self._sleep(_LEISURE)

    async def flush(self) -> None:
        """Post what waits."""
        while self._waiting:
            await self._post(*self._waiting.popleft())

    async def _post(self, event: Manifest, subject: dict[str, str]) -> None:
        """A duplicate was posted before a crash; a refusal is the namespace's end or a quota."""
        try:
            await self._cluster.create_event(event)
        except ApiFault as fault:
            LOG.debug("event not written", extra=about(**subject, event=json.dumps(event), fault=str(fault)))
            self._note_refusal(fault)
        else:
            self._refused = False

    def _note_refusal(self, fault: ApiFault) -> None:
        """Tell the first of a row: a right that is missing would else be told with every Event."""
        if isinstance(fault, Refused) and not isinstance(fault, NamespaceEnding) and not self._refused:
            self._refused = True
            LOG.warning("Events are refused", extra=about(fault=str(fault)))
