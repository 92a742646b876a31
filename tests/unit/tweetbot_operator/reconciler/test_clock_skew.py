"""Clocks of operator, kubelet and Job controller that are wrong by minutes or a year: nothing fails for it."""

from copy import deepcopy
from datetime import timedelta

import pytest

from builders.operator import NOON, a_prepare_result, a_train_result
from harness.stage_operator import NAMESPACE, Stage
from tweetbot_contract.result import encode
from tweetbot_operator.manager import note_date
from tweetbot_operator.telemetry.metrics import CLOCK_SKEW
from tweetbot_operator.types.times import Clock, format_time

MINUTES, YEAR = 600, 365 * 86400
SKEWS = [-YEAR, -MINUTES, MINUTES, YEAR]
each_skew = pytest.mark.parametrize("skew", SKEWS)


class Node:
    """A kubelet whose clock is wrong: a Pod of its own, from its creation to its end."""

    def __init__(self, stage: Stage, skew: float) -> None:
        self._stage, self._skew = stage, skew

    def read_clock(self) -> str:
        return format_time(self._stage.time + timedelta(seconds=self._skew))

    async def start(self) -> None:
        """Let a Pod of the present Job run."""
        scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": format_time(self._stage.time)}
        self.began = self.read_clock()
        container = {"name": "trainer", "state": {"running": {"startedAt": self.began}}}
        self._stage.cluster.run_pod(
            self._stage.job_name, NAMESPACE, conditions=[scheduled], containerStatuses=[container]
        )
        await self._stage.settle()

    async def end(self, exit_code: int, message: str = "") -> None:
        """Let it end; its Job does not show that yet."""
        (found,) = [
            item
            for (kind, _, name), item in self._stage.cluster.objects.items()
            if kind == "pods" and name.startswith(self._stage.job_name)
        ]
        pod = deepcopy(found)
        ended = {"exitCode": exit_code, "startedAt": self.began, "finishedAt": self.read_clock(), "message": message}
        pod["status"]["phase"] = "Failed" if exit_code else "Succeeded"
        pod["status"]["containerStatuses"] = [{"name": "trainer", "state": {"terminated": ended}}]
        self._stage.cluster.put("pods", pod)
        await self._stage.settle()


def end_job(stage: Stage, verdict: str, skew: float) -> None:
    """Let the Job controller, whose clock is wrong, end the present Job."""
    stage.cluster.end_job(stage.job_name, NAMESPACE, verdict)
    job = deepcopy(stage.cluster.objects["jobs", NAMESPACE, stage.job_name])
    (condition,) = job["status"]["conditions"]
    condition["lastTransitionTime"] = format_time(stage.time + timedelta(seconds=skew))
    stage.cluster.put("jobs", job)


@each_skew
@pytest.mark.parametrize("known", [True, False], ids=["from the date of an answer", "from the Job it creates"])
async def test_an_operator_whose_clock_is_wrong_waits_no_shorter_and_no_longer(skew: float, known: bool) -> None:
    stage = Stage(skew=skew)
    if known:
        stage.wall_clock.note_date(stage.time)
    await stage.apply()
    stage.cluster.run_pod(stage.job_name, NAMESPACE, phase="Pending")
    await stage.settle()
    for _ in range(9):
        await stage.wait(60)
    assert stage.run.outcome is None
    await stage.wait(70)
    assert stage.run.reason == "StartDeadlineExceeded"
    assert stage.run.finished_at == format_time(stage.time)


@each_skew
async def test_a_run_under_a_wrong_clock_writes_what_it_always_writes(skew: float) -> None:
    stages = [Stage(), Stage(skew=skew)]
    for stage in stages:
        await stage.apply()
        await stage.whole_run()
        for _ in range(5):
            await stage.wait(600)
    right, wrong = stages
    assert wrong.cluster.writes == right.cluster.writes
    assert wrong.status.phase == "Succeeded"


@each_skew
async def test_an_operator_that_restarts_with_a_wrong_clock_fails_nothing(skew: float) -> None:
    stage = Stage()
    await stage.apply()
    stage.cluster.run_pod(stage.job_name, NAMESPACE, phase="Pending")
    await stage.settle()
    stage.skew = skew
    stage.start_operator()
    stage.wall_clock.note_date(stage.time)
    await stage.wait(300)
    assert stage.run.outcome is None
    await stage.wait(310)
    assert stage.run.reason == "StartDeadlineExceeded"


@each_skew
async def test_a_kubelet_whose_clock_is_wrong_neither_ends_a_stage_nor_lets_it_run_for_ever(skew: float) -> None:
    stage = Stage()
    await stage.apply(run={"activeDeadlineSeconds": 7200})
    node = Node(stage, skew)
    await node.start()
    writes = len(stage.cluster.writes)
    await stage.wait(3600)
    assert (stage.run.outcome, len(stage.cluster.writes)) == (None, writes)
    await stage.wait(4300)
    assert stage.run.reason == "DeadlineExceeded"


@each_skew
async def test_how_long_a_container_ran_its_kubelet_alone_says(skew: float) -> None:
    stage = Stage()
    await stage.apply()
    node = Node(stage, skew)
    await node.start()
    await stage.wait(1234)
    await node.end(0, encode(a_prepare_result()).decode())
    stage.cluster.end_job(stage.job_name, NAMESPACE, "Complete")
    prepare = stage.run
    await stage.settle()
    assert stage.run.stage == "Train"
    assert prepare.ran_seconds in (0, 1234)
    node = Node(stage, skew)
    await node.start()
    await stage.wait(777)
    await node.end(0, encode(a_train_result()).decode())
    stage.cluster.end_job(stage.job_name, NAMESPACE, "Complete")
    await stage.settle()
    assert (stage.status.phase, stage.run.ran_seconds) == ("Succeeded", 777)


@each_skew
async def test_between_two_pods_of_a_wrong_clock_the_start_deadline_holds(skew: float) -> None:
    stage = Stage()
    await stage.apply()
    node = Node(stage, skew)
    await node.start()
    await stage.wait(60)
    await node.end(1)
    await stage.wait(300)
    assert stage.run.outcome is None
    await stage.wait(400 + MINUTES)  # a clock that is ahead by minutes may delay it by as much
    assert stage.run.reason == "StartDeadlineExceeded"


@each_skew
async def test_a_job_controller_whose_clock_is_wrong_costs_no_second_job(skew: float) -> None:
    stage = Stage()
    await stage.apply()
    for result in (a_prepare_result(), a_train_result()):
        stage.cluster.end_pod(stage.job_name, NAMESPACE, 0, encode(result).decode())
        end_job(stage, "Complete", skew)
        await stage.settle()
    assert stage.status.phase == "Succeeded"
    assert sum(write.startswith("create job") for write in stage.cluster.writes) == 2
    await stage.wait(1800)
    assert len(stage.cluster.names("jobs")) == 2
    await stage.wait(2000 + MINUTES)
    await stage.collect_garbage()
    assert len(stage.cluster.names("jobs")) == 0


async def test_a_date_that_a_proxy_has_made_up_moves_no_deadline() -> None:
    stage = Stage()
    await stage.apply()
    stage.wall_clock.note_date(stage.time + timedelta(hours=1))
    stage.cluster.run_pod(stage.job_name, NAMESPACE, phase="Pending")
    await stage.settle()
    assert (stage.run.outcome, stage.wall_clock(), stage.wall_clock.skew) == (None, stage.time, 3600)


def test_a_skew_is_reported_once_and_when_it_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock(lambda: NOON)
    for seconds in (0, 59, 601, 600, 602, -3, 0, -YEAR):
        note_date(clock, NOON + timedelta(seconds=seconds))
    assert caplog.messages == [
        "the API server's clock is another",
        "the clocks of API server and operator agree again",
        "the API server's clock is another",
    ]
    assert [record.__dict__["fields"]["ahead_seconds"] for record in caplog.records] == [601, -3, -YEAR]
    assert next(iter(CLOCK_SKEW.collect())).samples[0].value == -YEAR


async def test_clocks_within_a_minute_count_as_one() -> None:
    stage = Stage(skew=50)
    await stage.apply()
    assert stage.wall_clock() == stage.time + timedelta(seconds=50)
