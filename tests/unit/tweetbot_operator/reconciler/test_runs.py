"""Whole runs on a cluster in memory: what is written, in which order, and nothing when nothing changes."""

import pytest

from builders.operator import a_prepare_result, a_refusal_of_the_trainer, a_train_result
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.result import encode
from tweetbot_operator.client.errors import Rejected
from tweetbot_operator.reconciler.reconciler import Result
from tweetbot_operator.types.objects import Key

MISSING_SECRET = 'MountVolume.SetUp failed for volume "secrets" : secret "s3" not found'


async def test_a_run_takes_three_statuses_and_two_jobs(stage: Stage) -> None:
    await stage.apply()
    await stage.whole_run()
    jobs = stage.cluster.names("jobs")
    assert stage.cluster.writes == [
        "status gull Preparing",
        f"create job {jobs[0]}",
        "status gull Training",
        f"create job {jobs[1]}",
        "status gull Succeeded",
    ]


async def test_both_jobs_are_deleted_an_hour_after_the_end(stage: Stage) -> None:
    await stage.apply()
    await stage.whole_run()
    before = len(stage.cluster.writes)
    await stage.wait(3600)
    assert [write.split()[0] for write in stage.cluster.writes[before:]] == ["delete", "delete"]
    await stage.collect_garbage()
    assert stage.cluster.names("jobs") == []


async def test_the_prepare_job_is_deleted_during_training_without_a_status_write(stage: Stage) -> None:
    await stage.apply()
    await stage.end_stage(a_prepare_result())
    prepare, train = stage.cluster.names("jobs")
    running = {"name": "trainer", "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}
    stage.cluster.run_pod(train, NAMESPACE, containerStatuses=[running])
    await stage.settle()
    before = len(stage.cluster.writes)
    await stage.wait(3600)
    assert stage.cluster.writes[before:] == [f"delete job {prepare}"]
    await stage.collect_garbage()
    assert stage.cluster.writes[before:] == [f"delete job {prepare}"]


async def test_nothing_is_written_when_nothing_changes(stage: Stage) -> None:
    await stage.apply()
    await stage.end_stage(a_prepare_result())
    before = list(stage.cluster.writes)
    for _ in range(3):
        stage.queue.add((NAMESPACE, NAME))
        await stage.settle()
    stage.start_operator()
    await stage.settle()
    assert stage.cluster.writes == before


async def test_nothing_is_written_for_a_finished_run_after_a_restart_and_a_week(stage: Stage) -> None:
    await stage.apply()
    await stage.whole_run()
    await stage.wait(3600)
    await stage.collect_garbage()
    before = list(stage.cluster.writes)
    stage.start_operator()
    await stage.wait(604800)
    assert stage.cluster.writes == before


async def test_an_adopted_model_needs_no_train_job(stage: Stage) -> None:
    await stage.apply()
    await stage.end_stage(a_prepare_result(adopted=a_train_result()))
    assert stage.reason("ModelReady") == "Adopted"
    assert len(stage.cluster.names("jobs")) == 1


async def test_each_step_posts_one_event(stage: Stage) -> None:
    await stage.apply()
    await stage.whole_run()
    assert [event["reason"] for event in stage.cluster.events] == ["Preparing", "Training", "Succeeded"]


async def test_refused_events_block_nothing_and_are_logged_once(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.cluster.faults["create_event"] = [Rejected("no events here")] * 9
    await stage.apply()
    await stage.whole_run()
    assert stage.status.phase == "Succeeded"
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == ["Events are refused"]


async def test_an_edit_during_a_run_ends_the_old_job_before_the_new_one_begins(stage: Stage) -> None:
    await stage.apply()
    old = stage.job_name
    stage.cluster.run_pod(old, NAMESPACE)
    stage.cluster.edit(NAMESPACE, NAME, filter={"minWords": 7})
    await stage.settle()
    assert (stage.cluster.names("jobs"), stage.reason()) == ([old], "WaitingForPreviousPod")
    await stage.collect_garbage()
    assert (stage.cluster.names("jobs"), stage.reason()) == ([stage.job_name], "Preparing")
    assert "Superseded" in [event["reason"] for event in stage.cluster.events]


async def test_going_back_to_a_former_spec_runs_jobs_of_its_own(stage: Stage) -> None:
    await stage.apply()
    await stage.whole_run()
    first = stage.run.id
    await stage.wait(60)
    stage.cluster.edit(NAMESPACE, NAME, filter={"minWords": 7})
    await stage.settle()
    await stage.whole_run()
    await stage.wait(60)
    stage.cluster.edit(NAMESPACE, NAME, filter={})
    await stage.settle()
    assert stage.reason() == "WaitingForPreviousPod"
    await stage.collect_garbage()
    assert (stage.run.id, stage.run.number, stage.status.phase) == (first, 3, "Preparing")
    assert stage.cluster.writes.count(f"create job {stage.job_name}") == 2
    await stage.end_stage(a_prepare_result(adopted=a_train_result()))
    assert (stage.status.phase, stage.reason()) == ("Succeeded", "Adopted")


async def test_an_edit_of_the_memory_replaces_the_job(stage: Stage) -> None:
    await stage.apply()
    stage.cluster.edit(NAMESPACE, NAME, resources={"memory": "32Gi"})
    await stage.settle()
    await stage.collect_garbage()
    assert [write.split()[0] for write in stage.cluster.writes if "job" in write] == ["create", "delete", "create"]
    assert stage.run.number == 1


async def test_suspending_and_resuming_goes_on_with_the_same_run(stage: Stage) -> None:
    await stage.apply()
    stage.cluster.edit(NAMESPACE, NAME, suspend=True)
    await stage.settle()
    await stage.collect_garbage()
    assert (stage.cluster.names("jobs"), stage.status.phase) == ([], "Suspended")
    stage.cluster.edit(NAMESPACE, NAME, suspend=False)
    await stage.settle()
    assert (stage.cluster.names("jobs"), stage.status.phase) == ([stage.job_name], "Preparing")
    assert stage.run.number == 1


async def test_retrain_at_starts_one_run_and_its_removal_none(stage: Stage) -> None:
    await stage.apply()
    await stage.whole_run()
    stage.cluster.annotate(NAMESPACE, NAME, {"tweetbot.dev/retrain-at": "2026-01-02"})
    await stage.settle()
    await stage.whole_run()
    stage.cluster.annotate(NAMESPACE, NAME, {})
    await stage.settle()
    assert (stage.run.number, stage.status.phase) == (2, "Succeeded")
    assert stage.status.last_handled_retrain_at == "2026-01-02"


async def test_a_permanent_failure_ends_the_run_once_with_its_own_reason(stage: Stage) -> None:
    await stage.apply()
    await stage.fail_stage(11, encode(a_refusal_of_the_trainer()).decode())
    before = list(stage.cluster.writes)
    await stage.wait(3600)
    assert (stage.reason("Stalled"), stage.status.phase) == ("BucketNotFound", "Failed")
    assert "tweetbot.dev/retrain-at" in (stage.run.message or "")
    assert stage.cluster.writes == before


async def test_a_temporary_failure_creates_the_job_again_after_a_pause(stage: Stage) -> None:
    await stage.apply()
    name = stage.job_name
    await stage.fail_stage(75, encode(a_refusal_of_the_trainer("StorageUnavailable", "S3 is away")).decode())
    assert stage.reason() == "RetryBackoff"
    await stage.collect_garbage()
    await stage.wait(299)
    assert stage.cluster.names("jobs") == []
    await stage.wait(1)
    assert (stage.cluster.names("jobs"), stage.reason()) == ([name], "Preparing")
    assert (stage.run.retries, stage.run.retry_at) == (1, None)


async def test_a_lost_result_runs_the_stage_again(stage: Stage) -> None:
    await stage.apply()
    stage.cluster.end_job(stage.job_name, NAMESPACE, "Complete")
    await stage.settle()
    assert stage.reason() == "ResultLost"
    await stage.collect_garbage()
    assert (stage.cluster.names("jobs"), stage.reason()) == ([stage.job_name], "Preparing")


async def test_a_result_that_the_watch_did_not_bring_is_fetched(stage: Stage) -> None:
    await stage.apply()
    job = stage.job_name
    stage.cluster.event_handler = None
    stage.cluster.end_pod(job, NAMESPACE, 0, encode(a_prepare_result()).decode())
    stage.cluster.end_job(job, NAMESPACE, "Complete")
    stage.event_handler.put(stage.cluster.objects_of("jobs")[0])
    await stage.settle()
    assert stage.reason() == "Training"


async def test_a_missing_secret_is_reported_and_its_creation_heals_the_run(stage: Stage) -> None:
    await stage.apply()
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T12:00:00Z"}
    stage.cluster.run_pod(stage.job_name, NAMESPACE, phase="Pending", conditions=[scheduled])
    pod = stage.cluster.names("pods")[0]
    stage.cluster.start_failures[pod] = (MISSING_SECRET,)
    await stage.wait(30)
    assert (stage.reason(), stage.reason("Stalled")) == ("SecretNotFound", "")
    await stage.wait(90)
    assert stage.reason("Stalled") == "SecretNotFound"
    running = {"name": "trainer", "state": {"running": {"startedAt": "2026-01-01T12:02:01Z"}}}
    found = stage.cluster.objects["pods", NAMESPACE, pod]
    stage.cluster.put("pods", {**found, "status": {"phase": "Running", "containerStatuses": [running]}})
    await stage.settle()
    assert (stage.reason(), stage.reason("Stalled"), len(stage.cluster.names("jobs"))) == ("Preparing", "", 1)


async def test_a_pods_events_are_read_once_and_then_with_growing_pauses(stage: Stage) -> None:
    await stage.apply()
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T12:00:00Z"}
    stage.cluster.run_pod(stage.job_name, NAMESPACE, phase="Pending", conditions=[scheduled])
    asked: list[int] = []
    listing = stage.cluster.list_start_failures

    async def counted(pod):  # type: ignore[no-untyped-def]
        asked.append(int((stage.time - stage.time.replace(minute=0, second=0)).total_seconds()))
        return await listing(pod)

    stage.cluster.list_start_failures = counted  # type: ignore[method-assign]
    for _ in range(300):
        await stage.wait(1)
    assert asked == [20, 50, 110, 230]


async def test_events_of_its_own_writes_cause_no_further_pass() -> None:
    stage = Stage()
    passes = []
    reconcile = stage.reconciler.reconcile

    async def counted(key: Key) -> Result:
        passes.append(key)
        return await reconcile(key)

    stage.reconciler.reconcile = counted  # type: ignore[method-assign]
    await stage.apply()
    assert stage.cluster.writes == ["status gull Preparing", f"create job {stage.job_name}"]
    assert len(passes) == 1
