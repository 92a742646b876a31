"""A status is written when it means something new, not for numbers that change with every node or what others add."""

from copy import deepcopy
from typing import Any

import pytest

from builders.manifests import a_manifest
from harness.stage_operator import NAMESPACE, Stage

BOTS = 40


def say_no_node_fits(stage: Stage, words: str) -> None:
    """Let the scheduler say so of every Pod that waits."""
    scheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": words}
    for (kind, _, _), pod in list(stage.cluster.objects.items()):
        if kind == "pods":
            stage.cluster.put("pods", {**pod, "status": {"phase": "Pending", "conditions": [scheduled]}})


def count_status_writes(stage: Stage) -> int:
    return sum(write.startswith("status") for write in stage.cluster.writes)


def read_message(stage: Stage) -> str:
    found = stage.status.find_condition("Progressing")
    return found.message if found else ""


async def let_wait(stage: Stage, names: list[str], words: str) -> None:
    """Let TweetBots run, and no node be there for their Pods."""
    for name in names:
        manifest = a_manifest(run={"startDeadlineSeconds": 86400})
        metadata = {**manifest["metadata"], "name": name, "uid": f"uid-of-{name}"}
        stage.cluster.put("tweetbots", {**manifest, "metadata": metadata})
    await stage.settle()
    for job in stage.cluster.names("jobs"):
        stage.cluster.run_pod(job, NAMESPACE, phase="Pending")
    say_no_node_fits(stage, words)
    await stage.wait(130)


@pytest.mark.parametrize("pause", [1, 20, 90], ids="after {} s".format)
async def test_forty_bots_that_wait_write_at_most_once_each_for_ten_changes_of_the_nodes(
    stage: Stage, pause: float
) -> None:
    await let_wait(
        stage, [f"gull-{number}" for number in range(BOTS)], "0/39 nodes are available: 39 Insufficient cpu."
    )
    before = count_status_writes(stage)
    for nodes in range(40, 50):
        say_no_node_fits(stage, f"0/{nodes} nodes are available: 3 node(s) had taints, {nodes - 3} Insufficient cpu.")
        await stage.wait(pause)
    await stage.wait(120)
    assert 0 < count_status_writes(stage) - before <= BOTS


async def test_new_words_come_once_the_minute_is_over_and_the_newest_of_them(stage: Stage) -> None:
    await let_wait(stage, ["gull"], "0/2 nodes are available: 2 Insufficient cpu.")
    await stage.wait(61)
    before = count_status_writes(stage)
    for cause in ("memory", "nvidia.com/gpu", "ephemeral-storage"):
        say_no_node_fits(stage, f"0/2 nodes are available: 2 Insufficient {cause}.")
        await stage.wait(10)
    assert (count_status_writes(stage) - before, "memory" in read_message(stage)) == (1, True)
    await stage.wait(39)
    assert count_status_writes(stage) - before == 1
    await stage.wait(1)
    assert (count_status_writes(stage) - before, "ephemeral-storage" in read_message(stage)) == (2, True)


async def test_new_numbers_come_with_the_next_write_or_after_an_hour(stage: Stage) -> None:
    await let_wait(stage, ["gull"], "0/2 nodes are available: 2 Insufficient cpu.")
    say_no_node_fits(stage, "0/3 nodes are available: 3 Insufficient cpu.")
    await stage.wait(600)
    assert "0/2 nodes" in read_message(stage)
    stage.cluster.edit(NAMESPACE, "gull", suspend=True)
    stage.cluster.edit(NAMESPACE, "gull", suspend=False)
    await stage.settle()
    assert "0/3 nodes" in read_message(stage)
    say_no_node_fits(stage, "0/4 nodes are available: 4 Insufficient cpu.")
    await stage.wait(3601)
    assert "0/4 nodes" in read_message(stage)


async def test_a_restarted_operator_rewrites_no_numbers(stage: Stage) -> None:
    await let_wait(stage, ["gull"], "0/2 nodes are available: 2 Insufficient cpu.")
    before = count_status_writes(stage)
    say_no_node_fits(stage, "0/3 nodes are available: 3 Insufficient cpu.")
    stage.start_operator()
    await stage.wait(1)
    assert count_status_writes(stage) == before


async def test_a_condition_of_another_controller_causes_no_write_and_stays(stage: Stage) -> None:
    await stage.apply()
    before = count_status_writes(stage)
    stage.cluster.add_condition(NAMESPACE, "gull", "example.com/Audited")
    for _ in range(5):
        await stage.wait(60)
    assert count_status_writes(stage) == before
    stage.cluster.edit(NAMESPACE, "gull", suspend=True)
    await stage.settle()
    assert stage.reason("example.com/Audited") == "Seen"


def reword(status: dict[str, Any]) -> dict[str, Any]:
    for condition in status["conditions"]:
        condition["message"] = "see the wiki"
    return status


def prune(status: dict[str, Any]) -> dict[str, Any]:
    """Drop some fields."""
    run = {name: value for name, value in status["currentRun"].items() if name not in ("progress", "ranSeconds")}
    return {**{name: value for name, value in status.items() if name != "samples"}, "currentRun": run}


def add_default(status: dict[str, Any]) -> dict[str, Any]:
    return {**status, "tracking": {"wandbURL": "https://wandb.example.com"}}


@pytest.mark.parametrize("change", [reword, prune, add_default])
async def test_a_status_that_comes_back_changed_is_not_written_again(stage: Stage, change: Any) -> None:
    """A policy rewords or strips it, for ever."""
    stage.cluster.change_status = change
    await stage.apply()
    await stage.whole_run()
    before = count_status_writes(stage)
    for _ in range(10):
        await stage.wait(60)
        stage.cluster.put("tweetbots", deepcopy(stage.cluster.objects["tweetbots", NAMESPACE, "gull"]))  # any event
        await stage.settle()
    assert count_status_writes(stage) == before
    assert stage.run.outcome == "Succeeded"
    assert [event["reason"] for event in stage.cluster.events].count("StatusChanged") == 1


def drop_run(status: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in status.items() if name != "currentRun"}


def forget_job(status: dict[str, Any]) -> dict[str, Any]:
    run = {name: value for name, value in status["currentRun"].items() if name != "jobName"}
    return {**status, "currentRun": run}


@pytest.mark.parametrize("change", [drop_run, forget_job])
async def test_nothing_is_created_for_a_run_that_the_status_does_not_hold(stage: Stage, change: Any) -> None:
    stage.cluster.change_status = change
    await stage.apply()
    for _ in range(20):
        await stage.wait(60)
    assert stage.cluster.names("jobs") == []
    assert count_status_writes(stage) <= 21
    assert [event["reason"] for event in stage.cluster.events] == ["StatusChanged"]
