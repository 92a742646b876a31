"""A training that can be asked for its progress: its TweetBot, Job and Pod in a cache, and a store for its reports."""

from dataclasses import replace
from typing import Any

from builders.manifests import a_manifest
from builders.operator import a_bot_in, a_job, a_pod, seconds_after_noon
from tweetbot_contract.progress import ProgressReport
from tweetbot_operator.client.parse import parse_cached_bot
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.progress.store import ProgressStore
from tweetbot_operator.types.objects import JobView, Key, PodView


class Training:
    """A cache that holds one run's train Job with its running Pod, and the store of what it reports."""

    def __init__(self, name: str, *, cache: Cache | None = None, ip: str = "127.0.0.1") -> None:
        manifest = a_manifest()
        manifest["metadata"] |= {"name": name, "uid": f"uid-of-{name}", "resourceVersion": "1"}
        self.bot = replace(a_bot_in("Train"), name=name, uid=f"uid-of-{name}")
        self.job: JobView = a_job(self.bot, uid=f"job-of-{name}")
        self.stored = replace(parse_cached_bot(manifest), current_run_id=self.job.run_id)
        self.pod: PodView = a_pod(
            self.job, uid=f"pod-of-{name}", phase="Running", started_at=seconds_after_noon(1), ip=ip
        )
        self.cache = cache or Cache()
        self.cache.bots.put(self.stored)
        self.cache.jobs.put(self.job)
        self.cache.pods.put(self.pod)
        self.key: Key = (self.stored.namespace, name)
        self.passes: list[Key] = []
        self.store = ProgressStore(self.passes.append)

    def report(self, percent: int | None = 10, **fields: Any) -> ProgressReport:
        """Return a report of this training's Pod."""
        return a_report(percent, **{"run_id": self.job.run_id, "pod_uid": self.pod.uid, **fields})


def a_report(percent: int | None = 10, **fields: Any) -> ProgressReport:
    """Return a report."""
    identity = {"run_id": "0123456789abcdef", "stage": "Train", "pod_uid": "pod"}
    return ProgressReport.model_validate({**identity, "percent": percent, **fields})
