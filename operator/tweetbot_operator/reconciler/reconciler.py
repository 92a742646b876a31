"""One pass over one TweetBot: gather, decide, act, write the status once. Whatever called for it, state decides."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import assert_never

from tweetbot_contract.handover import ERASE_FINALIZER
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.reasons import JOB_REFUSED
from tweetbot_operator.client.errors import (
    ClusterBusy,
    Conflict,
    Missing,
    NamespaceEnding,
    NameTaken,
    Refused,
    ServerFault,
    TimedOut,
    WebhookAway,
)
from tweetbot_operator.client.interface import Cluster
from tweetbot_operator.decisions.deletion import plan_deletion
from tweetbot_operator.decisions.plan import Plan, plan
from tweetbot_operator.decisions.pod_problems import creation_complaint, mount_complaint
from tweetbot_operator.decisions.status import same
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.progress.store import ProgressBoard
from tweetbot_operator.reconciler.concurrency import Limits, Turnstile
from tweetbot_operator.reconciler.diagnostics_cache import Memory, words_for, words_for_hidden, words_for_stranger
from tweetbot_operator.reconciler.event_recorder import Recorder
from tweetbot_operator.reconciler.rate_limiter import NotYet, Pace
from tweetbot_operator.reconciler.status_writer import BotWrites
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.telemetry.logs import about, add_to_subject
from tweetbot_operator.telemetry.metrics import JOB_WRITES
from tweetbot_operator.telemetry.run_metrics import Census
from tweetbot_operator.types.actions import (
    Action,
    AskQueue,
    CreateJob,
    DeleteJob,
    FindPods,
    ForgetStatus,
    ReadEvents,
    SetFinalizers,
)
from tweetbot_operator.types.objects import JobView, Key, PodView, StoredBot
from tweetbot_operator.types.observed import World
from tweetbot_operator.types.times import clause
from tweetbot_operator.types.tweetbot import UnreadableBot, bot_from

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
        board: ProgressBoard | None = None,
        row: Turnstile | None = None,
        pace: Pace | None = None,
        looks: Callable[[Key], None] = lambda key: None,
    ) -> None:
        """`board` holds what trainers report, where they can; `row` and `pace` bound how many begin, and how fast.

        `looks` is told when a pass is about to look at a TweetBot: what came before is seen.
        """
        self._cluster, self._cache, self._settings, self._now = cluster, cache, settings, now
        self._memory, self.census = Memory(), Census()
        self._board = board or ProgressBoard(lambda key: None)
        self._row = row or Turnstile(cache, Limits(), lambda key: None)
        self._pace, self._looks = pace or Pace(0, lambda: 0.0), looks
        self.recorder = Recorder(cluster, now)
        self._writes = BotWrites(cluster, cache, now, memory=self._memory, recorder=self.recorder, census=self.census)

    async def reconcile(self, key: Key) -> datetime | None:
        """Make one pass and return when to make the next although nothing happens.

        Raises ClusterBusy, Refused, NotLeading, NotYet.
        """
        try:
            return await self._pass(key)
        except Exception:
            if stored := self._cache.bot(key):
                self._row.step_aside(stored)  # or one that always fails would keep all behind it from their turn
            raise

    async def _pass(self, key: Key) -> datetime | None:
        for _ in range(_LOOKS):
            self._looks(key)
            stored = self._cache.bot(key)
            if stored is None:
                self._memory.forget(key)
                self.census.leave(key)
                self._board.forget(key)
                self._pace.forget(key)
                return None
            bot = bot_from(stored.document)
            if bot.deleting and ERASE_FINALIZER not in bot.finalizers:
                return None  # its Jobs go by their owner reference
            if bot.deleting:
                self._memory.note_deletion(key, self._now())
            if bot.status.current_run:
                add_to_subject(run=bot.status.current_run.id)
            self._row.look(stored)
            try:
                decided = (plan_deletion if bot.deleting else plan)(self._world(stored, bot), self._settings)
                if await self._carried_out(stored, bot, decided):
                    self.census.enter(key, decided.status)
                    self._board.settle(key, decided.status.current_run)
                    return decided.wake_at
            except (Conflict, Missing):
                await self._read_again(stored)
        raise ClusterBusy("the TweetBot changes faster than it can be acted on")

    def _world(self, stored: StoredBot, bot: TweetBot | UnreadableBot) -> World:
        key = stored.group
        jobs = self._cache.jobs.group((bot.namespace, bot.uid))
        cleanups = tuple(job for job in jobs if not job.owner and job.stage == "cleanup")
        pods = tuple(
            sorted(self._cache.pods.group((bot.namespace, bot.uid)), key=lambda pod: (pod.created_at, pod.name))
        )
        self._memory.keep_only(key, (job.uid for job in jobs), (pod.uid for pod in pods))
        own, now = tuple(job for job in jobs if job.owner), self._now()
        with_pod = {pod.job for pod in pods if not pod.ended}
        wanting = (job.uid for job in own if not (job.finished or job.suspended or job.uid in with_pod))
        self._memory.note_podless(key, wanting, now)
        place, live = self._row.place_of(stored), self._board.of(key)
        return World(bot, own, pods, self._memory.of(key), now, cleanups=cleanups, place=place, live=live)

    async def _carried_out(self, stored: StoredBot, bot: TweetBot | UnreadableBot, decided: Plan) -> bool:
        """Do one round of what was decided; answers whether nothing is left to decide anew."""
        if decided.actions:
            for action in decided.actions:
                await self._perform(stored, bot, action)
            return False
        if same(decided.status, bot.status):
            return True
        await self._writes.status(stored, bot, decided.status)
        return not decided.records

    async def _perform(self, stored: StoredBot, bot: TweetBot | UnreadableBot, action: Action) -> None:
        match action:
            case CreateJob():
                await self._create_in_turn(stored, action)
            case DeleteJob(job, why):
                await self._delete(stored, job, why)
            case ReadEvents() | FindPods() | AskQueue():
                await self._ask(stored, action)
            case SetFinalizers(finalizers, why):
                await self._writes.finalizers(stored, bot, finalizers)
                LOG.info("finalizers set", extra=about(why=why))
            case ForgetStatus():
                await self._writes.blank_status(stored)
                LOG.warning("a status that was written for another TweetBot is not believed")
            case _:
                assert_never(action)

    async def _ask(self, stored: StoredBot, question: ReadEvents | FindPods | AskQueue) -> None:
        match question:
            case ReadEvents(item):
                self._memory.note_mounts(stored.group, item.uid, await self._complaint(item), self._now())
            case FindPods(job):
                for pod in await self._cluster.pods_of(job):
                    self._cache.pods.put(pod)
                self._memory.note_search(stored.group, job.uid)
            case AskQueue(job):
                self._memory.note_queue(stored.group, job.uid, await self._cluster.queue_words_of(job), self._now())

    async def _create_in_turn(self, stored: StoredBot, action: CreateJob) -> None:
        """Create the Job at its moment, if nobody took the last slot since the plan was made. Raises NotYet."""
        if seconds := self._pace.seconds_until(stored.group):
            raise NotYet(seconds)
        if "ownerReferences" not in action.manifest["metadata"] or action.manifest["spec"].get("suspend"):
            await self._create(stored, action)  # a cleanup is no run, and what Kueue holds back is none yet
        elif self._row.enter(stored):
            try:
                await self._create(stored, action)
            finally:
                self._row.entered(stored)

    async def _complaint(self, item: PodView | JobView) -> str:
        if isinstance(item, PodView):
            return mount_complaint(await self._cluster.mount_failures_of(item))
        pods = [pod.created_at for pod in self._cache.pods.group((item.namespace, item.owner)) if pod.job == item.uid]
        return creation_complaint(await self._cluster.creation_failures_of(item, max(pods, default=item.created_at)))

    async def _create(self, stored: StoredBot, action: CreateJob) -> None:
        name = action.manifest["metadata"]["name"]
        try:
            job = await self._cluster.create_job(action.manifest)
        except NameTaken:
            await self._meet(stored, action, name)
            return
        except (Refused, ServerFault, WebhookAway, TimedOut) as fault:
            if isinstance(fault, NamespaceEnding):
                self._memory.note_namespace_end(stored.group)
            if isinstance(fault, ServerFault | TimedOut) and self._memory.may_pass(stored.group, fault):
                raise
            self._memory.refuse(stored.group, name, action.execution, words_for(fault), self._now())
            return
        self._stands(stored, job)
        JOB_WRITES.labels(verb="create").inc()
        LOG.info("job created", extra=about(job=name))

    async def _meet(self, stored: StoredBot, action: CreateJob, name: str) -> None:
        """A Job of that name exists: it is ours, made by a pass whose answer was lost, or a stranger's."""
        job = await self._cluster.job(stored.namespace, name)
        ours = job.group == (stored.namespace, stored.uid) and bool(job.owner) == (
            "ownerReferences" in action.manifest["metadata"]
        )
        if ours and self._stands(stored, job):
            return
        if ours and not job.deleting:
            await self._cluster.delete_job(job)
        words = words_for_hidden(name) if ours else words_for_stranger(job, stored.name)
        self._memory.refuse(stored.group, name, action.execution, words, self._now())

    def _stands(self, stored: StoredBot, job: JobView) -> bool:
        """Keep the Job; a watch that has called it gone, as it does where its label goes, will tell no more of it."""
        self._cache.jobs.put(job)
        if self._cache.jobs.get(job.uid) is None:
            return False
        self._memory.accept(stored.group)
        return True

    async def _delete(self, stored: StoredBot, job: JobView, why: str) -> None:
        try:
            ending = await self._cluster.delete_job(job)
        except Conflict:
            await self._read_job_again(job)
            return
        except Refused as fault:  # the status that would tell of it comes after the deletion
            message = f"The API server refuses to delete Job {job.name} ({why}): {clause(str(fault), 700)}"
            self.recorder.warn(stored, JOB_REFUSED.name, message)
            raise
        JOB_WRITES.labels(verb="delete").inc()
        LOG.info("job deleted", extra=about(job=job.name, why=why, run=job.run or None))  # perhaps an earlier run
        if ending is None:
            self._cache.jobs.bury(job.uid)
        else:
            self._cache.jobs.put(ending)

    async def _read_job_again(self, job: JobView) -> None:
        try:
            found = await self._cluster.job(job.namespace, job.name)
        except Missing:
            self._cache.jobs.bury(job.uid)
            return
        if found.uid != job.uid:
            self._cache.jobs.bury(job.uid)
        self._cache.jobs.put(found)

    async def _read_again(self, stored: StoredBot) -> None:
        """The pass was planned from a TweetBot that is no longer so: take it as it is now."""
        try:
            found = await self._cluster.bot(stored.namespace, stored.name)
        except Missing:
            self._cache.bots.bury(stored.uid)
            return
        if found.uid != stored.uid:
            self._cache.bots.bury(stored.uid)
        self._cache.bots.put(found)
