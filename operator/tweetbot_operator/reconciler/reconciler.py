"""One pass over one TweetBot: observe, plan, act, write the status once, whatever event asked for it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from tweetbot_contract.class_manifest import TweetBotClass
from tweetbot_contract.handover import ERASE_FINALIZER, RUN_LABEL, TASK_STAGES
from tweetbot_contract.manifest import BaseTweetBot, TweetBot
from tweetbot_contract.reasons import JOB_REFUSED
from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.client import errors
from tweetbot_operator.client.events import Recorder
from tweetbot_operator.client.interface import Cluster
from tweetbot_operator.client.parse import parse_tweetbot
from tweetbot_operator.client.usage_ledger import UsageLedger
from tweetbot_operator.decisions.deletion import plan_deletion
from tweetbot_operator.decisions.plan import Plan, plan
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.jobs.job import find_mutations
from tweetbot_operator.progress.store import ProgressStore
from tweetbot_operator.reconciler.diagnostics_cache import DiagnosticsCache
from tweetbot_operator.reconciler.job_reader import JobReader
from tweetbot_operator.reconciler.limits import ConcurrencyLimiter, ConcurrencyLimits, RateLimiter
from tweetbot_operator.reconciler.refusals import FailureMessage, explain_create_failure, explain_mutations
from tweetbot_operator.reconciler.status_writer import StatusWriter
from tweetbot_operator.reconciler.usage import UsageTracker
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.telemetry.logs import add_to_log_context, with_fields
from tweetbot_operator.telemetry.metrics import JOB_WRITES
from tweetbot_operator.telemetry.run_metrics import RunMetrics
from tweetbot_operator.types.actions import (
    Action,
    CreateJob,
    DeleteJob,
    FollowJob,
    GetWorkload,
    ListEvents,
    ListPods,
    ResetStatus,
    SetFinalizers,
)
from tweetbot_operator.types.creations import Mutation
from tweetbot_operator.types.objects import CachedTweetBot, InvalidTweetBot, JobView, Key, Observed
from tweetbot_operator.types.times import Clock, align_job, align_pod, get_earliest, sanitize

LOG = logging.getLogger(__name__)
#: Plans made in one pass. A run from its record to its end takes five; more means that others interfere.
_LOOKS = 10


@dataclass(frozen=True, slots=True)
class Result:
    """How a pass ended, and in how many seconds to make the next although nothing happens; None: never."""

    requeue_after: float | None = None
    done: bool = True
    """Whether nothing is left to do now; else a Job waits for the rate limit."""


class Reconciler:
    """Brings TweetBots to where their specs want them, one pass at a time."""

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

        `looks` is called before each look at a TweetBot: the look covers every event up to then.
        """
        self._cluster, self._cache, self.settings = cluster, cache, settings
        now = self._now = Clock.wrap(now)
        self._diagnostics_cache, self.run_metrics = DiagnosticsCache(), RunMetrics(now)
        self.forget_diagnostics = self._diagnostics_cache.clear
        self._progress_store = progress_store or ProgressStore(lambda key: None)
        unlimited = ConcurrencyLimiter(cache, ConcurrencyLimits(), lambda key: None)
        self._concurrency_limiter = concurrency_limiter or unlimited
        self.list_classes: Callable[[], tuple[TweetBotClass, ...]] = lambda: ()
        """Returns every TweetBotClass."""
        self.usage: UsageTracker | None = None
        """Knows what counts against budgets; None without classes."""
        self._rate_limiter, self._looks = rate_limiter or RateLimiter(0, lambda: 0.0), looks
        self.recorder = Recorder(cluster, now)
        self._job_reader = JobReader(cluster, cache, self._diagnostics_cache, now)
        self._status_writer = StatusWriter(
            cluster, cache, now, self._diagnostics_cache, recorder=self.recorder, run_metrics=self.run_metrics
        )

    def know_classes(
        self,
        list_classes: Callable[[], tuple[TweetBotClass, ...]],
        call: Callable[[Key], None],
        ledger: UsageLedger | None,
    ) -> UsageTracker:
        """Let passes know the classes; answers what counts the use of their budgets, which enqueues by `call`."""
        self.list_classes, self.usage = list_classes, UsageTracker(self._cache, list_classes, self._now, call, ledger)
        return self.usage

    async def reconcile(self, key: Key) -> Result:
        """Make one pass. Raises Unavailable, Rejected, NotLeader."""
        try:
            if self.usage and self.list_classes():
                await self.usage.load()
            result = await self._run_pass(key)
        except Exception:
            self._step_aside(key)
            raise
        if not result.done:
            self._step_aside(key)
        return result

    def _step_aside(self, key: Key) -> None:
        """Let other runs go first: a TweetBot that cannot start its own must not hold up every run behind it."""
        if stored := self._cache.get_bot(key):
            self._concurrency_limiter.step_aside(stored)

    async def _run_pass(self, key: Key) -> Result:
        for _ in range(_LOOKS):
            self._looks(key)
            stored = self._cache.get_bot(key)
            if stored is None:
                self._forget(key)
                return Result()
            bot = self._status_writer.recall(parse_tweetbot(stored.document))
            if bot.deleting and ERASE_FINALIZER not in bot.finalizers:
                return Result()  # its Jobs go by their owner reference
            if bot.deleting:
                self._diagnostics_cache.note_deletion(key, self._now())
            if bot.status.current_run:
                add_to_log_context(run=bot.status.current_run.id)
            self._concurrency_limiter.look(stored)
            try:
                decided = (plan_deletion if bot.deleting else plan)(self._observe(stored, bot))
                if result := await self._execute(stored, bot, decided):
                    return result
            except (errors.Conflict, errors.NotFound):
                await self._cache.bots.read_again(stored.uid, self._cluster.get_bot(*key))
        raise errors.Unavailable("the TweetBot changes faster than it can be acted on")

    def _forget(self, key: Key) -> None:
        self._diagnostics_cache.forget(key)
        self._status_writer.forget(key)
        self.run_metrics.leave(key)
        self._progress_store.forget(key)
        self._rate_limiter.forget(key)

    def _observe(self, stored: CachedTweetBot, bot: TweetBot | InvalidTweetBot) -> Observed:
        key, index = stored.index_key, (bot.namespace, bot.uid)
        jobs, pods, now = self._cache.jobs.list_by_index(index), self._cache.list_pods(*index), self._now()
        for followed in self._diagnostics_cache.get(key).followed.values():
            jobs += tuple(job for job in (followed.job,) if job and not self._cache.jobs.get(job.uid))
            pods += tuple(pod for pod in followed.pods if not self._cache.pods.get(pod.uid))
        jobs = tuple(align_job(job, now) for job in jobs)
        pods = tuple(sorted((align_pod(pod, now) for pod in pods), key=lambda pod: (pod.created_at, pod.name)))
        self._diagnostics_cache.keep_only(key, (job.uid for job in jobs), (pod.uid for pod in pods))
        current = bot.status.current_run.job_name if bot.status.current_run else ""
        own = tuple(job for job in jobs if job.owner_uid or (job.owner_lost and job.name == current))
        with_pod = {pod.controller_uid for pod in pods if not pod.ended}
        podless = (job.uid for job in own if not (job.finished or job.suspended or job.uid in with_pod))
        self._diagnostics_cache.note_podless(key, podless, now)
        return Observed(
            bot,
            tuple(job for job in own if job.stage not in TASK_STAGES),
            pods,
            self._diagnostics_cache.get(key),
            now,
            self.settings,
            cleanups=tuple(job for job in jobs if not job.owner_uid and job.stage == "cleanup"),
            tasks=tuple(job for job in jobs if job.stage in TASK_STAGES and (job.owner_uid or job.owner_lost)),
            queue_position=self._concurrency_limiter.get_position(stored),
            latest_report=self._progress_store.observe(key),
            classes=(classes := self.list_classes()),
            accounts=self.usage.get_accounts(bot.namespace) if self.usage and classes else {},
            task_report=self._progress_store.observe_task(key),
        )

    async def _execute(self, stored: CachedTweetBot, bot: BaseTweetBot, decided: Plan) -> Result | None:
        """Do what was planned; answers None where the outcome must be planned from again."""
        for action in decided.actions:
            if seconds := await self._perform(stored, bot, action):
                return Result(seconds, done=False)
        if decided.actions:
            return None
        write_at = self._status_writer.compute_write_time(bot, decided.status)
        if write_at and write_at <= self._now():
            await self._write_status(stored, bot, decided.status)
            if decided.status_first:
                return None
        self.run_metrics.enter(stored.index_key, decided.status)
        self._progress_store.prune(stored.index_key, decided.status.current_run)
        due = get_earliest(decided.requeue_at, write_at)
        return Result(None if due is None else (due - self._now()).total_seconds())

    async def _write_status(self, stored: CachedTweetBot, bot: BaseTweetBot, status: TweetBotStatus) -> None:
        """Write the status; a run that begins by it counts from now on, as other passes may look meanwhile."""
        begun = self.usage.reserve(stored, status) if self.usage else None
        try:
            await self._status_writer.write_status(stored, bot, status)
        except Exception:
            if self.usage and begun:
                self.usage.unreserve(begun)
            raise

    async def _perform(self, stored: CachedTweetBot, bot: BaseTweetBot, action: Action) -> float:
        """Do one action; answers 0, or the seconds until the rate limit allows it."""
        match action:
            case CreateJob():
                return await self._create_when_allowed(stored, action)
            case DeleteJob(job, why):
                await self._delete(stored, job, why)
            case ListEvents() | ListPods() | FollowJob() | GetWorkload():
                await self._job_reader.ask(stored, action)
            case SetFinalizers(finalizers, why):
                await self._status_writer.write_finalizers(stored, bot, finalizers)
                LOG.info("finalizers set", extra=with_fields(why=why))
            case ResetStatus():
                await self._status_writer.reset_status(stored)
                LOG.warning("the status was written for another TweetBot, so it is reset")
            case _:
                assert_never(action)
        return 0.0

    async def _create_when_allowed(self, stored: CachedTweetBot, action: CreateJob) -> float:
        """Create the Job if the limits allow it; answers the seconds until the rate limit does, or 0."""
        if seconds := self._rate_limiter.reserve(stored.index_key):
            return seconds
        if RUN_LABEL not in action.manifest["metadata"]["labels"] or action.manifest["spec"].get("suspend"):
            await self._create(stored, action)  # limits count runs, no other Jobs, and nothing that Kueue holds back
        elif self._concurrency_limiter.reserve(stored):
            try:
                await self._create(stored, action)
            finally:
                self._concurrency_limiter.unreserve(stored)
        return 0.0

    async def _create(self, stored: CachedTweetBot, action: CreateJob) -> None:
        key, name = stored.index_key, action.manifest["metadata"]["name"]
        try:
            failure = await self._create_unmutated(stored, action)
        except errors.AlreadyExists:
            failure = await self._job_reader.take_existing_job(stored, action.manifest)
        except (errors.Rejected, errors.Unavailable) as fault:
            if isinstance(fault, errors.NamespaceTerminating):
                self._diagnostics_cache.note_namespace_end(key)
            certain = isinstance(fault, errors.Rejected | errors.WebhookUnavailable)
            if not certain and self._diagnostics_cache.may_pass(key, fault):
                raise
            failure = explain_create_failure(fault)
        if failure:
            self._diagnostics_cache.note_create_failure(key, name, action.execution, failure, self._now())

    async def _create_unmutated(self, stored: CachedTweetBot, action: CreateJob) -> FailureMessage | None:
        """Create the Job if admission leaves it as it is; answers why not."""
        key, manifest, name = stored.index_key, action.manifest, action.manifest["metadata"]["name"]
        if mutations := find_mutations(manifest, await self._cluster.preview_job(manifest)):
            return explain_mutations(name, mutations)
        job = await self._cluster.create_job(manifest)
        self._now.note_creation(job.created_at)
        if job.watched:
            self._cache.jobs.put(job)
        else:
            self._job_reader.keep(stored, job)
        self._diagnostics_cache.accept(key, name)
        self._diagnostics_cache.note_creation(key, name, action.count, action.recorded_at, self._now())
        JOB_WRITES.labels(verb="create").inc()
        LOG.info("job created", extra=with_fields(job=job.name))
        return explain_mutations(name, (Mutation("metadata.name", name, job.name),)) if job.name != name else None

    async def _delete(self, stored: CachedTweetBot, job: JobView, why: str) -> None:
        try:
            ending = await self._cluster.delete_job(job)
        except errors.Conflict:
            await self._job_reader.read_again(stored, job)
            return
        except (errors.Rejected, errors.Unavailable) as fault:
            # The status that would report it comes after the deletion.
            if isinstance(fault, errors.Rejected) or not self._diagnostics_cache.may_pass(stored.index_key, fault):
                message = f"The API server does not delete Job {job.name} ({why}): {sanitize(str(fault), 700)}"
                self.recorder.warn(stored, JOB_REFUSED.name, message)
            raise
        JOB_WRITES.labels(verb="delete").inc()
        run = job.run_id or None  # perhaps not the present one
        LOG.info("job deleted", extra=with_fields(job=job.name, why=why, run=run))
        if ending is None:
            self._job_reader.drop(stored, job)
        else:
            self._job_reader.keep(stored, ending)
