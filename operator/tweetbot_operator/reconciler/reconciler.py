"""One pass over one TweetBot: gather, decide, act, write the status once. Whatever called for it, state decides."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import assert_never

from tweetbot_contract.handover import ERASE_FINALIZER
from tweetbot_contract.manifest import BaseTweetBot, TweetBot
from tweetbot_contract.reasons import JOB_REFUSED
from tweetbot_operator.client import errors
from tweetbot_operator.client.interface import Cluster
from tweetbot_operator.decisions.deletion import plan_deletion
from tweetbot_operator.decisions.plan import Plan, plan
from tweetbot_operator.decisions.pod_problems import get_creation_failure, get_mount_failure
from tweetbot_operator.decisions.status import semantically_equal
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.progress.store import ProgressStore
from tweetbot_operator.reconciler.concurrency import ConcurrencyLimiter, ConcurrencyLimits
from tweetbot_operator.reconciler.diagnostics_cache import (
    DiagnosticsCache,
    explain_create_failure,
    explain_hidden_job,
    explain_name_conflict,
)
from tweetbot_operator.reconciler.event_recorder import Recorder
from tweetbot_operator.reconciler.rate_limiter import RateLimiter, RequeueAfter
from tweetbot_operator.reconciler.status_writer import StatusWriter
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.telemetry.logs import add_to_log_context, with_fields
from tweetbot_operator.telemetry.metrics import JOB_WRITES
from tweetbot_operator.telemetry.run_metrics import RunMetrics
from tweetbot_operator.types.actions import (
    Action,
    CreateJob,
    DeleteJob,
    GetWorkload,
    ListEvents,
    ListPods,
    ResetStatus,
    SetFinalizers,
)
from tweetbot_operator.types.objects import CachedTweetBot, JobView, Key, Observed, PodView
from tweetbot_operator.types.times import sanitize
from tweetbot_operator.types.tweetbot import InvalidTweetBot, parse_tweetbot

LOG = logging.getLogger(__name__)
#: Looks at one TweetBot in one pass. A run from its record to its end takes five; more means that others interfere.
_LOOKS = 10


class Reconciler:
    """Brings one TweetBot after the other to where its spec wants it."""

    def __init__(
        self,
        cluster: Cluster,
        cache: Cache,
        settings: OperatorSettings,
        now: Callable[[], datetime],
        *,
        progress_store: ProgressStore | None = None,
        concurrency_limiter: ConcurrencyLimiter | None = None,
        rate_limiter: RateLimiter | None = None,
        looks: Callable[[Key], None] = lambda key: None,
    ) -> None:
        """`progress_store` holds what trainers report; the two limiters bound how many runs begin, and how fast.

        `looks` is told when a pass is about to look at a TweetBot: what came before is seen.
        """
        self._cluster, self._cache, self._settings, self._now = cluster, cache, settings, now
        self._diagnostics_cache, self.run_metrics = DiagnosticsCache(), RunMetrics()
        self._progress_store = progress_store or ProgressStore(lambda key: None)
        unlimited = ConcurrencyLimiter(cache, ConcurrencyLimits(), lambda key: None)
        self._concurrency_limiter = concurrency_limiter or unlimited
        self._rate_limiter, self._looks = rate_limiter or RateLimiter(0, lambda: 0.0), looks
        self.recorder = Recorder(cluster, now)
        self._status_writer = StatusWriter(
            cluster,
            cache,
            now,
            diagnostics_cache=self._diagnostics_cache,
            recorder=self.recorder,
            run_metrics=self.run_metrics,
        )

    async def reconcile(self, key: Key) -> datetime | None:
        """Make one pass and return when to make the next although nothing happens.

        Raises Unavailable, Refused, NotLeader, RequeueAfter.
        """
        try:
            return await self._run_pass(key)
        except Exception:
            if stored := self._cache.get_bot(key):
                # or one that always fails would hold up every run behind it
                self._concurrency_limiter.step_aside(stored)
            raise

    async def _run_pass(self, key: Key) -> datetime | None:
        for _ in range(_LOOKS):
            self._looks(key)
            stored = self._cache.get_bot(key)
            if stored is None:
                self._diagnostics_cache.forget(key)
                self.run_metrics.leave(key)
                self._progress_store.forget(key)
                self._rate_limiter.forget(key)
                return None
            bot = parse_tweetbot(stored.document)
            if bot.deleting and ERASE_FINALIZER not in bot.finalizers:
                return None  # its Jobs go by their owner reference
            if bot.deleting:
                self._diagnostics_cache.note_deletion(key, self._now())
            if bot.status.current_run:
                add_to_log_context(run=bot.status.current_run.id)
            self._concurrency_limiter.look(stored)
            try:
                decided = (plan_deletion if bot.deleting else plan)(self._observe(stored, bot))
                if await self._execute(stored, bot, decided):
                    self.run_metrics.enter(key, decided.status)
                    self._progress_store.prune(key, decided.status.current_run)
                    return decided.requeue_at
            except (errors.Conflict, errors.NotFound):
                await self._read_again(stored)
        raise errors.Unavailable("the TweetBot changes faster than it can be acted on")

    def _observe(self, stored: CachedTweetBot, bot: TweetBot | InvalidTweetBot) -> Observed:
        key = stored.index_key
        jobs = self._cache.jobs.list_by_index((bot.namespace, bot.uid))
        cleanups = tuple(job for job in jobs if not job.owner_uid and job.stage == "cleanup")
        pods = tuple(
            sorted(self._cache.pods.list_by_index((bot.namespace, bot.uid)), key=lambda pod: (pod.created_at, pod.name))
        )
        self._diagnostics_cache.keep_only(key, (job.uid for job in jobs), (pod.uid for pod in pods))
        own, now = tuple(job for job in jobs if job.owner_uid), self._now()
        with_pod = {pod.controller_uid for pod in pods if not pod.ended}
        wanting = (job.uid for job in own if not (job.finished or job.suspended or job.uid in with_pod))
        self._diagnostics_cache.note_podless(key, wanting, now)
        position, live = self._concurrency_limiter.get_position(stored), self._progress_store.get(key)
        return Observed(
            bot,
            own,
            pods,
            self._diagnostics_cache.get(key),
            now,
            self._settings,
            cleanups=cleanups,
            queue_position=position,
            latest_report=live,
        )

    async def _execute(self, stored: CachedTweetBot, bot: BaseTweetBot, decided: Plan) -> bool:
        """Do one round of what was decided; answers whether nothing is left to decide anew."""
        if decided.actions:
            for action in decided.actions:
                await self._perform(stored, bot, action)
            return False
        if semantically_equal(decided.status, bot.status):
            return True
        await self._status_writer.write_status(stored, bot, decided.status)
        return not decided.status_first

    async def _perform(self, stored: CachedTweetBot, bot: BaseTweetBot, action: Action) -> None:
        match action:
            case CreateJob():
                await self._create_when_allowed(stored, action)
            case DeleteJob(job, why):
                await self._delete(stored, job, why)
            case ListEvents() | ListPods() | GetWorkload():
                await self._ask(stored, action)
            case SetFinalizers(finalizers, why):
                await self._status_writer.write_finalizers(stored, bot, finalizers)
                LOG.info("finalizers set", extra=with_fields(why=why))
            case ResetStatus():
                await self._status_writer.reset_status(stored)
                LOG.warning("a status that was written for another TweetBot is not believed")
            case _:
                assert_never(action)

    async def _ask(self, stored: CachedTweetBot, question: ListEvents | ListPods | GetWorkload) -> None:
        match question:
            case ListEvents(item):
                self._diagnostics_cache.note_mounts(
                    stored.index_key, item.uid, await self._read_failure_message(item), self._now()
                )
            case ListPods(job):
                for pod in await self._cluster.list_pods(job):
                    self._cache.pods.put(pod)
                self._diagnostics_cache.note_search(stored.index_key, job.uid)
            case GetWorkload(job):
                self._diagnostics_cache.note_queue(
                    stored.index_key, job.uid, await self._cluster.get_workload_message(job), self._now()
                )

    async def _create_when_allowed(self, stored: CachedTweetBot, action: CreateJob) -> None:
        """Create the Job at its moment, if nobody took the last slot since the plan was made. Raises RequeueAfter."""
        if seconds := self._rate_limiter.reserve(stored.index_key):
            raise RequeueAfter(seconds)
        if "ownerReferences" not in action.manifest["metadata"] or action.manifest["spec"].get("suspend"):
            await self._create(stored, action)  # a cleanup is no run, and what Kueue holds back is none yet
        elif self._concurrency_limiter.reserve(stored):
            try:
                await self._create(stored, action)
            finally:
                self._concurrency_limiter.unreserve(stored)

    async def _read_failure_message(self, item: PodView | JobView) -> str:
        if isinstance(item, PodView):
            return get_mount_failure(await self._cluster.list_mount_failures(item))
        pods = [
            pod.created_at
            for pod in self._cache.pods.list_by_index((item.namespace, item.owner_uid))
            if pod.controller_uid == item.uid
        ]
        return get_creation_failure(
            await self._cluster.list_creation_failures(item, max(pods, default=item.created_at))
        )

    async def _create(self, stored: CachedTweetBot, action: CreateJob) -> None:
        name = action.manifest["metadata"]["name"]
        try:
            job = await self._cluster.create_job(action.manifest)
        except errors.AlreadyExists:
            await self._handle_already_exists(stored, action, name)
            return
        except (errors.Rejected, errors.InternalError, errors.WebhookUnavailable, errors.Timeout) as fault:
            if isinstance(fault, errors.NamespaceTerminating):
                self._diagnostics_cache.note_namespace_end(stored.index_key)
            if isinstance(fault, errors.InternalError | errors.Timeout) and self._diagnostics_cache.may_pass(
                stored.index_key, fault
            ):
                raise
            self._diagnostics_cache.note_create_failure(
                stored.index_key, name, action.execution, explain_create_failure(fault), self._now()
            )
            return
        self._accept_job(stored, job)
        JOB_WRITES.labels(verb="create").inc()
        LOG.info("job created", extra=with_fields(job=name))

    async def _handle_already_exists(self, stored: CachedTweetBot, action: CreateJob, name: str) -> None:
        """A Job of that name exists: it is ours, made by a pass whose answer was lost, or a stranger's."""
        job = await self._cluster.get_job(stored.namespace, name)
        ours = job.index_key == (stored.namespace, stored.uid) and bool(job.owner_uid) == (
            "ownerReferences" in action.manifest["metadata"]
        )
        if ours and self._accept_job(stored, job):
            return
        if ours and not job.deleting:
            await self._cluster.delete_job(job)
        words = explain_hidden_job(name) if ours else explain_name_conflict(job, stored.name)
        self._diagnostics_cache.note_create_failure(stored.index_key, name, action.execution, words, self._now())

    def _accept_job(self, stored: CachedTweetBot, job: JobView) -> bool:
        """Keep the Job; a watch that has called it gone, as it does where its label goes, will tell no more of it."""
        self._cache.jobs.put(job)
        if self._cache.jobs.get(job.uid) is None:
            return False
        self._diagnostics_cache.accept(stored.index_key)
        return True

    async def _delete(self, stored: CachedTweetBot, job: JobView, why: str) -> None:
        try:
            ending = await self._cluster.delete_job(job)
        except errors.Conflict:
            await self._read_job_again(job)
            return
        except errors.Rejected as fault:  # the status that would tell of it comes after the deletion
            message = f"The API server refuses to delete Job {job.name} ({why}): {sanitize(str(fault), 700)}"
            self.recorder.warn(stored, JOB_REFUSED.name, message)
            raise
        JOB_WRITES.labels(verb="delete").inc()
        LOG.info(
            "job deleted", extra=with_fields(job=job.name, why=why, run=job.run_id or None)
        )  # perhaps an earlier run
        if ending is None:
            self._cache.jobs.delete(job.uid)
        else:
            self._cache.jobs.put(ending)

    async def _read_job_again(self, job: JobView) -> None:
        try:
            found = await self._cluster.get_job(job.namespace, job.name)
        except errors.NotFound:
            self._cache.jobs.delete(job.uid)
            return
        if found.uid != job.uid:
            self._cache.jobs.delete(job.uid)
        self._cache.jobs.put(found)

    async def _read_again(self, stored: CachedTweetBot) -> None:
        """The pass was planned from a TweetBot that is no longer so: take it as it is now."""
        try:
            found = await self._cluster.get_bot(stored.namespace, stored.name)
        except errors.NotFound:
            self._cache.bots.delete(stored.uid)
            return
        if found.uid != stored.uid:
            self._cache.bots.delete(stored.uid)
        self._cache.bots.put(found)
