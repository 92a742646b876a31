"""What last went wrong stays in the status while the next attempt waits and runs, and costs no write of its own."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from builders.operator import a_prepare_result, a_refusal_of_the_trainer, a_train_result
from harness.stage_operator import NAMESPACE, Stage
from tweetbot_contract.result import encode
from tweetbot_contract.status import Trouble
from tweetbot_operator.client.errors import Invalid
from tweetbot_operator.decisions.run import RETRY_SECONDS


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def begin_training(stage: Stage) -> None:
    await stage.apply()
    await stage.end_stage(a_prepare_result())
    stage.time += timedelta(seconds=60)


async def fail_attempt(stage: Stage, exit_code: int, message: str = "", **terminated: Any) -> None:
    """Let a Pod of the present Job fail, the Job controller count it, and the next Pod start."""
    job = stage.job_name
    stage.cluster.end_pod(job, NAMESPACE, exit_code, message, **terminated)
    await stage.settle()
    found = deepcopy(stage.cluster.objects["jobs", NAMESPACE, job])
    found["status"] = {"failed": (found.get("status") or {}).get("failed", 0) + 1}
    stage.cluster.put("jobs", found)
    await stage.settle()


def run_on(stage: Stage, **state: Any) -> None:
    """Let another Pod of the present Job run."""
    begun = {"running": {"startedAt": stage.time.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    container = {"name": "trainer", "state": state or begun}
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T12:01:00Z"}
    stage.cluster.run_pod(stage.job_name, NAMESPACE, conditions=[scheduled], containerStatuses=[container])


def trouble(stage: Stage) -> Trouble:
    assert stage.run.last_trouble is not None
    return stage.run.last_trouble


def message(stage: Stage) -> str:
    found = stage.status.find_condition("Progressing")
    return found.message if found else ""


def count_status_writes(stage: Stage) -> int:
    return sum(write.startswith("status") for write in stage.cluster.writes)


async def test_while_the_next_attempt_runs_the_status_tells_how_the_last_one_ended(stage: Stage) -> None:
    await begin_training(stage)
    before = count_status_writes(stage)
    await fail_attempt(stage, 137, reason="OOMKilled")
    run_on(stage)
    await stage.wait(60)
    assert count_status_writes(stage) - before == 1
    told = trouble(stage)
    assert (told.reason, told.stage, told.attempt, told.exit_code) == ("OutOfMemory", "Train", 1, 137)
    assert (told.at, told.pod) == ("2026-01-01T12:01:00Z", f"{stage.job_name}-1")
    assert message(stage).startswith(
        "Fine-tuning the model (attempt 2 of 3). Last trouble: OutOfMemory in attempt 1 at 2026-01-01T12:01:00Z: "
    )
    assert "spec.resources.memory" in message(stage)


async def test_the_newest_trouble_takes_the_place_of_the_one_before(stage: Stage) -> None:
    await begin_training(stage)
    await fail_attempt(stage, 137, reason="OOMKilled")
    stage.time += timedelta(seconds=30)
    await fail_attempt(stage, 139)
    assert (trouble(stage).reason, trouble(stage).attempt, stage.run.attempt) == ("Crashed", 2, 3)


async def test_a_pod_that_was_deleted_counts_as_the_attempt_that_it_was(stage: Stage) -> None:
    await begin_training(stage)
    await fail_attempt(stage, 139)
    stage.cluster.remove("pods", NAMESPACE, f"{stage.job_name}-1")
    stage.time += timedelta(seconds=30)
    await fail_attempt(stage, 137, reason="OOMKilled")
    assert (trouble(stage).reason, trouble(stage).attempt, stage.run.attempt) == ("OutOfMemory", 2, 3)


async def test_an_eviction_tells_the_kubelets_words_while_the_next_pod_waits(stage: Stage) -> None:
    await begin_training(stage)
    words = "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 9Gi. "
    disrupted = {"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}
    before = count_status_writes(stage)
    stage.cluster.run_pod(
        stage.job_name, NAMESPACE, phase="Failed", reason="Evicted", message=words, conditions=[disrupted]
    )
    await stage.settle()
    assert (count_status_writes(stage) - before, stage.reason()) == (1, "Evicted")
    assert "low on resource: ephemeral-storage" in message(stage)
    assert (trouble(stage).reason, trouble(stage).attempt) == ("Evicted", 1)
    run_on(stage)
    await stage.wait(10)
    assert (stage.reason(), "low on resource" in message(stage)) == ("Training", True)


async def test_it_is_kept_across_the_pause_and_the_next_job(stage: Stage) -> None:
    await begin_training(stage)
    said = encode(a_refusal_of_the_trainer("StorageUnavailable", "S3 does not answer")).decode()
    await stage.fail_stage(75, said)
    assert stage.reason() == "RetryBackoff"
    await stage.collect_garbage()
    await stage.wait(RETRY_SECONDS)
    run_on(stage)
    await stage.wait(1)
    assert (trouble(stage).reason, trouble(stage).message) == ("StorageUnavailable", "S3 does not answer")
    assert message(stage).startswith("Fine-tuning the model. Last trouble: StorageUnavailable in attempt 1 at ")


async def test_a_refusal_at_admission_is_kept_after_it_has_passed_but_not_told_of_what_runs_well(stage: Stage) -> None:
    stage.cluster.faults["create_job"] = [Invalid("exceeded quota: gpus"), Invalid("exceeded quota: gpus")]
    await stage.apply()
    before = count_status_writes(stage)
    for _ in range(3):
        await stage.wait(10)
    assert (trouble(stage).reason, trouble(stage).pod, stage.reason()) == ("JobRefused", None, "Preparing")
    assert "exceeded quota: gpus" in trouble(stage).message
    assert message(stage) == "Fetching and cleaning posts."
    assert count_status_writes(stage) - before <= 1


async def test_the_history_tells_it_of_a_run_that_succeeded_after_it(stage: Stage) -> None:
    await begin_training(stage)
    await fail_attempt(stage, 137, reason="OOMKilled")
    await stage.end_stage(a_train_result())
    record = stage.status.runs[0]
    assert (record.outcome, record.last_trouble and record.last_trouble[:24]) == (
        "Succeeded",
        "OutOfMemory in attempt 1",
    )
    assert len(record.last_trouble or "") <= 256
    assert "Last trouble" not in message(stage)


async def test_another_run_begins_without_it(stage: Stage) -> None:
    await begin_training(stage)
    await fail_attempt(stage, 137, reason="OOMKilled")
    stage.cluster.annotate(NAMESPACE, "gull", {"tweetbot.dev/retrain-at": "now"})
    await stage.settle()
    assert (stage.run.number, stage.run.last_trouble) == (2, None)
    assert (stage.status.runs[0].outcome, bool(stage.status.runs[0].last_trouble)) == ("Superseded", True)


async def test_a_run_whose_execution_is_edited_still_tells_why_that_was(stage: Stage) -> None:
    await begin_training(stage)
    await fail_attempt(stage, 137, reason="OOMKilled")
    stage.cluster.edit(NAMESPACE, "gull", resources={"cpu": "2", "memory": "32Gi"})
    await stage.settle()
    await stage.collect_garbage()
    run_on(stage)
    await stage.wait(1)
    assert (stage.run.attempt, trouble(stage).reason) == (1, "OutOfMemory")
    assert "OutOfMemory" in message(stage)


async def test_a_restart_of_the_operator_neither_loses_nor_rewrites_it(stage: Stage) -> None:
    await begin_training(stage)
    await fail_attempt(stage, 137, reason="OOMKilled")
    run_on(stage)
    await stage.wait(5)
    before, told = count_status_writes(stage), trouble(stage)
    stage.start_operator()
    await stage.wait(60)
    assert (count_status_writes(stage), trouble(stage)) == (before, told)
