"""Between two Pods of a Job: one that had to leave is soon gone, and the Job controller pauses before the next."""

from typing import Any

import pytest

from builders.operator import a_bot_in, a_failed_pod, a_job, a_prepare_result, an_observed, seconds_after_noon
from harness.stage_operator import NAMESPACE, Stage
from tweetbot_operator.decisions.plan import plan

RUNNING = [{"name": "trainer", "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}]


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def a_stage_whose_pod_left_after(seconds: float) -> Stage:
    """Return a training that has run for so long, and whose Pod is gone."""
    stage = Stage()
    await stage.apply()
    await stage.end_stage(a_prepare_result())
    stage.cluster.run_pod(stage.job_name, NAMESPACE, containerStatuses=RUNNING)
    await stage.wait(seconds)
    (pod,) = (name for name in stage.cluster.names("pods") if "train" in name)
    stage.cluster.remove("pods", NAMESPACE, pod)
    await stage.settle()
    return stage


async def test_a_pod_evicted_after_an_hour_does_not_end_the_run() -> None:
    stage = await a_stage_whose_pod_left_after(3600)
    await stage.wait(599)
    assert (stage.run.outcome, stage.reason()) == (None, "Training")


async def test_the_start_deadline_counts_from_when_the_pod_was_gone() -> None:
    stage = await a_stage_whose_pod_left_after(3600)
    await stage.wait(600)
    assert (stage.run.outcome, stage.run.reason) == ("Failed", "StartDeadlineExceeded")


async def test_after_a_restart_of_the_operator_the_start_deadline_counts_again() -> None:
    stage = await a_stage_whose_pod_left_after(3600)
    await stage.wait(500)
    stage.start_operator()
    await stage.wait(500)
    assert stage.run.outcome is None


async def test_a_job_suspended_for_long_still_has_the_whole_start_deadline(stage: Stage) -> None:
    await stage.apply()
    job = stage.cluster.objects["jobs", NAMESPACE, stage.job_name]
    for parallelism, seconds in ((0, 4000), (1, 599)):
        stage.cluster.put("jobs", {**job, "spec": {**job["spec"], "parallelism": parallelism}})
        await stage.settle()
        await stage.wait(seconds)
    assert (stage.run.outcome, stage.reason()) == (None, "Preparing")


@pytest.mark.parametrize(
    ("failed", "disruptions", "pause"), [(1, 0, 10), (3, 0, 40), (1, 2, 40), (9, 0, 600), (0, 19, 600)]
)
def test_the_job_controllers_backoff_does_not_count_as_waiting(failed: int, disruptions: int, pause: int) -> None:
    limits: dict[str, Any] = {"attempts": 10, "startDeadlineSeconds": 10}
    bot = a_bot_in("Train", run=limits, run_fields={"disruptions": disruptions})
    job = a_job(bot, failed_pods=failed)
    pods = (a_failed_pod(job, 1, finished_at=seconds_after_noon(60)),) if failed else ()
    made = [plan(an_observed(bot, jobs=(job,), pods=pods, at=at + 60 * bool(failed))) for at in (pause + 9, pause + 10)]
    assert [each.status.current_run and each.status.current_run.reason for each in made] == [
        None,
        "StartDeadlineExceeded",
    ]
