"""Metrics about runs."""

from typing import Any

import pytest
from prometheus_client import REGISTRY, generate_latest

from builders.operator import a_bot_in, a_prepare_result
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.spec.scheduling import Gpu
from tweetbot_contract.status import Condition, DataStatus, Phase, TweetBotStatus
from tweetbot_operator.telemetry.run_metrics import RunMetrics, count_finished_run, count_gpu_time, count_posts

GULL, TERN = ("team-a", "gull"), ("team-a", "tern")


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def runs(phase: str, reason: str) -> float:
    return value("tweetbot_runs", phase=phase, reason=reason)


def finished(outcome: str, reason: str) -> float:
    return value("tweetbot_runs_finished_total", outcome=outcome, reason=reason)


def a_status(phase: Phase, reason: str) -> TweetBotStatus:
    condition = Condition(
        type="Progressing",
        status="True",
        reason=reason,
        last_transition_time="2026-01-01T12:00:00Z",
        observed_generation=1,
    )
    return TweetBotStatus(phase=phase, conditions=(condition,))


def an_ended_status(reason: str) -> TweetBotStatus:
    fields = {"outcome": "Failed", "reason": reason, "finished_at": "2026-01-01T12:10:00Z"}
    return a_bot_in("Train", run_fields=fields).status


def a_trained_status(seconds: int, **run: object) -> TweetBotStatus:
    return a_bot_in("Train", run_fields={"ran_seconds": seconds, **run}).status


def test_a_bot_counts_where_it_is_now_and_nowhere_else() -> None:
    census = RunMetrics()
    before = runs("Preparing", "Preparing"), runs("Training", "Training"), runs("Training", "Unschedulable")
    census.enter(GULL, a_status("Preparing", "Preparing"))
    census.enter(GULL, a_status("Preparing", "Preparing"))
    census.enter(GULL, a_status("Training", "Unschedulable"))
    census.enter(GULL, a_status("Training", "Training"))
    after = runs("Preparing", "Preparing"), runs("Training", "Training"), runs("Training", "Unschedulable")
    assert after == (before[0], before[1] + 1, before[2])
    census.leave(GULL)
    census.leave(TERN)
    assert runs("Training", "Training") == before[1]


def test_a_former_leader_shows_nothing_and_shows_later_what_changes_meanwhile() -> None:
    """Two replicas would else count one TweetBot, or an alarm would stay that nobody ends."""
    census = RunMetrics()
    before = runs("Training", "Training"), runs("Succeeded", "Succeeded"), runs("Pending", "Queued")
    census.enter(GULL, a_status("Training", "Training"))
    census.enter(TERN, a_status("Pending", "Queued"))
    census.show(False)
    census.show(False)
    assert (runs("Training", "Training"), runs("Pending", "Queued")) == (before[0], before[2])
    census.enter(GULL, a_status("Succeeded", "Succeeded"))  # by a pass that was in flight
    census.leave(TERN)
    assert runs("Succeeded", "Succeeded") == before[1]
    census.show(True)
    after = runs("Training", "Training"), runs("Succeeded", "Succeeded"), runs("Pending", "Queued")
    assert after == (before[0], before[1] + 1, before[2])
    census.leave(GULL)


def test_a_finished_run_is_counted_once() -> None:
    before = finished("Failed", "Diverged")
    status = an_ended_status("Diverged")
    count_finished_run(TweetBotStatus(), status)
    count_finished_run(status, status)
    assert finished("Failed", "Diverged") == before + 1


def test_an_unknown_reason_adds_no_label() -> None:
    before, others = finished("Failed", "Other"), runs("Failed", "Other")
    count_finished_run(TweetBotStatus(), an_ended_status("InventedByAPod"))
    census = RunMetrics()
    census.enter(GULL, a_status("Failed", "InventedByAPod"))
    assert (finished("Failed", "Other"), runs("Failed", "Other")) == (before + 1, others + 1)
    census.leave(GULL)


def gpu_seconds(resource: str) -> float:
    return value("tweetbot_gpu_seconds_total", bot_namespace="team-a", resource=resource)


def test_gpu_seconds_are_what_the_status_gains() -> None:
    before = gpu_seconds("amd.com/gpu")
    gpu = Gpu(resource="amd.com/gpu")
    for was, now in ((0, 60), (60, 60), (60, 90), (90, 0)):
        count_gpu_time("team-a", gpu, a_trained_status(was), a_trained_status(now))
    assert gpu_seconds("amd.com/gpu") == before + 90


def test_neither_a_cpu_nor_the_prepare_stage_nor_another_run_counts() -> None:
    before = gpu_seconds("nvidia.com/gpu")
    count_gpu_time("team-a", Gpu(count=0), a_trained_status(0), a_trained_status(60))
    prepared = a_bot_in("Prepare", run_fields={"ran_seconds": 60}).status
    count_gpu_time("team-a", Gpu(), a_bot_in("Prepare").status, prepared)
    count_gpu_time("team-a", Gpu(), a_trained_status(0, number=1), a_trained_status(60, number=2))
    assert gpu_seconds("nvidia.com/gpu") == before


@pytest.mark.parametrize(
    ("edit", "seconds"),
    [
        ({"training": {"seed": 7}}, 90),
        ({"resources": {"memory": "32Gi"}}, 90),
        ({"training": {"seed": 7}, "resources": {"gpu": {"count": 0}}}, 90),
        ({"suspend": True}, 0),  # its Pod is counted as it ends
    ],
)
async def test_a_training_that_an_edit_cuts_short_has_held_its_gpu(edit: dict[str, Any], seconds: float) -> None:
    before, stage = gpu_seconds("nvidia.com/gpu"), Stage()
    await stage.apply()
    await stage.end_stage(a_prepare_result())
    running = {"name": "trainer", "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}
    stage.cluster.run_pod(stage.job_name, NAMESPACE, containerStatuses=[running])
    await stage.wait(90)
    stage.cluster.edit(NAMESPACE, NAME, **edit)
    await stage.settle()
    await stage.wait(30)
    assert gpu_seconds("nvidia.com/gpu") == before + seconds


async def test_a_training_is_counted_once_though_its_pod_still_ends_at_the_next_edit() -> None:
    before, stage = gpu_seconds("nvidia.com/gpu"), Stage()
    await stage.apply()
    await stage.end_stage(a_prepare_result())
    running = {"name": "trainer", "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}
    stage.cluster.run_pod(stage.job_name, NAMESPACE, containerStatuses=[running])
    for seed in (7, 8):
        await stage.wait(90)
        stage.cluster.edit(NAMESPACE, NAME, training={"seed": seed})
        await stage.settle()
    assert gpu_seconds("nvidia.com/gpu") == before + 90


async def test_a_preparation_that_an_edit_cuts_short_has_held_none() -> None:
    before, stage = gpu_seconds("nvidia.com/gpu"), Stage()
    await stage.apply()
    running = {"name": "trainer", "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}
    stage.cluster.run_pod(stage.job_name, NAMESPACE, containerStatuses=[running])
    await stage.wait(90)
    stage.cluster.edit(NAMESPACE, NAME, training={"seed": 7})
    await stage.settle()
    assert gpu_seconds("nvidia.com/gpu") == before


def test_paid_posts_are_counted_once_when_the_dataset_comes_in() -> None:
    def billed() -> float:
        return value("tweetbot_posts_billed_total", bot_namespace="team-a", source="x")

    data = DataStatus(downloaded=220, kept=220, digest="d" * 64, billed={"x": 120})
    preparing = a_bot_in("Prepare").status
    training = a_bot_in("Train", status_fields={"data": data}).status
    before = billed()
    count_posts("team-a", TweetBotStatus(), preparing)
    count_posts("team-a", preparing, training)
    count_posts("team-a", training, training)
    free = data.model_copy(update={"billed": None})
    count_posts("team-a", preparing, a_bot_in("Train", status_fields={"data": free}).status)
    assert billed() == before + 120


def test_posts_that_a_run_lost_are_counted_by_cause() -> None:
    def lost() -> list[float]:
        causes = ("missing", "unreadable", "truncated")
        return [value("tweetbot_posts_lost_total", bot_namespace="team-a", cause=cause) for cause in causes]

    numbers = {"claimed": 230, "missing": 7, "unreadable": 3, "downloaded": 220, "truncated": 2, "kept": 218}
    data = DataStatus(digest="d" * 64, **numbers)
    before = lost()
    count_posts("team-a", a_bot_in("Prepare").status, a_bot_in("Train", status_fields={"data": data}).status)
    assert [after - former for after, former in zip(lost(), before, strict=True)] == [7, 3, 2]


def test_a_namespace_that_lost_nothing_has_no_series() -> None:
    data = DataStatus(digest="d" * 64, downloaded=220, kept=220)
    count_posts("team-whole", a_bot_in("Prepare").status, a_bot_in("Train", status_fields={"data": data}).status)
    assert "team-whole" not in generate_latest().decode()


async def test_a_job_that_the_tweetbot_does_not_own_has_held_none_of_its_gpus() -> None:
    before, stage = gpu_seconds("nvidia.com/gpu"), Stage()
    await stage.apply()
    await stage.end_stage(a_prepare_result())
    job = stage.job_name
    running = {"name": "trainer", "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}
    stage.cluster.run_pod(job, NAMESPACE, containerStatuses=[running])
    await stage.wait(90)
    found = stage.cluster.objects["jobs", NAMESPACE, job]
    bare = {name: value for name, value in found["metadata"].items() if name != "ownerReferences"}
    stage.cluster.put("jobs", {**found, "metadata": bare})
    stage.cluster.edit(NAMESPACE, NAME, training={"seed": 7})
    await stage.settle()
    assert gpu_seconds("nvidia.com/gpu") == before
