"""An operator on a fake cluster with a clock in the test's hand: what the scenario tests play on."""

from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from builders.manifests import a_manifest
from builders.operator import NOON, SETTINGS, a_prepare_result, a_train_result
from tweetbot_contract.handover import MANAGED_BY_LABEL
from tweetbot_contract.result import PrepareSucceeded, TrainSucceeded, encode
from tweetbot_contract.status import CurrentRun, TweetBotStatus
from tweetbot_fakes.kubernetes.cluster import FakeCluster
from tweetbot_operator.client.errors import ApiError
from tweetbot_operator.client.interface import KINDS, Kind
from tweetbot_operator.informers.cache import Cache, EventHandler
from tweetbot_operator.informers.workqueue import WorkQueue
from tweetbot_operator.progress.store import ProgressStore
from tweetbot_operator.reconciler.limits import ConcurrencyLimiter, ConcurrencyLimits, RateLimiter
from tweetbot_operator.reconciler.reconciler import Reconciler
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.times import Clock

NAMESPACE, NAME = "team-a", "gull"


class Stage:
    """One operator, one cluster, one TweetBot named gull. The operator's clock is wrong by `skew` seconds."""

    def __init__(self, settings: OperatorSettings = SETTINGS, skew: float = 0) -> None:
        self.time, self.skew = NOON, skew
        self.settings = settings
        self.cluster = FakeCluster(self.now)
        self.start_operator()

    def now(self) -> datetime:
        return self.time

    def read_own_clock(self) -> datetime:
        """Return the time by the operator's own clock."""
        return self.time + timedelta(seconds=self.skew)

    def start_operator(self) -> None:
        """Start an operator that knows nothing but what the cluster holds, as after a crash."""
        self.cache = Cache()
        self.queue = WorkQueue(lambda: (self.time - NOON).total_seconds(), jitter=lambda low, high: 1.0)
        self.event_handler = EventHandler(self.cache, self.queue)
        self.progress_store = ProgressStore(self.queue.add)
        self.wall_clock = Clock(self.read_own_clock)
        self.reconciler = Reconciler(
            self.cluster,
            self.cache,
            self.settings,
            self.wall_clock,
            progress_store=self.progress_store,
            concurrency_limiter=ConcurrencyLimiter(
                self.cache, ConcurrencyLimits.from_settings(self.settings), self.queue.add
            ),
            rate_limiter=RateLimiter(
                self.settings.job_creations_per_second, lambda: (self.time - NOON).total_seconds()
            ),
            looks=self.queue.mark_seen,
        )
        self.cluster.event_handler = self.event_handler
        for kind in reversed(KINDS):
            for item in self.cluster.objects_of(kind):
                self.event_handler.put(item)

    async def apply(self, **spec: Any) -> None:
        """Create the TweetBot, and let the operator come to rest."""
        self.cluster.put("tweetbots", a_manifest(**spec))
        await self.settle()

    async def settle(self) -> None:
        """Make passes until nothing is ready."""
        while taken := self.queue.pop_ready():
            key, _ = taken
            try:
                result = await self.reconciler.reconcile(key)
            except ApiError:
                self.queue.add_rate_limited(key)
            else:
                if result.done:
                    self.queue.forget(key)
                self.queue.add_after(key, result.requeue_after)
            finally:
                self.queue.done(key)
        await self.reconciler.recorder.flush()

    async def wait(self, seconds: float) -> None:
        """Let time pass, and the operator do what is due then."""
        self.time += timedelta(seconds=seconds)
        await self.settle()

    async def end_stage(self, result: PrepareSucceeded | TrainSucceeded) -> None:
        """Let the Pod of the present Job end well with this result."""
        job = self.job_name
        self.cluster.end_pod(job, NAMESPACE, 0, encode(result).decode())
        self.cluster.end_job(job, NAMESPACE, "Complete")
        await self.settle()

    async def fail_stage(self, exit_code: int, message: str = "", **terminated: Any) -> None:
        """Let the Pod of the present Job, and the Job, fail."""
        job = self.job_name
        self.cluster.end_pod(job, NAMESPACE, exit_code, message, **terminated)
        self.cluster.end_job(job, NAMESPACE, "Failed", reason="PodFailurePolicy", failed=1)
        await self.settle()

    async def whole_run(self) -> None:
        """Bring the run from its prepare Job to its end."""
        await self.end_stage(a_prepare_result())
        await self.end_stage(a_train_result())

    def label(self, kind: Kind, name: str, value: str) -> None:
        """Give an object another managed-by label."""
        found = deepcopy(self.cluster.objects[kind, NAMESPACE, name])
        found["metadata"]["labels"][MANAGED_BY_LABEL] = value
        self.cluster.put(kind, found)

    async def collect_garbage(self) -> None:
        """Let what is being deleted be gone, and the operator see it."""
        self.cluster.collect_garbage()
        await self.settle()

    @property
    def status(self) -> TweetBotStatus:
        """The TweetBot's status."""
        return self.cluster.status_of(NAMESPACE, NAME)

    @property
    def run(self) -> CurrentRun:
        """The run that the status records."""
        run = self.status.current_run
        assert run is not None
        return run

    @property
    def job_name(self) -> str:
        """The Job of the run's stage."""
        assert self.run.job_name is not None
        return self.run.job_name

    def reason(self, type_: str = "Progressing") -> str:
        """Return a condition's reason, or nothing."""
        found = self.status.find_condition(type_)
        return found.reason if found else ""
