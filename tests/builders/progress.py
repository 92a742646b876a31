"""A training that reports: its TweetBot, Job and Pod in a cache, and a desk that takes its reports."""

import json
from dataclasses import replace
from typing import Any

from builders.manifests import a_manifest
from builders.operator import a_bot_in, a_job, a_pod
from tweetbot_contract.handover import build_progress_audience
from tweetbot_fakes.kubernetes.token_keys import FakeKeys
from tweetbot_operator.client.parse import parse_cached_bot
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.progress.authorize import ReportedRun
from tweetbot_operator.progress.forward import Forwarder
from tweetbot_operator.progress.rate_limit import Limits
from tweetbot_operator.progress.server import ProgressDesk
from tweetbot_operator.progress.store import ProgressStore
from tweetbot_operator.progress.tokens import Tokens
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.objects import JobView, Key, PodView

#: Replicas on the loopback, without encryption.
REPLICAS = OperatorSettings(progress_url="http://127.0.0.1:8443")


class Training:
    """A cache that holds one run's train Job with its Pod, and the desk in front of it."""

    def __init__(self, name: str) -> None:
        manifest = a_manifest()
        manifest["metadata"] |= {"name": name, "uid": f"uid-of-{name}", "resourceVersion": "1"}
        stored = parse_cached_bot(manifest)
        self.bot = replace(a_bot_in("Train"), name=name, uid=stored.uid)
        self.job: JobView = a_job(self.bot, uid=f"job-of-{name}")
        self.pod: PodView = a_pod(self.job, uid=f"pod-of-{name}")
        self.cache = Cache()
        self.cache.bots.put(stored)
        self.cache.jobs.put(self.job)
        self.cache.pods.put(self.pod)
        self.run = ReportedRun(stored.namespace, name, self.job.run_id)
        self.passes: list[Key] = []
        self.board = ProgressStore(self.passes.append)
        self.keys, self.time, self.leads = FakeKeys(), 0.0, True
        self.leader = ""
        self.forward = Forwarder(REPLICAS, lambda: self.leader)

    @property
    def audience(self) -> str:
        """Whom its Pod's token is meant for."""
        return build_progress_audience(self.run.namespace, self.run.bot, self.run.run)

    def desk(self) -> ProgressDesk:
        """Return the desk."""
        limits = Limits(self.now)
        tokens = Tokens(self.keys, self.now)
        return ProgressDesk(tokens, self.cache, limits, self.board, lambda: self.leads, self.forward)

    def now(self) -> float:
        return self.time


def a_report(percent: int | None = 10, eta: int | None = None, **metrics: Any) -> bytes:
    """Return the body of a report."""
    status: dict[str, Any] = {"lastUpdatedTime": "2026-01-01T12:00:00+00:00"}
    if percent is not None:
        status["progressPercentage"] = percent
    if eta is not None:
        status["estimatedRemainingSeconds"] = eta
    if metrics:
        status["metrics"] = [{"name": name, "value": str(value)} for name, value in metrics.items()]
    return json.dumps({"trainerStatus": status}).encode()
