"""Trainings in a Kueue queue: Kueue suspends and admits, the operator waits, says why, and forgets nothing."""

from copy import deepcopy
from typing import Any

import pytest

from builders.operator import a_prepare_result, a_refusal_of_the_trainer, a_train_result
from harness.stage_operator import NAMESPACE, Stage
from tweetbot_contract.result import encode
from tweetbot_operator.client.cluster import find_workload_message
from tweetbot_operator.client.errors import Timeout, WebhookUnavailable
from tweetbot_operator.client.parse import parse_job
from tweetbot_operator.decisions.run import RETRY_SECONDS
from tweetbot_operator.settings import OperatorSettings

QUEUED: dict[str, Any] = {"scheduling": {"queueName": "gpus", "workloadPriorityClassName": "low"}}
AWAY = WebhookUnavailable('Internal error occurred: failed calling webhook "mjob.kb.io": connection refused')
ASKING = OperatorSettings(kueue_version="v1beta2")


def edit_job(stage: Stage, *, suspend: bool, began: bool = True) -> None:
    """Edit the present Job as Kueue does, and as the Job controller then does."""
    job = deepcopy(stage.cluster.objects["jobs", NAMESPACE, stage.job_name])
    job["spec"]["suspend"] = suspend
    job["metadata"]["generation"] = job["metadata"].get("generation", 1) + 1
    job["status"] = {} if suspend or not began else {"startTime": f"{stage.time:%Y-%m-%dT%H:%M:%SZ}"}
    stage.cluster.put("jobs", job)


async def admit(stage: Stage, *, began: bool = True) -> None:
    edit_job(stage, suspend=False, began=began)
    await stage.settle()


async def run_pod(stage: Stage) -> None:
    started = {"running": {"startedAt": f"{stage.time:%Y-%m-%dT%H:%M:%SZ}"}}
    stage.cluster.run_pod(stage.job_name, NAMESPACE, containerStatuses=[{"name": "trainer", "state": started}])
    await stage.settle()


async def evict(stage: Stage) -> None:
    """Suspend the Job, let its Pod be told to end, and then be gone."""
    edit_job(stage, suspend=True)
    (key,) = [key for key in stage.cluster.objects if key[0] == "pods" and stage.job_name in key[2]]
    pod = deepcopy(stage.cluster.objects[key])
    pod["metadata"]["deletionTimestamp"] = f"{stage.time:%Y-%m-%dT%H:%M:%SZ}"
    stage.cluster.put("pods", pod)
    await stage.settle()
    stage.cluster.remove("pods", NAMESPACE, key[2])
    await stage.settle()


async def in_the_queue(stage: Stage, **spec: Any) -> Stage:
    """Bring a run to the queue: its posts are prepared."""
    await stage.apply(**{**QUEUED, **spec})
    await stage.end_stage(a_prepare_result())
    return stage


def phase(stage: Stage) -> str:
    return stage.status.phase


def message(stage: Stage) -> str:
    progressing = stage.status.find_condition("Progressing")
    return progressing.message if progressing else ""


# ---- waiting and beginning


async def test_the_posts_are_fetched_at_once_and_the_training_waits() -> None:
    stage = Stage()
    await stage.apply(**QUEUED)
    assert (phase(stage), stage.reason()) == ("Preparing", "Preparing")
    await stage.end_stage(a_prepare_result())
    assert (phase(stage), stage.reason(), stage.reason("Stalled")) == ("Queued", "Queued", "")
    assert message(stage) == "Queue gpus has not admitted the Job yet."
    ready = stage.status.find_condition("Ready")
    assert ready
    assert ready.status == "True"


async def test_the_prepare_stage_waits_too_where_that_is_asked_for() -> None:
    stage = Stage()
    await stage.apply(scheduling={"queueName": "gpus", "queuePrepare": True})
    assert (phase(stage), stage.run.stage) == ("Queued", "Prepare")
    await admit(stage)
    assert phase(stage) == "Preparing"


async def test_no_deadline_bounds_the_wait_and_nothing_is_written_meanwhile() -> None:
    stage = await in_the_queue(Stage(), run={"startDeadlineSeconds": 10, "activeDeadlineSeconds": 60})
    before = list(stage.cluster.writes)
    await stage.wait(30 * 24 * 3600)
    prepared = stage.job_name.replace("train", "prepare")
    assert stage.cluster.writes == [*before, f"delete job {prepared}"]  # it has been in the status for long
    assert phase(stage) == "Queued"


async def test_the_wait_for_a_pod_counts_from_the_admission() -> None:
    stage = await in_the_queue(Stage(), run={"startDeadlineSeconds": 600})
    await stage.wait(3600)
    await admit(stage, began=False)
    await stage.wait(3600)  # the Job controller was away
    assert (phase(stage), stage.run.outcome) == ("Training", None)
    await admit(stage)
    await stage.wait(590)
    assert stage.run.outcome is None
    await stage.wait(20)
    assert stage.run.reason == "StartDeadlineExceeded"


async def test_a_whole_run_through_the_queue_ends_as_any_other() -> None:
    stage = await in_the_queue(Stage())
    await admit(stage)
    assert phase(stage) == "Training"
    await stage.end_stage(a_train_result())
    assert (phase(stage), stage.reason("ModelReady")) == ("Succeeded", "Succeeded")


async def test_suspending_takes_the_job_out_of_the_queue_and_resuming_puts_it_back() -> None:
    stage = await in_the_queue(Stage())
    stage.cluster.edit(NAMESPACE, "gull", suspend=True)
    await stage.settle()
    await stage.collect_garbage()
    assert (phase(stage), len(stage.cluster.names("jobs"))) == ("Suspended", 1)
    stage.cluster.edit(NAMESPACE, "gull", suspend=False)
    await stage.settle()
    assert (phase(stage), stage.reason()) == ("Queued", "Queued")


# ---- eviction


async def test_an_eviction_costs_no_attempt_and_is_reported() -> None:
    stage = await in_the_queue(Stage())
    await admit(stage)
    await run_pod(stage)
    await stage.wait(100)
    await evict(stage)
    assert (phase(stage), stage.reason(), stage.run.attempt) == ("Queued", "Evicted", 1)
    assert (stage.run.ran_seconds, stage.run.pods, stage.run.disruptions) == (100, 1, 0)  # the one that prepared
    await admit(stage)
    assert (phase(stage), stage.run.attempt) == ("Training", 1)


async def test_a_restart_knows_an_eviction_from_a_first_wait() -> None:
    stage = await in_the_queue(Stage())
    await admit(stage)
    await run_pod(stage)
    await evict(stage)
    stage.start_operator()
    await stage.settle()
    assert stage.reason() == "Evicted"


async def test_evictions_do_not_add_up_to_a_failure() -> None:
    stage = await in_the_queue(Stage())
    for _ in range(30):
        await admit(stage)
        await run_pod(stage)
        await stage.wait(10)
        await evict(stage)
    assert (stage.reason(), stage.run.outcome, stage.run.retries) == ("Evicted", None, 0)
    assert stage.run.ran_seconds == 300


async def test_time_before_evictions_counts_against_the_limit() -> None:
    stage = await in_the_queue(Stage(), run={"activeDeadlineSeconds": 60})
    for _ in range(2):
        await admit(stage)
        await run_pod(stage)
        await stage.wait(40)
        if stage.run.outcome is None:
            await evict(stage)
    assert stage.run.reason == "DeadlineExceeded"


async def test_a_job_that_somebody_else_suspended_is_reported() -> None:
    stage = Stage()
    await stage.apply()
    edit_job(stage, suspend=True)
    await stage.settle()
    assert phase(stage) == "Queued"
    assert "not by the operator" in message(stage)
    await admit(stage)
    assert phase(stage) == "Preparing"


# ---- limits of our own


async def test_a_run_in_kueues_queue_holds_no_slot_and_waits_for_none() -> None:
    stage = await in_the_queue(Stage(OperatorSettings(max_active_runs=1)))
    assert phase(stage) == "Queued"
    other = deepcopy(stage.cluster.objects["tweetbots", NAMESPACE, "gull"])
    other["metadata"] = {"name": "tern", "namespace": NAMESPACE, "uid": "uid-tern", "generation": 1}
    stage.cluster.put("tweetbots", {key: value for key, value in other.items() if key != "status"})
    await stage.settle()
    assert stage.cluster.status_of(NAMESPACE, "tern").phase == "Preparing"
    await admit(stage)
    assert phase(stage) == "Training"  # and the slot is still tern's
    await stage.fail_stage(75, encode(a_refusal_of_the_trainer("StorageUnavailable", "S3 does not answer")).decode())
    await stage.collect_garbage()
    await stage.wait(RETRY_SECONDS)
    assert (phase(stage), stage.reason()) == ("Queued", "Queued")
    before = "Last trouble: StorageUnavailable in attempt 1 at 2026-01-01T12:00:00Z: S3 does not answer."
    assert message(stage) == f"Queue gpus has not admitted the Job yet. {before}"


# ---- a webhook that is away


@pytest.mark.parametrize("fault", [AWAY, Timeout("POST /jobs: no answer in time")])
async def test_a_webhook_that_is_down_is_waited_for(fault: Exception) -> None:
    stage = Stage()
    stage.cluster.faults["create_job"] = [fault] * 20  # type: ignore[list-item]
    await stage.apply(**QUEUED)
    for _ in range(3):
        await stage.wait(5)
    assert (stage.reason(), stage.reason("Stalled")) == ("AdmissionUnavailable", "")
    assert phase(stage) == "Preparing"
    writes = len(stage.cluster.writes)
    while stage.cluster.faults["create_job"]:
        assert stage.reason() == "AdmissionUnavailable"
        await stage.wait(60)
    await stage.wait(60)
    assert stage.reason() == "Preparing"
    assert stage.cluster.writes[writes:] == [f"create job {stage.job_name}", "status gull Preparing"]


async def test_the_job_is_tried_again_within_a_minute_however_long_the_webhook_was_down() -> None:
    stage = Stage()
    stage.cluster.faults["create_job"] = [AWAY] * 10
    await stage.apply(**QUEUED)
    for _ in range(60):
        await stage.wait(10)
    stage.cluster.faults["create_job"] = []
    await stage.wait(60)
    assert stage.reason() == "Preparing"


async def test_our_end_of_a_connection_is_left_out_of_the_message() -> None:
    stage = Stage()
    stage.cluster.faults["create_job"] = [
        WebhookUnavailable(f"failed calling webhook: read tcp 127.0.0.1:{port}->127.0.0.1:9443: reset")
        for port in (1, 2)
    ]
    await stage.apply(**QUEUED)
    assert "read tcp 127.0.0.1:9443: reset" in message(stage)


# ---- Kueue's own words


async def test_kueues_message_is_reported_where_the_operator_may_read_it() -> None:
    stage = Stage(ASKING)
    await stage.apply(**QUEUED)
    stage.cluster.queue_words[stage.job_name.replace("prepare", "train")] = "LocalQueue gpus doesn't exist"
    await stage.end_stage(a_prepare_result())
    assert message(stage) == (
        "Queue gpus has not admitted the Job yet: LocalQueue gpus doesn't exist. Create the LocalQueue gpus in the "
        "namespace, or correct spec.scheduling.queueName."
    )
    stage.cluster.queue_words[stage.job_name] = "insufficient unused quota"
    await stage.wait(29)
    assert "doesn't exist" in message(stage)
    await stage.wait(1)
    assert message(stage) == "Queue gpus has not admitted the Job yet: insufficient unused quota."
    await admit(stage)
    assert message(stage) == "Fine-tuning the model."


async def test_a_queue_in_a_cluster_without_kueue_needs_a_person_until_there_is_one() -> None:
    stage = Stage()
    stage.cluster.has_kueue = False
    await stage.apply(**QUEUED)
    await stage.end_stage(a_prepare_result())
    assert (phase(stage), stage.reason("Stalled"), stage.reason("Ready")) == (
        "Queued",
        "KueueNotFound",
        "KueueNotFound",
    )
    assert "Remove spec.scheduling.queueName" in message(stage)
    told = [event for event in stage.cluster.events if event["reason"] == "KueueNotFound"]
    assert [event["type"] for event in told] == ["Warning"]
    stage.cluster.has_kueue = True
    await stage.wait(30)
    assert (stage.reason(), stage.reason("Stalled")) == ("Queued", "")


def a_workload(created: str = "2026-01-01T12:00:00Z", **conditions: tuple[str, str]) -> dict[str, Any]:
    told = [{"type": type_, "status": status, "message": words} for type_, (status, words) in conditions.items()]
    return {"metadata": {"creationTimestamp": created}, "status": {"conditions": told}}


@pytest.mark.parametrize(
    ("workloads", "cause"),
    [
        ([], ""),
        ([{"metadata": {"creationTimestamp": "2026-01-01T12:00:00Z"}}], ""),
        ([a_workload(QuotaReserved=("False", "no quota"))], "no quota"),
        ([a_workload(QuotaReserved=("True", "reserved"))], ""),
        ([a_workload(QuotaReserved=("False", ""), Evicted=("True", "preempted"))], "preempted"),
        ([a_workload(Evicted=("False", "preempted"))], ""),
        (
            [
                a_workload("2026-01-01T12:00:01Z", QuotaReserved=("False", "new")),
                a_workload(QuotaReserved=("False", "old")),
            ],
            "new",
        ),
    ],
)
def test_a_workload_says_why_it_waits(workloads: list[dict[str, Any]], cause: str) -> None:
    assert find_workload_message(workloads) == cause


def test_a_job_says_where_it_waits_and_whether_it_ever_began() -> None:
    metadata = {"namespace": "a", "name": "j", "uid": "u", "resourceVersion": "1"}
    metadata |= {"creationTimestamp": "2026-01-01T12:00:00Z", "generation": 1}  # type: ignore[dict-item]
    labels = {"kueue.x-k8s.io/queue-name": "gpus"}
    job = parse_job({"metadata": {**metadata, "labels": labels}, "spec": {"suspend": True}})
    assert (job.queue, job.suspended, job.spec_edited, job.started_at) == ("gpus", True, False, None)
    job = parse_job({"metadata": {**metadata, "generation": 3}, "status": {"startTime": "2026-01-01T12:00:05Z"}})
    assert (job.queue, job.suspended, job.spec_edited, job.started_at is None) == ("", False, True, False)
