"""However often a Job or its result is lost, its creations are counted, and pauses grow."""

import pytest

from builders.operator import a_prepare_result
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.result import encode


def creations(stage: Stage) -> int:
    return sum(write.startswith("create") for write in stage.cluster.writes)


def message(stage: Stage) -> str:
    found = stage.status.find_condition("Progressing")
    return found.message if found else ""


async def delete_jobs(stage: Stage) -> None:
    """Delete every Job with its Pods, as a janitor would."""
    for name in stage.cluster.names("jobs"):
        stage.cluster.remove("jobs", NAMESPACE, name)
    await stage.settle()


async def keep_deleting(stage: Stage, minutes: int) -> None:
    for _ in range(minutes):
        await delete_jobs(stage)
        await stage.wait(60)


async def test_a_janitor_that_deletes_every_job_makes_the_pauses_grow(stage: Stage) -> None:
    await stage.apply()
    for _ in range(20):
        await delete_jobs(stage)
    assert (creations(stage), stage.reason(), stage.reason("Stalled")) == (5, "JobLostTooOften", "")
    assert "5 Jobs were created in quick succession. The next one comes at 2026-01-01T12:10:00Z" in message(stage)
    await stage.wait(600)
    await delete_jobs(stage)
    assert (creations(stage), stage.reason("Stalled")) == (6, "JobLostTooOften")
    await stage.wait(600)
    assert creations(stage) == 6
    await stage.wait(600)
    assert creations(stage) == 7
    await keep_deleting(stage, 24 * 60)
    assert creations(stage) <= 15


async def test_its_status_is_written_a_few_times_an_hour(stage: Stage) -> None:
    await stage.apply()
    await keep_deleting(stage, 10)
    before = len(stage.cluster.writes)
    await keep_deleting(stage, 60)
    assert len(stage.cluster.writes) - before <= 12


async def test_a_restarted_operator_goes_on_counting(stage: Stage) -> None:
    await stage.apply()
    for _ in range(60):
        await delete_jobs(stage)
        stage.start_operator()
        await stage.wait(90)
    assert creations(stage) <= 10
    assert stage.reason() == "JobLostTooOften"


async def test_a_run_that_is_left_alone_starts_to_count_anew(stage: Stage) -> None:
    await stage.apply()
    for _ in range(4):
        await delete_jobs(stage)
    running = {"name": "trainer", "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}
    stage.cluster.run_pod(stage.job_name, NAMESPACE, containerStatuses=[running])
    await stage.wait(1300)
    stage.cluster.remove("pods", NAMESPACE, stage.cluster.names("pods")[0])
    for _ in range(4):
        await delete_jobs(stage)
    assert (creations(stage), stage.reason()) == (9, "Preparing")


async def test_the_next_stage_and_the_next_run_start_to_count_anew(stage: Stage) -> None:
    await stage.apply()
    for _ in range(4):
        await delete_jobs(stage)
    await stage.end_stage(a_prepare_result())
    assert (stage.run.stage, stage.run.job_creations) == ("Train", 0)
    for _ in range(4):
        await delete_jobs(stage)
    assert stage.reason() == "Training"
    stage.cluster.edit(NAMESPACE, NAME, filter={"minWords": 7})
    await stage.settle()
    await stage.collect_garbage()
    assert (stage.run.number, stage.run.job_creations, stage.reason()) == (2, 0, "Preparing")


async def edit_memory(stage: Stage, gibibytes: int) -> None:
    stage.cluster.edit(NAMESPACE, NAME, resources={"memory": f"{gibibytes}Gi"})
    await stage.settle()
    await stage.collect_garbage()


async def test_five_edits_in_a_row_are_acted_on_at_once_and_the_next_is_told_to_wait(stage: Stage) -> None:
    await stage.apply()
    for gibibytes in range(20, 24):
        await edit_memory(stage, gibibytes)
        assert (stage.reason(), stage.cluster.names("jobs")) == ("Preparing", [stage.job_name])
    await edit_memory(stage, 30)
    assert (stage.reason(), stage.cluster.names("jobs")) == ("JobLostTooOften", [stage.job_name])
    await stage.wait(600)
    await stage.collect_garbage()
    assert (stage.reason(), creations(stage)) == ("Preparing", 6)
    job = stage.cluster.objects["jobs", NAMESPACE, stage.job_name]
    assert job["metadata"]["annotations"]["tweetbot.dev/execution"] == stage.run.execution


async def test_a_suspension_acts_at_once_however_often_it_comes(stage: Stage) -> None:
    await stage.apply()
    for _ in range(8):
        stage.cluster.edit(NAMESPACE, NAME, suspend=True)
        await stage.settle()
        await stage.collect_garbage()
        assert stage.cluster.names("jobs") == []
        stage.cluster.edit(NAMESPACE, NAME, suspend=False)
        await stage.settle()
    assert (creations(stage), stage.reason()) == (5, "JobLostTooOften")


@pytest.mark.parametrize("pods", [False, True])
async def test_a_job_whose_result_is_always_lost_is_not_created_for_ever(stage: Stage, pods: bool) -> None:
    """As with `completions: 0`, or where something deletes Pods as they end."""
    await stage.apply()
    for _ in range(600):
        if stage.cluster.names("jobs"):
            if pods:
                stage.cluster.end_pod(stage.job_name, NAMESPACE, 0, encode(a_prepare_result()).decode())
                stage.cluster.remove("pods", NAMESPACE, stage.cluster.names("pods")[0])
            stage.cluster.end_job(stage.job_name, NAMESPACE, "Complete")
            await stage.settle()
        await stage.collect_garbage()
        await stage.wait(6)
    assert creations(stage) <= 8
    assert len(stage.cluster.writes) <= 60


async def test_a_retry_after_its_own_pause_waits_for_nothing_else(stage: Stage) -> None:
    await stage.apply()
    for pause in (300, 600, 1200, 2400, 3600, 3600, 3600):
        await stage.fail_stage(75)
        await stage.wait(pause)
        await stage.collect_garbage()
        assert (stage.reason(), stage.cluster.names("jobs")) == ("Preparing", [stage.job_name])
        stage.cluster.objects = {key: item for key, item in stage.cluster.objects.items() if key[0] != "pods"}


async def test_a_cleanup_that_is_always_deleted_is_not_created_for_ever(stage: Stage) -> None:
    await stage.apply(deletionPolicy="Delete")
    await stage.whole_run()
    stage.cluster.delete_bot(NAMESPACE, NAME)
    await stage.settle()
    before = creations(stage)
    for _ in range(40):
        await delete_jobs(stage)
        await stage.wait(60)
    assert creations(stage) - before <= 7
