"""When a report reaches the status: often enough to be watched, and at most 20 times for a Pod."""

from dataclasses import replace
from itertools import pairwise
from typing import Any, Self

import pytest

from builders.operator import (
    a_bot_in,
    a_complete_job,
    a_finished_pod,
    a_job,
    a_pod,
    a_prepare_result,
    a_train_result,
    an_observed,
)
from builders.progress import a_report
from harness.stage_operator import NAMESPACE, Stage
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.status import ProgressStatus
from tweetbot_operator.decisions.plan import plan
from tweetbot_operator.decisions.progress import add_progress, format_duration, get_next_write_time
from tweetbot_operator.types.objects import Observed
from tweetbot_operator.types.stage_state import RunUpdate

WRITTEN = ProgressStatus(
    percent=40, step=40, total_steps=100, eta_seconds=600, eta="10m", updated_at="2026-01-01T12:00:00Z"
)


def a_training(*, progress: ProgressStatus | None = WRITTEN, **run: Any) -> TweetBot:
    return a_bot_in("Train", run_fields={"progress": progress, **run})


def a_world_with(bot: TweetBot, percent: int, *, at: float = 0, **report: Any) -> Observed:
    job = a_job(bot)
    pod = a_pod(job)
    assert bot.status.current_run is not None
    live = a_report(percent, run_id=bot.status.current_run.id, pod_uid=pod.uid, **report)
    return replace(an_observed(bot, jobs=(job,), pods=(pod,), at=at), latest_report=live)


def progress_in(world: Observed) -> ProgressStatus | None:
    run = plan(world).status.current_run
    assert run is not None
    return run.progress


def test_the_first_report_is_written_at_once() -> None:
    world = a_world_with(a_training(progress=None), 3, at=7, step=3, total_steps=100, eta_seconds=754, train_loss=2.5)
    expected = ProgressStatus(
        percent=3,
        step=3,
        total_steps=100,
        eta_seconds=754,
        eta="12m",
        train_loss=2.5,
        updated_at="2026-01-01T12:00:07Z",
    )
    assert progress_in(world) == expected
    assert plan(world).status_first


@pytest.mark.parametrize(
    ("percent", "at", "written"),
    [(45, 3600, 40), (46, 14, 40), (46, 15, 46), (49, 14, 40), (50, 0, 50), (99, 1, 99), (30, 0, 30)],
)
def test_later_ones_need_ten_points_or_six_and_fifteen_seconds(percent: int, at: float, written: int) -> None:
    progress = progress_in(a_world_with(a_training(), percent, at=at))
    assert progress is not None
    assert progress.percent == written


def test_what_is_due_later_is_not_forgotten() -> None:
    world = a_world_with(a_training(), 46, at=5)
    decided = plan(world)
    assert decided.requeue_at is not None
    later = replace(world, now=decided.requeue_at)
    assert (decided.requeue_at - world.now).total_seconds() == 10
    progress = progress_in(later)
    assert progress is not None
    assert progress.percent == 46


def test_the_first_estimate_is_worth_a_write() -> None:
    unknown = WRITTEN.model_copy(update={"eta_seconds": None, "eta": None})
    progress = progress_in(a_world_with(a_training(progress=unknown), 41, at=15, eta_seconds=600))
    assert progress is not None
    assert (progress.percent, progress.eta) == (41, "10m")


def test_what_says_little_new_wakes_nobody() -> None:
    bot = a_training()
    assert bot.status.current_run is not None
    assert get_next_write_time(bot.status.current_run, a_world_with(bot, 45)) is None


def test_an_operator_that_has_just_started_keeps_what_was_written() -> None:
    bot = a_training()
    assert progress_in(an_observed(bot, jobs=(a_job(bot),), pods=(a_pod(a_job(bot)),))) == WRITTEN


@pytest.mark.parametrize("change", [{"attempt": 2}, {"retries": 1}, {"execution": "0" * 16}])
def test_a_new_attempt_begins_without_the_former_ones_progress(change: dict[str, Any]) -> None:
    bot = a_training()
    before = bot.status.current_run
    assert before is not None
    update = add_progress(RunUpdate(before.model_copy(update=change)), an_observed(bot))
    assert update.run.progress is None


@pytest.mark.parametrize("change", [{"uid": "another"}, {"phase": "Failed"}])
def test_a_report_of_a_pod_that_is_gone_says_nothing(change: dict[str, Any]) -> None:
    world = a_world_with(a_training(progress=None), 90)
    assert progress_in(replace(world, pods=(replace(world.pods[0], **change),))) is None


def test_a_failed_attempts_report_says_nothing_of_the_next_though_a_sidecar_keeps_its_pod() -> None:
    world = a_world_with(a_training(), 60, at=20)
    held = replace(world.pods[0], exit_code=1, finished_at=world.now, held_by=("istio-proxy",))
    assert progress_in(replace(world, pods=(held,))) is None


def test_a_report_of_another_run_says_nothing() -> None:
    world = a_world_with(a_training(progress=None), 90)
    assert world.latest_report is not None
    assert (
        progress_in(replace(world, latest_report=world.latest_report.model_copy(update={"run_id": "0" * 16}))) is None
    )


def test_a_training_that_ended_well_is_done() -> None:
    bot = a_training()
    job = a_complete_job(bot)
    progress = progress_in(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_train_result()),)))
    assert progress is not None
    assert progress == ProgressStatus(percent=100, updated_at="2026-01-01T12:00:00Z")


@pytest.mark.parametrize(("step", "told"), [(176, None), (200, 200)], ids=["an early report", "the last step"])
def test_a_training_that_ended_well_keeps_the_figures_of_its_last_report(step: int, told: int | None) -> None:
    """But a step before the last would contradict the 100 %."""
    bot = a_training()
    job = a_complete_job(bot)
    world = a_world_with(bot, 99, step=step, total_steps=200, train_loss=0.64, eval_loss=0.8)
    progress = progress_in(replace(world, jobs=(job,), pods=(a_finished_pod(job, a_train_result()),)))
    assert progress is not None
    assert (progress.percent, progress.step, progress.total_steps, progress.eval_loss) == (100, told, 200, 0.8)


def test_a_training_whose_last_step_was_written_takes_no_more_time() -> None:
    last = WRITTEN.model_copy(update={"percent": 100, "step": 100, "eta_seconds": 0, "eta": "0s"})
    bot = a_training(progress=last)
    job = a_complete_job(bot)
    progress = progress_in(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_train_result()),)))
    assert progress == last.model_copy(update={"eta_seconds": None, "eta": None})


def test_a_training_that_failed_stays_where_it_stood() -> None:
    bot = a_training(outcome="Failed", reason="Diverged", message="no number")
    assert progress_in(an_observed(bot)) == WRITTEN


def test_an_adopted_model_was_not_trained_here() -> None:
    bot = a_bot_in("Prepare")
    job = a_complete_job(bot)
    pod = a_finished_pod(job, a_prepare_result(adopted=a_train_result()))
    assert progress_in(an_observed(bot, jobs=(job,), pods=(pod,))) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (754, "12m"),
        (7199, "119m"),
        (7260, "2h1m"),
        (360_000, "100h"),
    ],
)
def test_spans_read_as_kubectls_ages_do(seconds: int, text: str) -> None:
    assert format_duration(seconds) == text


def test_a_preparation_is_not_a_training() -> None:
    bot = a_training(progress=None)
    world = a_world_with(bot, 90)
    assert world.latest_report is not None
    assert (
        progress_in(replace(world, latest_report=world.latest_report.model_copy(update={"stage": "Prepare"}))) is None
    )


class Trainer:
    """The running Pod of a stage's training, and the reports that the operator gets from it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        (pod,) = [pod for pod in stage.cache.pods.list_all() if not pod.ended]
        self.identity = {"run_id": stage.run.id, "pod_uid": pod.uid}

    @classmethod
    async def start(cls, stage: Stage) -> Self:
        """Bring the stage's run to its training."""
        await stage.apply()
        await stage.end_stage(a_prepare_result())
        running = {"name": "trainer", "state": {"running": {"startedAt": stage.now().isoformat()}}}
        stage.cluster.run_pod(stage.job_name, "team-a", containerStatuses=[running])
        return cls(stage)

    def report(self, percent: int | None, **fields: Any) -> None:
        self.stage.progress_store.put(("team-a", "gull"), a_report(percent, **self.identity, **fields))

    async def train(self, seconds: int) -> list[tuple[int, int | None]]:
        """Answer polls every five seconds for so long, a minute of loading first; return the writes as (second, %)."""
        writes = list[tuple[int, int | None]]()
        for second in range(0, seconds + 60, 5):
            done = (second - 60) * 100 // seconds
            self.report(done if done > 0 else None, eta_seconds=60 + seconds - second if done > 0 else None)
            await self.stage.wait(5)
            progress = self.stage.run.progress
            if progress and (not writes or writes[-1][1] != progress.percent):
                writes.append((second, progress.percent))
        return writes


@pytest.mark.parametrize("minutes", [1, 3, 10, 110])
async def test_a_training_of_any_length_is_seen_and_takes_at_most_twenty_writes(minutes: int) -> None:
    stage = Stage()
    trainer = await Trainer.start(stage)
    before = len(stage.cluster.writes)
    seen = await trainer.train(60 * minutes)
    assert 4 <= len([write for write in stage.cluster.writes[before:] if write.startswith("status")]) <= 19
    assert seen == sorted(seen, key=lambda one: one[0])
    assert (seen[0], (seen[-1][1] or 0) >= 90) == ((0, 0), True)
    await stage.end_stage(a_train_result())
    assert stage.run.progress is not None
    assert (stage.run.progress.percent, stage.progress_store.get(("team-a", "gull"))) == (100, None)


async def test_a_training_of_three_minutes_is_written_every_fifteen_seconds() -> None:
    seen = await (await Trainer.start(Stage())).train(180)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(seen[1:])]
    assert max(gaps) <= 15


async def test_a_training_that_jumps_to_and_fro_is_not_followed() -> None:
    stage = Stage()
    trainer = await Trainer.start(stage)
    before = len(stage.cluster.writes)
    for turn in range(1000):
        trainer.report(90 * (turn % 2), eta_seconds=turn if turn % 3 else None)
        await stage.wait(5)
    assert len(stage.cluster.writes) - before <= 19


async def test_an_operator_that_was_restarted_goes_on_from_what_is_written() -> None:
    stage = Stage()
    trainer = await Trainer.start(stage)
    trainer.report(40, eta_seconds=60)
    await stage.settle()
    stage.progress_store.clear()
    stage.start_operator()
    writes = len(stage.cluster.writes)
    trainer.report(43, eta_seconds=60)
    await stage.wait(600)
    assert len(stage.cluster.writes) == writes
    stage.progress_store.clear()


# ---- waits


async def report_wait(
    stage: Stage, reason: str = "StorageUnavailable", polls: int = 3, *, beside: bool = False
) -> None:
    """Let the present Pod report that it waits, as often as this."""
    (pod,) = (pod for pod in stage.cache.pods.list_all() if pod.name.startswith(stage.job_name))
    waiting = {"reason": reason, "message": "S3 does not answer", "since": "2026-01-01T12:00:30Z", "beside": beside}
    for _ in range(polls):
        report = a_report(None, run_id=stage.run.id, stage=stage.run.stage, pod_uid=pod.uid, waiting=waiting)
        stage.progress_store.put((NAMESPACE, "gull"), report)
    await stage.settle()


async def begin_to_run(stage: Stage) -> None:
    await stage.apply()
    begun = {"running": {"startedAt": "2026-01-01T12:00:00Z"}}
    stage.cluster.run_pod(stage.job_name, NAMESPACE, containerStatuses=[{"name": "trainer", "state": begun}])
    await stage.settle()


async def test_what_a_running_stage_waits_for_is_told_while_it_lasts() -> None:
    """A preparation may wait 30 minutes for X, and said nothing but Preparing."""
    stage = Stage()
    await begin_to_run(stage)
    await report_wait(stage, polls=2)
    assert stage.reason() == "Preparing"
    await report_wait(stage, polls=1)
    told, ready = stage.status.find_condition("Progressing"), stage.status.find_condition("Ready")
    assert told is not None
    assert ready is not None
    assert (told.reason, told.status, stage.status.phase) == ("StorageUnavailable", "True", "Preparing")
    assert (ready.reason, ready.status, stage.reason("Stalled")) == ("StorageUnavailable", "True", "")
    assert told.message.startswith("S3 does not answer. Waiting since 2026-01-01T12:00:30Z. ")
    (pod,) = stage.cache.pods.list_all()
    answered = a_report(None, run_id=stage.run.id, stage="Prepare", pod_uid=pod.uid)
    for reason in ("StorageUnavailable", "Preparing"):
        stage.progress_store.put((NAMESPACE, "gull"), answered)
        await stage.settle()
        assert stage.reason() == reason


async def test_a_training_whose_checkpoint_waits_goes_on_and_says_both() -> None:
    stage = Stage()
    trainer = await Trainer.start(stage)
    trainer.report(44, step=320, total_steps=727, eta_seconds=60)
    await stage.settle()
    await report_wait(stage, beside=True)
    told = stage.status.find_condition("Progressing")
    assert told is not None
    assert (told.reason, told.status, stage.status.phase) == ("StorageUnavailable", "True", "Training")
    since = "No checkpoint has been saved since 2026-01-01T12:00:30Z"
    assert told.message.startswith(f"S3 does not answer. {since}. Fine-tuning, step 320 of 727. It runs in Pod gull-")
    stage.progress_store.clear()


# ---- what is going on


async def test_a_training_says_its_step_and_pod_and_no_status_is_written_for_them() -> None:
    stage = Stage()
    trainer = await Trainer.start(stage)
    trainer.report(10, step=73, total_steps=727, eta_seconds=600)
    await stage.settle()
    before, shown = len(stage.cluster.writes), stage.status.find_condition("Progressing")
    (pod,) = (pod for pod in stage.cache.pods.list_all() if not pod.ended)
    assert shown is not None
    assert shown.message == f"Fine-tuning, step 73 of 727. It runs in Pod {pod.name}."
    for step in range(74, 87):
        trainer.report(10 + step // 80, step=step, total_steps=727, eta_seconds=600)
        await stage.wait(120)
    assert stage.cluster.writes[before:] == []
    trainer.report(30, step=220, total_steps=727, eta_seconds=600)
    await stage.settle()
    shown = stage.status.find_condition("Progressing")
    assert shown is not None
    assert (len(stage.cluster.writes) - before, "step 220 of 727" in shown.message) == (1, True)
    stage.progress_store.clear()


async def prepare_for(seconds: int) -> list[tuple[int, str]]:
    """Read posts for so long; return when the status was written, and with what message."""
    stage, seen = Stage(), list[tuple[int, str]]()
    await begin_to_run(stage)
    (pod,) = stage.cache.pods.list_all()
    for second in range(0, seconds, 5):
        before = len(stage.cluster.writes)
        fields = {"run_id": stage.run.id, "stage": "Prepare", "pod_uid": pod.uid, "posts": second * 1000 // 60}
        stage.progress_store.put((NAMESPACE, "gull"), a_report(None, **fields))
        await stage.settle()
        await stage.wait(5)
        if len(stage.cluster.writes) > before:
            shown = stage.status.find_condition("Progressing")
            seen.append((second, shown.message if shown else ""))
    await stage.end_stage(a_prepare_result())
    assert stage.run.progress is None
    return seen


async def test_a_short_preparation_takes_no_write_of_its_own() -> None:
    assert await prepare_for(55) == []


async def test_a_preparation_says_how_many_posts_it_has_read_each_time_as_long_has_passed_again() -> None:
    seen = await prepare_for(100 * 60)
    assert 4 <= len(seen) <= 7
    assert seen[0][1].startswith("Fetching and cleaning posts: 916 read. It runs in Pod gull-")
    assert all(3600 > later - 2 * earlier - 5 >= -5 for (earlier, _), (later, _) in pairwise(seen))


@pytest.mark.parametrize("reason", ["EndpointNotS3", "NotAuthorized", "StorageUnsupported", "XBadPayload"])
async def test_a_refusal_that_may_pass_is_told_while_the_stage_waits(reason: str) -> None:
    stage = Stage()
    await begin_to_run(stage)
    await report_wait(stage, reason)
    assert stage.reason() == reason


async def test_a_pod_cannot_report_another_reason_than_a_service_that_is_away() -> None:
    stage = Stage()
    await begin_to_run(stage)
    await report_wait(stage, "Succeeded")
    assert stage.reason() == "Preparing"
