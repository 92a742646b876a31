"""Token's Pod, the cache and the run in the URL → whether this Pod trains this run."""

from dataclasses import dataclass

from tweetbot_contract.handover import build_progress_audience
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.progress.errors import NotThisRun
from tweetbot_operator.types.objects import Key, PodView


@dataclass(frozen=True, slots=True)
class ReportedRun:
    """The run that a URL names."""

    namespace: str
    bot: str
    run: str

    @property
    def key(self) -> Key:
        """Its TweetBot."""
        return (self.namespace, self.bot)

    @property
    def audience(self) -> str:
        """Whom a token for it must be meant for."""
        return build_progress_audience(self.namespace, self.bot, self.run)


@dataclass(frozen=True, slots=True)
class Bearer:
    """The Pod that a verified token was issued to."""

    namespace: str
    pod_uid: str


def trainer_pod(cache: Cache, bearer: Bearer, wanted: ReportedRun) -> PodView:
    """Return the bearer's Pod. Raises NotThisRun unless it is alive and the run's train Job controls it."""
    pod = cache.pods.get(bearer.pod_uid)
    job = cache.jobs.get(pod.controller_uid) if pod else None
    bot = cache.bots.get(job.owner_uid) if job else None
    if pod is None or job is None or bot is None:
        raise NotThisRun("no Job of a TweetBot controls this Pod, as far as the operator has seen")
    told = (bearer.namespace, pod.namespace, bot.namespace, bot.name, job.run_id, job.stage)
    space = wanted.namespace
    if told != (space, space, space, wanted.bot, wanted.run, "train"):
        raise NotThisRun("the Pod does not train this run")
    if pod.ended:
        raise NotThisRun("the Pod has ended")
    return pod
