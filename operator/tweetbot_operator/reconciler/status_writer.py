"""Write a TweetBot's status and finalizers.

A policy, a webhook, a missing right or a bug of ours may refuse a write. The pass then fails and is tried again; people
read why in a status with nothing else new, or else in an Event.

What comes back may differ from what was sent, as where a policy rewords or strips it. What was sent then stands for
what came back, or the two would be written over each other for ever.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from tweetbot_contract.manifest import BaseTweetBot, TweetBot
from tweetbot_contract.reasons import FINALIZER_REFUSED, STATUS_CHANGED, STATUS_REFUSED, Reason
from tweetbot_contract.status import CurrentRun, TweetBotStatus
from tweetbot_operator.client.errors import ApiError, InternalError, Rejected
from tweetbot_operator.client.events import Recorder
from tweetbot_operator.client.interface import Cluster
from tweetbot_operator.client.parse import parse_tweetbot
from tweetbot_operator.decisions.run import compute_uncounted_gpu_time
from tweetbot_operator.decisions.status import compute_write_time, is_rewording, semantically_equal, set_summary
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.reconciler.diagnostics_cache import DiagnosticsCache
from tweetbot_operator.telemetry.metrics import STATUS_WRITES
from tweetbot_operator.telemetry.run_metrics import (
    RunMetrics,
    count_finished_run,
    count_gpu_time,
    count_interrupted_gpu_time,
    count_posts,
)
from tweetbot_operator.types.objects import CachedTweetBot, InvalidTweetBot, Key
from tweetbot_operator.types.stage_state import Summary
from tweetbot_operator.types.times import align_pod, sanitize

#: Fields of the run by which its Jobs are found; without them nothing may be created for it.
_RUN_FIELDS = ("id", "number", "stage", "execution", "job_name", "retries", "outcome", "dataset")


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
        self._reworded_at: dict[Key, datetime] = {}
        self._echoes: dict[Key, tuple[TweetBotStatus, TweetBotStatus]] = {}
        """The status that stands for another, and that other, where what came back is not what was sent."""

    def forget(self, key: Key) -> None:
        """Forget a TweetBot that is gone."""
        self._reworded_at.pop(key, None)
        self._echoes.pop(key, None)

    def recall(self, bot: TweetBot | InvalidTweetBot) -> TweetBot | InvalidTweetBot:
        """Return the TweetBot with the status that was sent, where its own is what came back."""
        echo = self._echoes.get((bot.namespace, bot.name))
        return replace(bot, status=echo[0]) if echo and semantically_equal(echo[1], bot.status) else bot

    def compute_write_time(self, bot: BaseTweetBot, after: TweetBotStatus) -> datetime | None:
        """Return when this status is to be written; None while it says the same as the TweetBot's own."""
        reworded_at = self._reworded_at.get((bot.namespace, bot.name))
        return compute_write_time(bot.status, after, reworded_at, self._now())

    async def write_status(self, stored: CachedTweetBot, bot: BaseTweetBot, after: TweetBotStatus) -> None:
        """Write the whole status, and record what is new in Events and metrics."""
        try:
            answer = await self._apply(stored, bot.status, after)
        except (InternalError, Rejected) as fault:
            if not (isinstance(fault, InternalError) and self._diagnostics_cache.may_pass(stored.index_key, fault)):
                await self._write_failure(stored, bot, STATUS_REFUSED, fault)
            raise
        self._diagnostics_cache.forget_server_fault(stored.index_key)
        STATUS_WRITES.inc()
        self._check_answer(stored, bot.status, after, parse_tweetbot(answer.document).status)
        self._recorder.note(stored, bot.status, after)
        count_finished_run(bot.namespace, bot.status, after)
        if isinstance(bot, TweetBot):
            count_posts(bot.namespace, bot.status, after)
            count_gpu_time(bot.namespace, bot.spec.resources.gpu, bot.status, after)
            uncounted = self._sum_uncounted_gpu_seconds(stored, bot.status.current_run)
            count_interrupted_gpu_time(bot.namespace, bot.status, after, uncounted)

    async def _apply(self, stored: CachedTweetBot, before: TweetBotStatus, status: TweetBotStatus) -> CachedTweetBot:
        answer = await self._cluster.apply_status(stored, status.to_dict())
        self._cache.bots.put(answer)
        if is_rewording(before, status):
            self._reworded_at[stored.index_key] = self._now()
        return answer

    def _check_answer(
        self, stored: CachedTweetBot, before: TweetBotStatus, sent: TweetBotStatus, answered: TweetBotStatus
    ) -> None:
        """Remember and tell a difference. Raises Rejected where the run is not recorded as it stands."""
        former = self._echoes.pop(stored.index_key, None)
        if semantically_equal(sent, answered):
            return
        lost = _find_lost_field(sent.current_run, answered.current_run)
        self._echoes[stored.index_key] = (before if lost else sent, answered)
        fault = Rejected(lost or "A policy or a webhook changes " + _find_difference(sent, answered))
        if former is None:
            self._warn(stored, STATUS_CHANGED, fault)
        if lost:
            raise fault

    def _sum_uncounted_gpu_seconds(self, stored: CachedTweetBot, run: CurrentRun | None) -> dict[str, float]:
        """Sum the GPU seconds of the run's present Job that are in no status, by resource."""
        if run is None:
            return {}
        index = (stored.namespace, stored.uid)
        jobs = self._cache.jobs.list_by_index(index)
        own = {job.uid for job in jobs if job.owner_uid and job.name == run.job_name}
        now = self._now()
        pods = tuple(align_pod(pod, now) for pod in self._cache.list_pods(*index) if pod.controller_uid in own)
        return compute_uncounted_gpu_time(run, pods, now)

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
        due = self.compute_write_time(bot, status)
        if due is None or due > self._now():
            return
        try:
            await self._apply(stored, bot.status, status)
        except Rejected:
            self._warn(stored, reason, fault)
        else:
            self._recorder.note(stored, bot.status, status)

    def _warn(self, stored: CachedTweetBot, reason: Reason, fault: ApiError) -> None:
        self._recorder.warn(stored, reason.name, _format_message(reason, fault))


def _find_lost_field(sent: CurrentRun | None, answered: CurrentRun | None) -> str:
    """Return which field of the run is not stored as it was sent, in a sentence; empty if each is."""
    if sent is None:
        return ""
    fields = (name for name in _RUN_FIELDS if getattr(sent, name) != getattr(answered, name, None))
    name = next(fields, None)
    return f"status.currentRun.{CurrentRun.model_fields[name].alias} is not stored as it was sent" if name else ""


def _find_difference(sent: TweetBotStatus, answered: TweetBotStatus) -> str:
    """Return the first field of the status that came back otherwise than it was sent."""
    fields = TweetBotStatus.model_fields.items()
    return next(f"status.{field.alias}" for name, field in fields if getattr(sent, name) != getattr(answered, name))


def _format_message(reason: Reason, fault: ApiError) -> str:
    return f"{sanitize(str(fault), 700)}. {reason.advice}"
