"""Metrics about runs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY, generate_latest

from builders.operator import a_bot_in, a_prepare_result
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.spec.scheduling import Gpu
from tweetbot_contract.status import Columns, Condition, DataStatus, Phase, TweetBotStatus
from tweetbot_contract.status.tasks import ForgetStatus
from tweetbot_operator.telemetry.run_metrics import (
    RunMetrics,
    WaitStarts,
    count_finished_run,
    count_gpu_time,
    count_posts,
    find_wait_reason,
)

#: A namespace of which only this file has TweetBots.
TEAM = "team-counted"
GULL, TERN = (TEAM, "gull"), (TEAM, "tern")


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def runs(phase: str, reason: str, namespace: str = TEAM) -> float:
    return value("tweetbot_runs", bot_namespace=namespace, phase=phase, reason=reason)


def finished(outcome: str, reason: str, namespace: str = TEAM) -> float:
    return value("tweetbot_runs_finished_total", bot_namespace=namespace, outcome=outcome, reason=reason)


def wait_start(reason: str, namespace: str = TEAM) -> float | None:
    labels = {"bot_namespace": namespace, "reason": reason}
    return REGISTRY.get_sample_value("tweetbot_wait_start_timestamp_seconds", labels)


class Time:
    """The operator's clock: the seconds of its Unix time."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def census(clock: Time) -> Iterator[RunMetrics]:
    census = RunMetrics(clock)
    yield census
    census.show(False)


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


def test_a_bot_counts_where_it_is_now_and_nowhere_else(census: RunMetrics) -> None:
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


def test_a_former_leader_shows_nothing_and_shows_later_what_changes_meanwhile(census: RunMetrics) -> None:
    """Two replicas would else count one TweetBot, or an alarm would stay that nobody ends."""
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
    count_finished_run(TEAM, TweetBotStatus(), status)
    count_finished_run(TEAM, status, status)
    assert finished("Failed", "Diverged") == before + 1
    assert finished("Failed", "Diverged", "team-b") == 0


def test_an_unknown_reason_adds_no_label(census: RunMetrics) -> None:
    before, others = finished("Failed", "Other"), runs("Failed", "Other")
    count_finished_run(TEAM, TweetBotStatus(), an_ended_status("InventedByAPod"))
    census.enter(GULL, a_status("Failed", "InventedByAPod"))
    assert (finished("Failed", "Other"), runs("Failed", "Other")) == (before + 1, others + 1)


def test_each_namespace_counts_apart_and_has_no_series_where_it_has_no_tweetbot(census: RunMetrics) -> None:
    census.enter(("team-c", "gull"), a_status("Training", "Training"))
    assert (runs("Training", "Training", "team-c"), runs("Training", "Training", "team-d")) == (1, 0)
    census.leave(("team-c", "gull"))
    assert 'tweetbot_runs{bot_namespace="team-c"' not in generate_latest().decode()


# ---- waits


def test_the_longest_wait_of_a_namespace_and_reason_is_shown_until_it_ends(census: RunMetrics, clock: Time) -> None:
    for seconds, key in ((1000, GULL), (1100, TERN), (1200, ("team-b", "gull"))):
        clock.seconds = seconds
        census.enter(key, a_status("Queued", "Queued"))
        census.enter(key, a_status("Queued", "Queued"))
    assert (wait_start("Queued"), wait_start("Queued", "team-b")) == (1000, 1200)
    census.enter(GULL, a_status("Preparing", "Preparing"))
    assert wait_start("Queued") == 1100
    census.leave(TERN)
    assert (wait_start("Queued"), wait_start("Queued", "team-b")) == (None, 1200)


def test_a_run_that_goes_on_or_has_ended_does_not_wait(census: RunMetrics) -> None:
    for status in (a_status("Training", "Training"), a_status("Suspended", "Suspended"), an_ended_status("Diverged")):
        assert find_wait_reason(status) is None
    ended = an_ended_status("Diverged")
    conditions = a_status("Failed", "Diverged").conditions
    assert find_wait_reason(ended.model_copy(update={"conditions": conditions})) is None


def test_a_fault_that_only_a_person_can_end_is_a_wait_although_the_run_goes_on(census: RunMetrics) -> None:
    status = a_status("Training", "Training")
    stalled = status.conditions[0].model_copy(update={"type": "Stalled", "reason": "PinnedVersionNotFound"})
    columns = Columns(since="1970-01-01T00:10:00Z")  # since when it trains
    status = status.model_copy(update={"conditions": (*status.conditions, stalled), "columns": columns})
    census.enter(GULL, status)
    assert wait_start("PinnedVersionNotFound") == 1000


def a_pause(cause: str) -> TweetBotStatus:
    """Return the status of a run that pauses before its next try."""
    paused = a_bot_in("Train", run_fields={"reason": cause, "retry_at": "2026-01-01T12:20:00Z"}).status
    return paused.model_copy(update={"conditions": a_status("Training", "RetryBackoff").conditions})


def test_a_pause_before_the_next_try_is_a_wait_for_what_failed(census: RunMetrics, clock: Time) -> None:
    """A training gives up on S3 after ten minutes: each Pod after it goes on with the same wait."""
    census.enter(GULL, a_status("Training", "StorageUnavailable"))
    clock.seconds += 600
    census.enter(GULL, a_pause("StorageUnavailable"))
    assert wait_start("StorageUnavailable") == 1000
    clock.seconds += 300
    census.enter(GULL, a_status("Training", "Training"))  # another Pod, which has yet to find out
    assert wait_start("StorageUnavailable") is None
    clock.seconds += 60
    census.enter(GULL, a_status("Training", "StorageUnavailable"))
    assert wait_start("StorageUnavailable") == 1000
    census.enter(GULL, a_status("Training", "Training"))
    clock.seconds += 3600
    census.enter(GULL, a_status("Training", "StorageUnavailable"))
    assert wait_start("StorageUnavailable") == clock.seconds


def test_an_unknown_wait_is_one_too(census: RunMetrics) -> None:
    census.enter(GULL, a_status("Training", "InventedByAPod"))
    census.enter(TERN, a_pause("InventedByAPod"))
    assert wait_start("Other") == 1000


def test_a_wait_began_when_the_status_says_so(census: RunMetrics) -> None:
    """Another leader has not seen it begin; a clock that is ahead does not put it into the future."""
    for since, expected in (("1970-01-01T00:10:00Z", 600), ("1970-01-01T02:00:00Z", 1000)):
        status = a_status("Queued", "Queued").model_copy(update={"columns": Columns(since=since)})
        census.enter(GULL, status)
        assert wait_start("Queued") == expected
        census.leave(GULL)


def test_only_the_leader_shows_waits(census: RunMetrics) -> None:
    census.enter(GULL, a_status("Queued", "Queued"))
    census.show(False)
    census.enter(TERN, a_status("Queued", "Queued"))
    assert wait_start("Queued") is None
    census.show(True)
    assert wait_start("Queued") == 1000


def test_the_first_deadline_to_forget_posts_is_shown_until_all_are_forgotten(census: RunMetrics) -> None:
    def deadline() -> float | None:
        return REGISTRY.get_sample_value("tweetbot_forget_deadline_timestamp_seconds", {"bot_namespace": TEAM})

    def ask(hour: int, **changes: Any) -> TweetBotStatus:
        request = ForgetStatus(request="now", requested_at=f"1970-01-01T0{hour}:00:00Z", **changes)
        return a_status("Training", "Training").model_copy(update={"forget": request})

    census.enter(GULL, ask(2))
    census.enter(TERN, ask(1, outcome="Incomplete"))
    assert deadline() == 3600 + 86400
    census.show(False)
    assert deadline() is None
    census.show(True)
    census.enter(TERN, ask(1, outcome="Succeeded"))
    assert deadline() == 7200 + 86400
    census.leave(GULL)
    assert deadline() is None


def test_waits_that_are_over_are_forgotten_behind_one_that_lasts() -> None:
    starts = WaitStarts()
    starts.update(GULL, "Queued", 0.0)
    for second in range(10_000):
        starts.update(TERN, "Queued" if second % 2 else None, 600.0 * second)
        assert starts.find_earliest((TEAM, "Queued")) == 0.0
    assert len(starts.heaps[TEAM, "Queued"]) < 200


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from([None, "Queued", "Evicted"]))))
def test_the_earliest_start_is_that_of_all_present_waits(changes: list[tuple[str, str | None]]) -> None:
    starts, known = WaitStarts(), dict[str, tuple[str | None, float]]()
    for number, (name, reason) in enumerate(changes):
        now = 1000.0 * number  # no interruption is short
        starts.update((TEAM, name), reason, now)
        if known.get(name, (None, 0.0))[0] != reason:
            known[name] = (reason, now)
        for each in ("Queued", "Evicted"):
            present = [since for reason, since in known.values() if reason == each]
            assert starts.find_earliest((TEAM, each)) == min(present, default=None)


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
