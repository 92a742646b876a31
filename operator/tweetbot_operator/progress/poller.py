"""Ask every running stage for its progress, each at its own pace, while this replica leads."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_address

from tweetbot_contract.handover import TASK_STAGES
from tweetbot_contract.progress import ProgressReport
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.progress.client import NoReport
from tweetbot_operator.progress.store import ProgressStore
from tweetbot_operator.telemetry.logs import with_fields
from tweetbot_operator.telemetry.metrics import PROGRESS_POLLS
from tweetbot_operator.types.objects import Key, PodView
from tweetbot_operator.types.times import compute_backoff

LOG = logging.getLogger(__name__)
#: Seconds between two polls of a Pod that answers, and between two looks for Pods that have begun to run.
INTERVAL, LOOK_SECONDS = 5.0, 0.5
#: Seconds until a Pod that did not answer is asked again, doubled each time up to INTERVAL: a trainer takes seconds to
#: begin. After this many failures, some 40 s, it is asked once a minute.
FIRST_PAUSE, LONGEST_PAUSE, _PROMPT_FAILURES = 1.0, 60.0, 10
#: Polls in flight at once. Pods that did not answer have places of their own: they wait for nobody but each other.
_AT_ONCE, _RETRIES_AT_ONCE = 32, 16
#: Polls in a row without an answer after which the log says so: about 30 s.
_FAILURES_TO_REPORT = 8


@dataclass(frozen=True, slots=True)
class Target:
    """A Pod that runs a stage of a TweetBot's current run, or a task beside its stages."""

    key: Key
    run_id: str
    """Empty for a task."""
    stage: str
    pod: PodView


class ProgressPoller:
    """Keeps the store at what the Pods say."""

    def __init__(
        self,
        cache: Cache,
        store: ProgressStore,
        fetch: Callable[[str], Awaitable[ProgressReport]],
        leading: asyncio.Event,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`fetch` asks the Pod at an IP address, and raises NoReport."""
        self._cache, self._store, self._fetch, self._leading, self._sleep = cache, store, fetch, leading, sleep
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._slots, self._retry_slots = asyncio.Semaphore(_AT_ONCE), asyncio.Semaphore(_RETRIES_AT_ONCE)

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            while True:
                await self._leading.wait()
                self.start_polls()
                await self._sleep(LOOK_SECONDS)
        finally:
            for task in self._tasks.values():
                task.cancel()

    def start_polls(self) -> None:
        """Begin with every Pod that runs and is not polled yet."""
        for pod in self._cache.pods.list_all():
            if pod.started_at and pod.uid not in self._tasks and find_target(self._cache, pod.uid):
                self._tasks[pod.uid] = asyncio.create_task(self._poll_until_ended(pod.uid))

    async def _poll_until_ended(self, uid: str) -> None:
        failures = 0
        try:
            while self._leading.is_set() and (target := find_target(self._cache, uid)):
                async with self._retry_slots if failures else self._slots:
                    failures = 0 if await self._poll(target, failures) else failures + 1
                jitter = random.uniform(0.8, 1.0)  # noqa: S311 - spreads Pods that began together, guards nothing
                await self._sleep(compute_pause(failures) * jitter)
        finally:
            del self._tasks[uid]

    async def _poll(self, target: Target, failures: int) -> bool:
        """Ask once; answers whether the Pod gave its report."""
        try:
            report = await self._fetch(target.pod.ip)
            if (report.run_id, report.stage.lower(), report.pod_uid) != (target.run_id, target.stage, target.pod.uid):
                raise NoReport("its report is about another Pod or run")
        except NoReport as fault:
            PROGRESS_POLLS.labels(outcome="Failed").inc()
            if failures + 1 == _FAILURES_TO_REPORT:
                about = with_fields(namespace=target.key[0], name=target.key[1], pod=target.pod.name, fault=str(fault))
                LOG.info("a Pod gives no progress", extra=about)
            return False
        PROGRESS_POLLS.labels(outcome="Succeeded").inc()
        if self._leading.is_set():  # else the store was cleared meanwhile
            self._store.put(target.key, report)
        return True


def compute_pause(failures: int) -> float:
    """Return the seconds until the next poll after this many failures in a row."""
    if failures == 0 or failures > _PROMPT_FAILURES:
        return LONGEST_PAUSE if failures else INTERVAL
    return compute_backoff(failures, FIRST_PAUSE, INTERVAL)


def find_target(cache: Cache, uid: str) -> Target | None:
    """Return what to poll at a Pod; None unless it runs for a Job of a TweetBot's current run, or beside its stages."""
    pod = cache.pods.get(uid)
    job = cache.jobs.get(pod.controller_uid) if pod else None
    bot = cache.bots.get(job.owner_uid or job.bot_uid) if job else None
    if pod is None or job is None or bot is None:
        return None
    if (pod.namespace, job.namespace) != (bot.namespace, bot.namespace):
        return None
    task = not job.run_id and job.stage in (TASK_STAGES if job.owner_uid else ("cleanup",))
    if not task and not (job.owner_uid and job.run_id and job.run_id == bot.current_run_id):
        return None
    active = pod.phase == "Running" or (pod.phase == "Pending" and pod.unready)  # others may keep it Pending
    runs = active and pod.started_at and not (pod.finished_at or pod.deleting_at or job.deleting)
    return Target(bot.index_key, job.run_id, job.stage, pod) if runs and _is_ip_address(pod.ip) else None


def _is_ip_address(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(ip_address(text))
    return False
