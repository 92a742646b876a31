"""Posts Events beside the passes that they tell of. One that cannot be written is dropped: it must hold up nothing."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime

from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.cluster import Cluster, Manifest
from tweetbot_operator.errors import ApiFault
from tweetbot_operator.status_to_events import event_for, happenings
from tweetbot_operator.views import StoredBot

LOG = logging.getLogger(__name__)
#: Events that wait to be posted; in a flood the oldest go, as the newest say what is so now.
_WAITING = 1000


class Recorder:
    """Collects what happened, and posts it in order from a task of its own."""

    def __init__(self, cluster: Cluster, now: Callable[[], datetime]) -> None:
        self._cluster, self._now = cluster, now
        self._waiting: deque[Manifest] = deque(maxlen=_WAITING)
        self._wake = asyncio.Event()

    def note(self, bot: StoredBot, before: TweetBotStatus, after: TweetBotStatus) -> None:
        """Take up what the change of status means to people."""
        run = after.current_run
        scope = f"{run.id}-{run.number}" if run else ""
        for happening in happenings(before, after):
            LOG.info(happening.message, extra={"fields": {"reason": happening.reason, "type": happening.type}})
            self._waiting.append(event_for(happening, (bot.namespace, bot.name, bot.uid), scope, self._now()))
            self._wake.set()

    async def run(self) -> None:
        """Post for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.flush()

    async def flush(self) -> None:
        """Post what waits. A duplicate was posted before a crash; a refusal is the namespace's end or a quota."""
        while self._waiting:
            event = self._waiting.popleft()
            try:
                await self._cluster.create_event(event)
            except ApiFault as fault:
                LOG.debug("event not written", extra={"fields": {"event": json.dumps(event), "fault": str(fault)}})
