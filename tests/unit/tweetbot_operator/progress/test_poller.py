"""Which Pods are asked and how often: those that run, evenly, and none waits for another that is silent."""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from builders.operator import NOON, seconds_after_noon
from builders.progress import Training
from tweetbot_contract.progress import ProgressReport
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.progress.client import NoReport
from tweetbot_operator.progress.poller import _FAILURES_TO_REPORT, ProgressPoller, compute_pause, find_target
from tweetbot_operator.types.objects import Key


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._numbers), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        end = self.now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self.now, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            await settle()
        self.now = end


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Polls:
    """A poller over a cache of trainings, and what it asks of whom and when."""

    def __init__(self, *names: str) -> None:
        self.cache, self.clock, self.leading = Cache(), Clock(), asyncio.Event()
        self.trainings = {
            f"127.0.0.{number}": Training(name, cache=self.cache, ip=f"127.0.0.{number}")
            for number, name in enumerate(names, 1)
        }
        self.first = next(iter(self.trainings.values()))
        self.asked: dict[str, list[float]] = {}
        self.answers: dict[str, Callable[[], Awaitable[ProgressReport]]] = {}
        self.in_flight = self.most_in_flight = 0
        self.poller = ProgressPoller(self.cache, self.first.store, self.fetch, self.leading, sleep=self.clock.sleep)
        self.leading.set()
        self._task: asyncio.Task[None] | None = None

    async def fetch(self, ip: str) -> ProgressReport:
        self.asked.setdefault(ip, []).append(self.clock.now)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self.answers[ip]() if ip in self.answers else self.trainings[ip].report(41)
        finally:
            self.in_flight -= 1

    async def run(self, seconds: float) -> None:
        self._task = self._task or asyncio.create_task(self.poller.run())
        await self.clock.advance(seconds)

    def percent(self, key: Key | None = None) -> int | None:
        report = self.first.store.get(key or self.first.key)
        return report.percent if report else None


@pytest.fixture
def polls() -> Polls:
    return Polls("polled")


@pytest.fixture(autouse=True)
def no_figures_left(request: pytest.FixtureRequest) -> Any:
    """The registry of figures is the process's."""
    yield
    for polls in [value for value in request.node.funcargs.values() if isinstance(value, Polls)]:
        polls.first.store.clear()


async def silence() -> ProgressReport:
    await asyncio.Event().wait()
    raise NoReport


async def refusal() -> ProgressReport:
    raise NoReport("it does not answer")


async def test_a_pod_that_runs_is_asked_at_once_and_then_every_five_seconds(polls: Polls) -> None:
    await polls.run(0)
    assert (polls.asked, polls.percent()) == ({"127.0.0.1": [0.0]}, 41)
    await polls.run(60)
    pauses = [later - earlier for earlier, later in itertools.pairwise(polls.asked["127.0.0.1"])]
    assert all(4 <= pause <= 5 for pause in pauses)


async def test_a_pod_that_begins_to_run_is_asked_within_a_second() -> None:
    polls = Polls("late")
    waiting = replace(polls.first.pod, phase="Pending", resource_version="102")
    polls.cache.pods.put(waiting)
    await polls.run(30)
    assert polls.asked == {}
    polls.cache.pods.put(replace(polls.first.pod, resource_version="103"))
    await polls.run(1)
    assert len(polls.asked["127.0.0.1"]) == 1
    polls.first.store.clear()


async def test_a_pod_that_ended_is_asked_no_more(polls: Polls) -> None:
    await polls.run(1)
    polls.cache.pods.put(replace(polls.first.pod, phase="Succeeded", resource_version="102"))
    await polls.run(60)
    assert len(polls.asked["127.0.0.1"]) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"phase": "Pending"},
        {"phase": "Unknown"},
        {"started_at": None},
        {"finished_at": seconds_after_noon(2)},
        {"deleting_at": seconds_after_noon(2)},
        {"controller_uid": "another-job"},
        {"controller_uid": ""},
        {"namespace": "team-b"},
        {"ip": ""},
        {"ip": "127.0.0.1@example.com"},
        {"ip": "127.0.0.1:22/?"},
    ],
    ids=str,
)
def test_only_a_running_pod_of_the_runs_own_job_is_asked(polls: Polls, change: dict[str, Any]) -> None:
    pod = replace(polls.first.pod, resource_version="102", **change)
    polls.cache.pods.put(pod)
    assert find_target(polls.cache, pod.uid) is None


@pytest.mark.parametrize(
    "change", [{"run_id": "0" * 16}, {"namespace": "team-b"}, {"owner_uid": "x"}, {"deleted_at": NOON}]
)
def test_only_a_job_of_the_current_run_is_asked(polls: Polls, change: dict[str, Any]) -> None:
    polls.cache.jobs.put(replace(polls.first.job, resource_version="109", **change))
    assert find_target(polls.cache, polls.first.pod.uid) is None


def test_a_job_of_the_run_that_no_tweetbot_controls_is_not_asked(polls: Polls) -> None:
    uid = polls.first.job.owner_uid
    polls.cache.jobs.put(replace(polls.first.job, resource_version="109", owner_uid="", bot_uid=uid))
    assert find_target(polls.cache, polls.first.pod.uid) is None


def test_a_run_that_is_suspended_or_over_is_not_asked(polls: Polls) -> None:
    polls.cache.bots.put(replace(polls.first.stored, resource_version="102", current_run_id=""))
    assert find_target(polls.cache, polls.first.pod.uid) is None


@pytest.mark.parametrize(("task", "owned"), [("pin", True), ("cleanup", False)])
def test_the_pod_of_a_task_beside_the_stages_is_asked_whether_a_run_goes_on_or_not(
    polls: Polls, task: str, owned: bool
) -> None:
    polls.cache.bots.put(replace(polls.first.stored, resource_version="102", current_run_id=""))
    uid = polls.first.job.owner_uid
    job = replace(polls.first.job, resource_version="109", run_id="", stage=task, bot_uid=uid)
    polls.cache.jobs.put(replace(job, owner_uid=uid if owned else ""))
    found = find_target(polls.cache, polls.first.pod.uid)
    assert found is not None
    assert (found.key, found.run_id, found.stage) == (polls.first.key, "", task)


@pytest.mark.parametrize("run_id", ["", "0" * 16])
@pytest.mark.parametrize("change", [{"stage": "prepare"}, {"stage": "cleanup"}, {"stage": "pin", "owner_uid": ""}])
def test_a_job_of_no_run_that_is_no_such_task_is_not_asked(polls: Polls, change: dict[str, Any], run_id: str) -> None:
    polls.cache.bots.put(replace(polls.first.stored, resource_version="102", current_run_id=""))
    job = replace(polls.first.job, resource_version="109", run_id=run_id, bot_uid=polls.first.job.owner_uid, **change)
    polls.cache.jobs.put(job)
    assert find_target(polls.cache, polls.first.pod.uid) is None


@pytest.mark.parametrize(
    "change", [{"run_id": "0" * 16}, {"stage": "Prepare"}, {"pod_uid": "the-next-at-this-address"}]
)
async def test_a_report_about_something_else_is_not_taken(polls: Polls, change: dict[str, Any]) -> None:
    async def answer() -> ProgressReport:
        return polls.first.report(99, **change)

    polls.answers["127.0.0.1"] = answer
    await polls.run(1)
    assert polls.percent() is None


async def test_a_pod_that_does_not_answer_is_asked_less_and_less_and_the_log_says_so_once(
    polls: Polls, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    polls.answers["127.0.0.1"] = refusal
    await polls.run(600)
    assert 12 <= len(polls.asked["127.0.0.1"]) <= 24
    assert [record.message for record in caplog.records] == ["a Pod gives no progress"]
    del polls.answers["127.0.0.1"]
    await polls.run(60)
    assert polls.percent() == 41


def test_a_pod_that_does_not_answer_is_asked_for_a_minute_as_often_as_others_and_then_once_a_minute() -> None:
    assert [compute_pause(failures) for failures in range(13)] == [5, 1, 2, 4, *[5] * 7, 60, 60]


async def test_silent_pods_hold_up_nobody_else() -> None:
    """A hundred hang for ever in their second poll, and in their first as many as there are places for those."""
    names = [f"silent-{number}" for number in range(100)]
    polls = Polls(*names, "good")
    for ip in list(polls.trainings)[:-1]:
        polls.answers[ip] = refusal
    await polls.run(0.1)
    for ip in list(polls.trainings)[:-1]:
        polls.answers[ip] = silence
    await polls.run(60)
    assert len(polls.asked["127.0.0.101"]) >= 12
    assert polls.most_in_flight <= 48
    assert polls.in_flight == 16  # what has failed waits in a queue of its own, the shorter one
    polls.first.store.clear()


async def test_pods_that_began_together_are_soon_asked_apart() -> None:
    polls = Polls(*(f"one-{number}" for number in range(100)))
    await polls.run(300)
    latest = sorted(times[-1] for times in polls.asked.values())
    assert latest[-1] - latest[0] > 3
    polls.first.store.clear()


async def test_a_standby_asks_nobody(polls: Polls) -> None:
    polls.leading.clear()
    await polls.run(60)
    assert polls.asked == {}
    polls.leading.set()
    await polls.run(1)
    assert len(polls.asked["127.0.0.1"]) == 1


async def test_an_answer_that_comes_after_the_lead_was_lost_is_not_kept(polls: Polls) -> None:
    async def answer() -> ProgressReport:
        polls.leading.clear()
        return polls.first.report(99)

    polls.answers["127.0.0.1"] = answer
    await polls.run(60)
    assert (len(polls.asked["127.0.0.1"]), polls.percent()) == (1, None)


async def test_a_preparation_is_asked_like_a_training(polls: Polls) -> None:
    polls.cache.jobs.put(replace(polls.first.job, stage="prepare", resource_version="109"))

    async def answer() -> ProgressReport:
        return polls.first.report(None, stage="Prepare", posts=300)

    polls.answers["127.0.0.1"] = answer
    await polls.run(1)
    report = polls.first.store.get(polls.first.key)
    assert report is not None
    assert report.posts == 300


async def test_a_pod_that_begins_is_asked_at_once_although_many_are_silent() -> None:
    polls = Polls(*(f"silent-{number}" for number in range(40)), "late")
    late = polls.trainings["127.0.0.41"]
    polls.cache.pods.put(replace(late.pod, phase="Pending", resource_version="102"))
    for ip in list(polls.trainings)[:-1]:
        polls.answers[ip] = refusal
    await polls.run(0.1)
    for ip in list(polls.trainings)[:-1]:
        polls.answers[ip] = silence
    await polls.run(60)
    polls.cache.pods.put(replace(late.pod, resource_version="103"))
    await polls.run(1)
    assert len(polls.asked["127.0.0.41"]) == 1
    polls.first.store.clear()


async def test_the_first_failure_is_tried_again_within_a_second(polls: Polls) -> None:
    polls.answers["127.0.0.1"] = refusal
    await polls.run(1)
    assert len(polls.asked["127.0.0.1"]) == 2


async def test_the_log_speaks_of_a_pod_after_the_same_number_of_failures(
    polls: Polls, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    polls.answers["127.0.0.1"] = refusal
    while not caplog.records:
        await polls.run(0.1)
    assert len(polls.asked["127.0.0.1"]) == _FAILURES_TO_REPORT


async def test_a_leader_that_leads_again_asks_again(polls: Polls) -> None:
    await polls.run(1)
    polls.leading.clear()
    await polls.run(60)
    polls.leading.set()
    await polls.run(1)
    assert len(polls.asked["127.0.0.1"]) == 2


async def test_nothing_is_asked_once_the_poller_has_ended(polls: Polls) -> None:
    await polls.run(1)
    assert polls._task is not None
    polls._task.cancel()
    await polls.run(60)
    assert len(polls.asked["127.0.0.1"]) == 1


@pytest.mark.parametrize("outcome", ["Succeeded", "Failed"])
async def test_polls_are_counted_by_their_outcome(polls: Polls, outcome: str) -> None:
    def count() -> float:
        return REGISTRY.get_sample_value("tweetbot_progress_polls_total", {"outcome": outcome}) or 0.0

    before = count()
    if outcome == "Failed":
        polls.answers["127.0.0.1"] = refusal
    await polls.run(0)
    assert count() == before + 1
