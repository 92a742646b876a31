"""Reads what the watches do not show: why a Pod does not start, and Jobs and Pods that have lost their label."""

from collections.abc import Callable
from datetime import datetime

from tweetbot_operator.client.errors import NotFound
from tweetbot_operator.client.interface import Cluster
from tweetbot_operator.decisions.pod_problems import get_creation_failure, get_start_failure
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.reconciler.diagnostics_cache import DiagnosticsCache
from tweetbot_operator.reconciler.refusals import FailureMessage, explain_name_conflict
from tweetbot_operator.types.actions import FollowJob, GetWorkload, ListEvents, ListPods
from tweetbot_operator.types.objects import CachedTweetBot, JobView, Manifest, PodView

Question = ListEvents | ListPods | FollowJob | GetWorkload


class JobReader:
    """Puts answers into the cache if a watch keeps them up to date, and else into the diagnostics."""

    def __init__(
        self, cluster: Cluster, cache: Cache, diagnostics_cache: DiagnosticsCache, now: Callable[[], datetime]
    ) -> None:
        self._cluster, self._cache, self._diagnostics_cache, self._now = cluster, cache, diagnostics_cache, now

    async def ask(self, bot: CachedTweetBot, question: Question) -> None:
        """Ask, and note the answer. Raises Unavailable, Rejected."""
        key = bot.index_key
        match question:
            case ListEvents(item):
                message = await self._read_failure_message(item)
                self._diagnostics_cache.note_mounts(key, item.uid, message, self._now())
                if isinstance(item, JobView):
                    await self._read_pods(bot, item)
            case ListPods(job):
                await self._read_pods(bot, job)
                self._diagnostics_cache.note_search(key, job.uid)
            case FollowJob(name):
                await self._follow(bot, name)
            case GetWorkload(job):
                said = await self._cluster.get_workload_message(job)
                self._diagnostics_cache.note_queue(key, job.uid, said, self._now())

    async def _read_failure_message(self, item: PodView | JobView) -> str:
        if isinstance(item, PodView):
            return get_start_failure(await self._cluster.list_start_failures(item))
        pods = self._cache.pods.list_by_index((item.namespace, item.uid))
        since = max((pod.created_at for pod in pods), default=item.created_at)
        return get_creation_failure(await self._cluster.list_creation_failures(item, since))

    async def _read_pods(self, bot: CachedTweetBot, job: JobView) -> None:
        pods = await self._cluster.list_pods(job)
        for pod in pods:
            if pod.watched:
                self._cache.pods.put(pod)
        if not all(pod.watched for pod in pods) or not self._is_watched(job):
            unwatched = None if self._is_watched(job) else job
            self._diagnostics_cache.note_followed(bot.index_key, job.name, unwatched, pods, self._now())

    async def _follow(self, bot: CachedTweetBot, name: str) -> None:
        """Read a Job of this TweetBot, and its Pods; there may be none by now, or another's."""
        try:
            job = await self._cluster.get_job(bot.namespace, name)
        except NotFound:
            job = None
        self._diagnostics_cache.note_followed(bot.index_key, name, None, (), self._now())
        if job and job.index_key == (bot.namespace, bot.uid):
            self.keep(bot, job)
            await self._read_pods(bot, job)

    def keep(self, bot: CachedTweetBot, job: JobView) -> None:
        """Keep a Job as an answer shows it."""
        if job.watched:
            self._cache.jobs.put(job)
        if not self._is_watched(job):
            followed = self._diagnostics_cache.get(bot.index_key).followed.get(job.name)
            pods = followed.pods if followed else ()
            self._diagnostics_cache.note_followed(bot.index_key, job.name, job, pods, self._now())

    def drop(self, bot: CachedTweetBot, job: JobView) -> None:
        """Forget a Job that is gone."""
        self._cache.jobs.delete(job.uid)
        if job.name in self._diagnostics_cache.get(bot.index_key).followed:
            self._diagnostics_cache.note_followed(bot.index_key, job.name, None, (), self._now())

    def _is_watched(self, job: JobView) -> bool:
        """Whether the watch shows the Job; one that has got its label back is shown in a moment."""
        return job.watched and self._cache.jobs.get(job.uid) is not None

    async def read_again(self, bot: CachedTweetBot, job: JobView) -> None:
        """Read a Job that has changed since the pass was planned from it."""
        if job.watched:
            await self._cache.jobs.read_again(job.uid, self._cluster.get_job(job.namespace, job.name))
        else:
            await self._follow(bot, job.name)

    async def take_existing_job(self, bot: CachedTweetBot, manifest: Manifest) -> FailureMessage | None:
        """Take a Job of that name that is ours, as after a lost answer; answers why it cannot be taken."""
        metadata = manifest["metadata"]
        job = await self._cluster.get_job(bot.namespace, metadata["name"])
        owned = bool(job.owner_uid) == ("ownerReferences" in metadata) or job.owner_lost
        if job.index_key != (bot.namespace, bot.uid) or not owned:
            return explain_name_conflict(job, bot.name)
        self.keep(bot, job)
        self._diagnostics_cache.accept(bot.index_key, job.name)
        return None
