"""Write a TweetBot's status and finalizers.

A policy, a webhook, a missing right or a bug of ours may refuse a write. The pass then fails and is tried again; people
read why in a status with nothing else new, or else in an Event.
"""

from collections.abc import Callable
from datetime import datetime

from tweetbot_contract.manifest import BaseTweetBot, TweetBot
from tweetbot_contract.reasons import FINALIZER_REFUSED, STATUS_REFUSED, Reason
from tweetbot_contract.status import CurrentRun, TweetBotStatus
from tweetbot_operator.client.errors import ApiError, InternalError, Rejected
from tweetbot_operator.client.events import Recorder
from tweetbot_operator.client.interface import Cluster
from tweetbot_operator.decisions.conditions import Summary
from tweetbot_operator.decisions.run import compute_uncounted_gpu_time
from tweetbot_operator.decisions.status import semantically_equal, set_summary
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.reconciler.diagnostics_cache import DiagnosticsCache
from tweetbot_operator.telemetry.metrics import STATUS_WRITES
from tweetbot_operator.telemetry.run_metrics import (
    RunMetrics,
    count_billed_posts,
    count_finished_run,
    count_gpu_time,
    count_interrupted_gpu_time,
)
from tweetbot_operator.types.objects import CachedTweetBot
from tweetbot_operator.types.times import sanitize


class StatusWriter:
    """Writes and keeps the answer in the cache. Every method raises Conflict, NotFound, Rejected, Unavailable."""

    def __init__(
        self,
        cluster: Cluster,
        cache: Cache,
        now: Callable[[], datetime],
        diagnostics_cache: DiagnosticsCache,
        *,
        recorder: Recorder,
        run_metrics: RunMetrics,
    ) -> None:
        self._cluster, self._cache, self._now = cluster, cache, now
        self._diagnostics_cache, self._recorder, self._run_metrics = diagnostics_cache, recorder, run_metrics

    async def write_status(self, stored: CachedTweetBot, bot: BaseTweetBot, after: TweetBotStatus) -> None:
        """Write the whole status, and record what is new in Events and metrics."""
        try:
            self._cache.bots.put(await self._cluster.apply_status(stored, after.to_dict()))
        except (InternalError, Rejected) as fault:
            if not (isinstance(fault, InternalError) and self._diagnostics_cache.may_pass(stored.index_key, fault)):
                await self._write_failure(stored, bot, STATUS_REFUSED, fault)
            raise
        self._diagnostics_cache.forget_server_fault(stored.index_key)
        STATUS_WRITES.inc()
        self._recorder.note(stored, bot.status, after)
        count_finished_run(bot.status, after)
        if isinstance(bot, TweetBot):
            count_billed_posts(bot.namespace, bot.status, after)
            count_gpu_time(bot.namespace, bot.spec.resources.gpu, bot.status, after)
            uncounted = self._sum_uncounted_gpu_seconds(stored, bot.status.current_run)
            count_interrupted_gpu_time(bot.namespace, bot.status, after, uncounted)

    def _sum_uncounted_gpu_seconds(self, stored: CachedTweetBot, run: CurrentRun | None) -> dict[str, float]:
        """Sum the GPU seconds of the run's present Job that are in no status, by resource."""
        if run is None:
            return {}
        index = (stored.namespace, stored.uid)
        jobs = self._cache.jobs.list_by_index(index)
        own = {job.uid for job in jobs if job.owner_uid and job.name == run.job_name}
        pods = tuple(pod for pod in self._cache.pods.list_by_index(index) if pod.controller_uid in own)
        return compute_uncounted_gpu_time(run, pods, self._now())

    async def write_finalizers(self, stored: CachedTweetBot, bot: BaseTweetBot, finalizers: tuple[str, ...]) -> None:
        """Replace the finalizers. A deletion's status says how far that is, so only an Event reports a refusal."""
        try:
            self._cache.bots.put(await self._cluster.set_finalizers(stored, finalizers))
        except Rejected as fault:
            if bot.deleting:
                self._warn(stored, FINALIZER_REFUSED, fault)
            else:
                await self._write_failure(stored, bot, FINALIZER_REFUSED, fault)
            raise

    async def reset_status(self, stored: CachedTweetBot) -> None:
        """Blank a status that was written for another TweetBot."""
        try:
            self._cache.bots.put(await self._cluster.reset_status(stored))
        except Rejected as fault:
            self._warn(stored, STATUS_REFUSED, fault)
            raise

    async def _write_failure(self, stored: CachedTweetBot, bot: BaseTweetBot, reason: Reason, fault: ApiError) -> None:
        """Write the former status with only the refusal new; if that is refused, too, post an Event."""
        summary = Summary(bot.status.phase, reason.name, _format_message(reason, fault), stalled=True)
        status = set_summary(bot, summary, self._now())
        self._run_metrics.enter(stored.index_key, status)
        if semantically_equal(status, bot.status):
            return
        try:
            self._cache.bots.put(await self._cluster.apply_status(stored, status.to_dict()))
        except Rejected:
            self._warn(stored, reason, fault)
        else:
            self._recorder.note(stored, bot.status, status)

    def _warn(self, stored: CachedTweetBot, reason: Reason, fault: ApiError) -> None:
        self._recorder.warn(stored, reason.name, _format_message(reason, fault))


def _format_message(reason: Reason, fault: ApiError) -> str:
    return f"{sanitize(str(fault), 700)}. {reason.advice}"
