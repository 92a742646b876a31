"""When live progress reaches the status: in steps of points and seconds, never oftener, never of an earlier attempt."""

from dataclasses import replace
from typing import Any

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
from harness.stage_operator import Stage
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.status import ProgressStatus
from tweetbot_operator.decisions.plan import plan
from tweetbot_operator.decisions.progress import add_progress, format_duration, get_next_write_time
from tweetbot_operator.decisions.run import RunUpdate
from tweetbot_operator.progress.authorize import ReportedRun
from tweetbot_operator.types.objects import Observed, PodView
from tweetbot_operator.types.progress import LatestReport, Report

WRITTEN = ProgressStatus(
    percent=40, step=40, total_steps=100, eta_seconds=600, eta="10m", updated_at="2026-01-01T12:00:00Z"
)


def a_training(*, progress: ProgressStatus | None = WRITTEN, **run: Any) -> TweetBot:
    return a_bot_in("Train", run_fields={"progress": progress, **run})


def a_world_with(bot: TweetBot, percent: int, *, at: float = 0, **report: Any) -> Observed:
    job = a_job(bot)
    pod = a_pod(job)
    assert bot.status.current_run is not None
    live = LatestReport(bot.status.current_run.id, pod.uid, Report(percent, **report))
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
    [(44, 3600, 40), (45, 59, 40), (45, 60, 45), (99, 59, 40), (99, 60, 99), (41, 60, 40)],
)
def test_later_ones_need_five_points_and_a_minute(percent: int, at: float, written: int) -> None:
    progress = progress_in(a_world_with(a_training(), percent, at=at))
    assert progress is not None
    assert progress.percent == written


def test_what_is_due_later_is_not_forgotten() -> None:
    world = a_world_with(a_training(), 45, at=20)
    decided = plan(world)
    assert decided.requeue_at is not None
    later = replace(world, now=decided.requeue_at)
    assert (decided.requeue_at - world.now).total_seconds() == 40
    progress = progress_in(later)
    assert progress is not None
    assert progress.percent == 45


def test_what_says_little_new_wakes_nobody() -> None:
    bot = a_training()
    assert bot.status.current_run is not None
    assert get_next_write_time(bot.status.current_run, a_world_with(bot, 44)) is None


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


def test_a_report_of_another_run_says_nothing() -> None:
    world = a_world_with(a_training(progress=None), 90)
    assert world.latest_report is not None
    assert progress_in(replace(world, latest_report=replace(world.latest_report, run_id="0" * 16))) is None


def test_a_training_that_ended_well_is_done() -> None:
    bot = a_training()
    job = a_complete_job(bot)
    progress = progress_in(an_observed(bot, jobs=(job,), pods=(a_finished_pod(job, a_train_result()),)))
    assert progress is not None
    assert progress == ProgressStatus(percent=100, updated_at="2026-01-01T12:00:00Z")


def test_a_training_that_ended_well_keeps_the_figures_of_its_last_report() -> None:
    bot = a_training()
    job = a_complete_job(bot)
    world = a_world_with(bot, 99, step=176, total_steps=200, train_loss=0.64, eval_loss=0.8)
    progress = progress_in(replace(world, jobs=(job,), pods=(a_finished_pod(job, a_train_result()),)))
    assert progress is not None
    assert (progress.percent, progress.step, progress.total_steps, progress.eval_loss) == (100, 176, 200, 0.8)


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


async def a_trainer_in(stage: Stage) -> tuple[ReportedRun, PodView]:
    """Bring the stage's run to its training, and return the run with the Pod that reports."""
    await stage.apply()
    await stage.end_stage(a_prepare_result())
    running = {"name": "trainer", "state": {"running": {"startedAt": stage.now().isoformat()}}}
    stage.cluster.run_pod(stage.job_name, "team-a", containerStatuses=[running])
    (pod,) = [pod for pod in stage.cache.pods.list_all() if not pod.ended]
    return ReportedRun("team-a", "gull", stage.run.id), pod


async def test_a_whole_training_is_told_in_a_few_writes_however_often_it_reports() -> None:
    """Reports every five seconds for nearly two hours; the status takes at most one for each five points."""
    stage, steps = Stage(), 1400
    run, pod = await a_trainer_in(stage)
    writes, seen = len(stage.cluster.writes), []
    for step in range(steps):
        stage.board.take(run, pod, Report(step * 100 // steps, step, steps, eta_seconds=5 * (steps - step)))
        await stage.wait(5)
        seen.append(stage.run.progress.percent if stage.run.progress else -1)
    assert len(stage.cluster.writes) - writes <= 21
    assert seen == sorted(seen)
    assert (seen[0], seen[-1] >= 95) == (0, True)
    assert stage.board.get(run.key) is not None
    await stage.end_stage(a_train_result())
    assert stage.run.progress is not None
    assert (stage.run.progress.percent, stage.board.get(run.key)) == (100, None)


async def test_an_operator_that_was_restarted_goes_on_from_what_is_written() -> None:
    stage = Stage()
    run, pod = await a_trainer_in(stage)
    stage.board.take(run, pod, Report(40))
    await stage.settle()
    stage.board.clear()
    stage.start_operator()
    writes = len(stage.cluster.writes)
    stage.board.take(run, pod, Report(43))
    await stage.wait(600)
    assert len(stage.cluster.writes) == writes
    stage.board.clear()
