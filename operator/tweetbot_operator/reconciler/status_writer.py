"""The writes on a TweetBot itself, its status and its finalizers; what keeps one from being written is told by another.

A policy, a webhook, a missing right or a bug of ours may refuse them for as long as it stands. The pass fails then, and
is made again after a pause; people read why in a status that says nothing else that is new, or else in an Event.
"""

from collections.abc import Callable
from datetime import datetime

from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reason import Reason
from tweetbot_contract.reasons import FINALIZER_REFUSED, STATUS_REFUSED
from tweetbot_contract.status import CurrentRun, TweetBotStatus
from tweetbot_operator.client.errors import ApiFault, Refused, ServerFault
from tweetbot_operator.client.interface import Cluster
from tweetbot_operator.decisions.status import same, status_saying
from tweetbot_operator.decisions.usage import gpu_seconds_left
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.reconciler.diagnostics_cache import Memory
from tweetbot_operator.reconciler.event_recorder import Recorder
from tweetbot_operator.telemetry.metrics import STATUS_WRITES
from tweetbot_operator.telemetry.run_metrics import Census, count_bill, count_cut_short, count_end, count_gpu_time
from tweetbot_operator.types.objects import StoredBot
from tweetbot_operator.types.summary import Standing
from tweetbot_operator.types.times import clause
from tweetbot_operator.types.tweetbot import UnreadableBot

Bot = TweetBot | UnreadableBot


class BotWrites:
    """Writes, and keeps the answer in the cache. Every method raises Conflict, Missing, Refused, ClusterBusy."""

    def __init__(
        self,
        cluster: Cluster,
        cache: Cache,
        now: Callable[[], datetime],
        *,
        memory: Memory,
        recorder: Recorder,
        census: Census,
    ) -> None:
        """`memory`, `recorder` and `census` are those of the passes."""
        self._cluster, self._cache, self._now = cluster, cache, now
        self._memory, self._recorder, self._census = memory, recorder, census

    async def status(self, stored: StoredBot, bot: Bot, after: TweetBotStatus) -> None:
        """Write the whole status, and tell and count what it says that is new."""
        try:
            self._cache.bots.put(await self._cluster.apply_status(stored, after.as_json()))
        except (ServerFault, Refused) as fault:
            if not (isinstance(fault, ServerFault) and self._memory.may_pass(stored.group, fault)):
                await self._tell(stored, bot, STATUS_REFUSED, fault)
            raise
        self._memory.forget_server_fault(stored.group)
        STATUS_WRITES.inc()
        self._recorder.note(stored, bot.status, after)
        count_end(bot.status, after)
        if isinstance(bot, TweetBot):
            count_bill(bot.namespace, bot.status, after)
            count_gpu_time(bot.namespace, bot.spec.resources.gpu, bot.status, after)
            count_cut_short(bot.namespace, bot.status, after, self._uncounted(stored, bot.status.current_run))

    def _uncounted(self, stored: StoredBot, run: CurrentRun | None) -> dict[str, float]:
        """Return the GPU seconds of the run's present Job that are in no status."""
        group = (stored.namespace, stored.uid)
        own = {job.uid for job in self._cache.jobs.group(group) if run and job.owner and job.name == run.job_name}
        pods = tuple(pod for pod in self._cache.pods.group(group) if pod.job in own)
        return gpu_seconds_left(run, pods, self._now()) if run else {}

    async def finalizers(self, stored: StoredBot, bot: Bot, finalizers: tuple[str, ...]) -> None:
        """Replace the finalizers. The status of a deletion says how far that is, so an Event alone tells of it."""
        try:
            self._cache.bots.put(await self._cluster.set_finalizers(stored, finalizers))
        except Refused as fault:
            if bot.deleting:
                self._warn(stored, FINALIZER_REFUSED, fault)
            else:
                await self._tell(stored, bot, FINALIZER_REFUSED, fault)
            raise

    async def blank_status(self, stored: StoredBot) -> None:
        """Forget a status that speaks of another TweetBot."""
        try:
            self._cache.bots.put(await self._cluster.forget_status(stored))
        except Refused as fault:
            self._warn(stored, STATUS_REFUSED, fault)
            raise

    async def _tell(self, stored: StoredBot, bot: Bot, reason: Reason, fault: ApiFault) -> None:
        """Write the former status with nothing new but what cannot be written; if that is refused, post an Event."""
        standing = Standing(bot.status.phase, reason.name, _message(reason, fault), stalled=True)
        told = status_saying(bot, standing, self._now())
        self._census.enter(stored.group, told)
        if same(told, bot.status):
            return
        try:
            self._cache.bots.put(await self._cluster.apply_status(stored, told.as_json()))
        except Refused:
            self._warn(stored, reason, fault)
        else:
            self._recorder.note(stored, bot.status, told)

    def _warn(self, stored: StoredBot, reason: Reason, fault: ApiFault) -> None:
        self._recorder.warn(stored, reason.name, _message(reason, fault))


def _message(reason: Reason, fault: ApiFault) -> str:
    return f"{clause(str(fault), 700)}. {reason.advice}"
