"""The operator killed after each of a run's writes: the end is the same."""

import pytest

from builders.manifests import a_manifest
from builders.operator import a_prepare_result, a_train_result
from harness.stage_operator import NAMESPACE, Stage
from tweetbot_contract.result import encode


class Killed(Exception):
    """The operator's process is no more."""


async def reference() -> Stage:
    stage = Stage()
    await play(stage)
    return stage


async def play(stage: Stage) -> None:
    """Play one run from apply to the Jobs' end, restarting the operator whenever it is killed."""
    stage.cluster.put("tweetbots", a_manifest())
    await survive(stage)
    for result in (a_prepare_result(), a_train_result()):
        job = stage.job_name
        stage.cluster.end_pod(job, NAMESPACE, 0, encode(result).decode())
        stage.cluster.end_job(job, NAMESPACE, "Complete")
        await survive(stage)
    stage.time = stage.time.replace(hour=14)
    await survive(stage)
    stage.cluster.collect_garbage()
    await survive(stage)


async def survive(stage: Stage) -> None:
    while True:
        try:
            await stage.settle()
        except Killed:
            stage.start_operator()
        else:
            return


@pytest.mark.parametrize("nth", range(7))
async def test_a_kill_right_after_any_write_changes_nothing_in_the_end(nth: int) -> None:
    expected = await reference()
    stage = Stage()
    seen: list[str] = []

    def kill(write: str) -> None:
        seen.append(write)
        if len(seen) == nth + 1:
            raise Killed(write)

    stage.cluster.after_write = kill
    await play(stage)
    assert len(seen) > nth
    assert stage.cluster.writes == expected.cluster.writes
    assert stage.status == expected.status
    assert stage.cluster.names("jobs") == []


async def test_the_reference_run_has_seven_writes_to_be_killed_at() -> None:
    assert len((await reference()).cluster.writes) == 7
