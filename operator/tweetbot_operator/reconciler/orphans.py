"""End the Jobs of TweetBots that are gone, after saying whose they were.

Such a Job has lost its owner, as after `kubectl delete --cascade=orphan`, or the garbage collector does not work.
It would hold a GPU and publish a model that nobody asks for any more.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from tweetbot_contract.reasons import ORPHANED
from tweetbot_operator.client.errors import ApiError, Conflict, NotFound
from tweetbot_operator.client.events import Recorder
from tweetbot_operator.client.interface import Cluster
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.telemetry.logs import with_fields
from tweetbot_operator.telemetry.metrics import JOB_WRITES, ORPHANED_JOBS
from tweetbot_operator.types.objects import JobView
from tweetbot_operator.types.times import add_seconds

LOG = logging.getLogger(__name__)
#: Seconds between two looks; they read the cache alone.
ORPHAN_LOOK_SECONDS = 15.0
#: Seconds in which the garbage collector ends what still has its owner; then a Job counts as an orphan.
ORPHAN_PATIENCE_SECONDS = 60
#: Seconds in which a TweetBot may be made again, as GitOps does, before its run is ended.
ORPHAN_GRACE_SECONDS = 600


class OrphanCollector:
    """Looks for orphans, while this replica leads."""

    def __init__(
        self,
        cluster: Cluster,
        cache: Cache,
        recorder: Recorder,
        now: Callable[[], datetime],
        *,
        leading: asyncio.Event,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._cluster, self._cache, self._recorder, self._now = cluster, cache, recorder, now
        self._leading, self._sleep = leading, sleep
        self._since: dict[str, datetime] = {}
        self._reported: set[str] = set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            if not self._leading.is_set():
                ORPHANED_JOBS.set(0)
                await self._leading.wait()
            try:
                await self.collect()
            except ApiError as fault:
                LOG.warning("orphaned Jobs are looked at again later", extra=with_fields(fault=str(fault)))
            except Exception:  # a bug here must not end the look-out
                LOG.exception("bug in the look for orphaned Jobs")
            await self._sleep(ORPHAN_LOOK_SECONDS)

    async def collect(self) -> None:
        """Report the orphans, and delete those whose time has come. Raises ApiError."""
        found = {job.uid: job for job in self._cache.jobs.list_all() if self._is_orphan(job)}
        self._since = {uid: self._since.get(uid, self._now()) for uid in found}
        self._reported &= found.keys()
        old = [
            job for job in found.values() if self._now() >= add_seconds(self._since[job.uid], ORPHAN_PATIENCE_SECONDS)
        ]
        ORPHANED_JOBS.set(len(old))
        for job in old:
            await self._handle(job)

    def _is_orphan(self, job: JobView) -> bool:
        """Whether a stage's Job belongs to a TweetBot that is gone. One that has finished only stands in the way."""
        ours = bool(job.run_id) and job.stage in ("prepare", "train") and job.owner_uid in ("", job.bot_uid)
        if not ours or job.deleting or self._cache.bots.get(job.bot_uid):
            return False
        return not job.finished or self._has_successor(job)

    def _has_successor(self, job: JobView) -> bool:
        return self._cache.get_bot((job.namespace, job.bot)) is not None

    async def _handle(self, job: JobView) -> None:
        due = self._now() if self._has_successor(job) else add_seconds(self._since[job.uid], ORPHAN_GRACE_SECONDS)
        if job.uid not in self._reported:
            self._reported.add(job.uid)
            self._recorder.warn_job(job, ORPHANED.name, self._describe(job, due))
        if self._now() >= due and await self._is_gone(job):
            await self._delete(job)

    def _describe(self, job: JobView, due: datetime) -> str:
        whose = f"TweetBot {job.namespace}/{job.bot} (uid {job.bot_uid}), which is gone"
        whose = f"This Job belongs to run {job.run_id} of {whose}."
        if self._has_successor(job):
            return f"{whose} It is deleted for the TweetBot that has the name now, and what it finished is found in S3."
        return f"{whose} It is deleted at {due:%H:%M} UTC. {ORPHANED.advice}"

    async def _is_gone(self, job: JobView) -> bool:
        """Ask the API server itself: a cache that has lost the TweetBot, or a missing CRD, must end no run."""
        try:
            bot = await self._cluster.get_bot(job.namespace, job.bot)
        except NotFound:
            return await self._is_kind_served()
        return bot.uid != job.bot_uid

    async def _is_kind_served(self) -> bool:
        try:
            await anext(self._cluster.list_metadata("tweetbots"), None)
        except NotFound:
            return False
        return True

    async def _delete(self, job: JobView) -> None:
        try:
            ending = await self._cluster.delete_job(job)
        except Conflict:  # it has changed: look at it again next time
            await self._cache.jobs.read_again(job.uid, self._cluster.get_job(job.namespace, job.name))
            return
        JOB_WRITES.labels(verb="delete").inc()
        LOG.info(
            "job deleted", extra=with_fields(namespace=job.namespace, job=job.name, why="orphaned", run=job.run_id)
        )
        if ending is None:
            self._cache.jobs.delete(job.uid)
        else:
            self._cache.jobs.put(ending)
