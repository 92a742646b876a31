"""Whole runs on a cluster in memory: what is written, in which order, and nothing when nothing changes."""

from copy import deepcopy

import pytest

from builders.manifests import a_manifest
from builders.operator import a_bot, a_prepare_result, a_refusal_of_the_trainer, a_run, a_train_result
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.handover import MANAGED_BY
from tweetbot_contract.result import encode
from tweetbot_fakes.kubernetes.cluster import a_foreign_job
from tweetbot_operator.client.errors import AlreadyExists, InternalError, NotFound, Rejected, Unavailable
from tweetbot_operator.reconciler.reconciler import Result
from tweetbot_operator.types.objects import Key

MISSING_SECRET = 'MountVolume.SetUp failed for volume "secrets" : secret "s3" not found'


@pytest.fixture
def stage() -> Stage:
    return Stage()


class Killed(Exception):
    """The operator's process is no more."""


# ---- a run


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


async def test_both_jobs_go_an_hour_after_the_end(stage: Stage) -> None:
    await stage.apply()
    await stage.whole_run()
    before = len(stage.cluster.writes)
    await stage.wait(3600)
    assert [write.split()[0] for write in stage.cluster.writes[before:]] == ["delete", "delete"]
    await stage.collect_garbage()
    assert stage.cluster.names("jobs") == []


async def test_the_prepare_job_goes_while_the_train_job_runs_and_no_status_is_written_for_it(stage: Stage) -> None:
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


async def test_people_hear_of_each_step_once(stage: Stage) -> None:
    await stage.apply()
    await stage.whole_run()
    assert [event["reason"] for event in stage.cluster.events] == ["Preparing", "Training", "Succeeded"]


async def test_events_that_cannot_be_written_hold_up_nothing_and_are_told_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.cluster.faults["create_event"] = [Rejected("no events here")] * 9
    await stage.apply()
    await stage.whole_run()
    assert stage.status.phase == "Succeeded"
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == ["Events are refused"]


# ---- killed at each write


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


# ---- answers that are lost, late or refused


async def test_a_creation_whose_answer_was_lost_is_found_to_be_ours(stage: Stage) -> None:
    def lose(write: str) -> None:
        if write.startswith("create job"):
            stage.cluster.after_write = lambda write: None
            raise Unavailable("connection reset")

    stage.cluster.after_write = lose
    stage.cluster.event_handler = None
    stage.event_handler.put(bot_in(stage))
    await stage.settle()
    await stage.wait(2)
    assert stage.reason() == "Preparing"
    assert sum(write.startswith("create") for write in stage.cluster.writes) == 1


def bot_in(stage: Stage):  # type: ignore[no-untyped-def]
    stage.cluster.put("tweetbots", a_manifest())
    return stage.cluster.objects_of("tweetbots")[0]


async def test_a_status_planned_from_an_older_object_is_planned_again(stage: Stage) -> None:
    await stage.apply()
    stage.cluster.event_handler = None  # the watch is cut: the operator does not see the edit
    stage.cluster.edit(NAMESPACE, NAME, filter={"minWords": 7})
    job = stage.job_name
    stage.cluster.end_pod(job, NAMESPACE, 0, encode(a_prepare_result()).decode())
    stage.cluster.end_job(job, NAMESPACE, "Complete")
    stage.event_handler.put(stage.cluster.objects_of("jobs")[0])
    await stage.settle()
    assert stage.status.observed_generation == 2
    assert stage.run.number == 2


async def test_an_api_server_that_is_away_is_asked_again_with_growing_pauses(stage: Stage) -> None:
    stage.cluster.faults["apply_status"] = [Unavailable("503")] * 3
    await stage.apply()
    for seconds in (1, 2, 4):
        assert stage.cluster.writes == []
        await stage.wait(seconds)
    assert stage.reason() == "Preparing"


async def test_a_bot_that_was_deleted_unseen_is_forgotten(stage: Stage) -> None:
    stage.cluster.event_handler = None
    stage.event_handler.put(bot_in(stage))
    stage.cluster.remove("tweetbots", NAMESPACE, NAME)
    await stage.settle()
    assert stage.cluster.writes == []
    assert len(stage.cache.bots) == 0


async def test_a_bot_that_is_being_deleted_is_left_alone(stage: Stage) -> None:
    manifest = a_manifest()
    manifest["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z"
    stage.cluster.put("tweetbots", manifest)
    await stage.settle()
    assert stage.cluster.writes == []


async def test_a_strangers_job_is_told_of_and_never_touched(stage: Stage) -> None:
    name = a_run(a_bot()).job_name or ""
    stranger = stage.cluster.put("jobs", a_foreign_job(NAMESPACE, name))
    await stage.apply()
    assert (stage.reason("Stalled"), stage.status.phase) == ("NameConflict", "Preparing")
    assert stage.cluster.objects["jobs", NAMESPACE, name] == stranger
    stage.cluster.remove("jobs", NAMESPACE, stage.job_name)
    await stage.wait(2)
    assert (stage.reason("Stalled"), stage.reason()) == ("", "Preparing")


async def test_a_job_of_another_controller_is_a_strangers_whatever_its_labels_say(stage: Stage) -> None:
    name = a_run(a_bot()).job_name or ""
    stranger = a_foreign_job(NAMESPACE, name)
    stranger["metadata"]["ownerReferences"] = [{"kind": "TweetBot", "name": "tern", "uid": "other", "controller": True}]
    stage.cluster.put("jobs", stranger)
    await stage.apply()
    assert stage.reason("Stalled") == "NameConflict"


async def test_what_claims_the_tweetbot_from_another_namespace_is_nothing_of_it(stage: Stage) -> None:
    """A uid is no secret: another tenant may forge a Job of that name, controller and labels, and a result."""
    await stage.apply()
    forged = deepcopy(stage.cluster.objects["jobs", NAMESPACE, stage.job_name])
    forged["metadata"] |= {"namespace": "team-b", "uid": "forged"}
    stage.cluster.put("jobs", forged)
    stage.cluster.end_pod(stage.job_name, "team-b", 0, encode(a_prepare_result()).decode())
    stage.cluster.end_job(stage.job_name, "team-b", "Complete")
    stage.cluster.remove("jobs", NAMESPACE, stage.job_name)
    await stage.settle()
    assert (stage.reason(), stage.run.dataset) == ("Preparing", None)
    stage.cluster.run_pod(stage.job_name, "team-b")
    await stage.whole_run()
    assert stage.status.phase == "Succeeded"


async def test_a_job_that_hides_from_the_watch_is_made_anew(stage: Stage) -> None:
    """Whoever takes its label away makes the watch call it gone, while its name is still taken and its Pod may run."""
    await stage.apply()
    (hidden,) = stage.cluster.names("jobs")
    stage.cluster.run_pod(hidden, NAMESPACE)
    stage.cluster.label("jobs", hidden, NAMESPACE, "somebody else")
    await stage.settle()
    assert (stage.reason(), stage.cluster.names("jobs")) == ("WaitingForPreviousPod", [hidden])
    stage.cluster.remove("pods", NAMESPACE, f"{hidden}-0")
    await stage.settle()
    assert (stage.reason(), stage.reason("Stalled")) == ("JobEdited", "")
    assert stage.cluster.writes.count(f"delete job {hidden}") == 1
    await stage.wait(2)
    assert stage.cluster.writes.count(f"delete job {hidden}") == 1
    await stage.collect_garbage()
    await stage.wait(4)
    assert (stage.reason(), stage.run.number) == ("Preparing", 1)
    await stage.whole_run()
    assert stage.status.phase == "Succeeded"


async def test_a_pod_that_has_its_label_again_is_seen_again(stage: Stage) -> None:
    await stage.apply()
    running = {"name": "trainer", "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}
    stage.cluster.run_pod(stage.job_name, NAMESPACE, containerStatuses=[running])
    (pod,) = stage.cluster.names("pods")
    for label in ("somebody else", MANAGED_BY):
        stage.cluster.label("pods", pod, NAMESPACE, label)
        await stage.wait(400)
    await stage.wait(400)
    assert (stage.run.outcome, stage.reason()) == (None, "Preparing")


async def test_a_job_beyond_the_quota_is_told_of_and_tried_again(stage: Stage) -> None:
    stage.cluster.faults["create_job"] = [Rejected("exceeded quota: gpus")] * 2
    await stage.apply()
    stalled = stage.status.find_condition("Stalled")
    assert stalled is not None
    assert (stalled.reason, "exceeded quota: gpus" in stalled.message) == ("JobRefused", True)
    await stage.wait(2)
    await stage.wait(4)
    assert (stage.reason("Stalled"), stage.reason()) == ("", "Preparing")


async def test_a_name_that_is_free_again_is_simply_tried_again(stage: Stage) -> None:
    stage.cluster.faults["create_job"] = [AlreadyExists("it was there a moment ago")]
    await stage.apply()
    assert stage.reason() == "Preparing"
    assert len(stage.cluster.names("jobs")) == 1


# ---- edits in the middle


async def test_an_edit_in_the_middle_ends_the_old_job_before_the_new_one_begins(stage: Stage) -> None:
    await stage.apply()
    old = stage.job_name
    stage.cluster.run_pod(old, NAMESPACE)
    stage.cluster.edit(NAMESPACE, NAME, filter={"minWords": 7})
    await stage.settle()
    assert (stage.cluster.names("jobs"), stage.reason()) == ([old], "WaitingForPreviousPod")
    await stage.collect_garbage()
    assert (stage.cluster.names("jobs"), stage.reason()) == ([stage.job_name], "Preparing")
    assert "Superseded" in [event["reason"] for event in stage.cluster.events]


async def test_going_back_to_what_was_trained_before_moves_the_pointer_by_jobs_of_its_own(stage: Stage) -> None:
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


async def test_an_edit_of_the_memory_makes_the_job_anew(stage: Stage) -> None:
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


async def test_retrain_at_runs_once_more_and_its_removal_does_not(stage: Stage) -> None:
    await stage.apply()
    await stage.whole_run()
    stage.cluster.annotate(NAMESPACE, NAME, {"tweetbot.dev/retrain-at": "2026-01-02"})
    await stage.settle()
    await stage.whole_run()
    stage.cluster.annotate(NAMESPACE, NAME, {})
    await stage.settle()
    assert (stage.run.number, stage.status.phase) == (2, "Succeeded")
    assert stage.status.last_handled_retrain_at == "2026-01-02"


# ---- failures


async def test_a_permanent_failure_ends_the_run_once_in_its_own_reason(stage: Stage) -> None:
    await stage.apply()
    await stage.fail_stage(11, encode(a_refusal_of_the_trainer()).decode())
    before = list(stage.cluster.writes)
    await stage.wait(3600)
    assert (stage.reason("Stalled"), stage.status.phase) == ("BucketNotFound", "Failed")
    assert "tweetbot.dev/retrain-at" in (stage.run.message or "")
    assert stage.cluster.writes == before


async def test_a_temporary_failure_makes_the_job_again_after_its_pause(stage: Stage) -> None:
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


async def test_a_lost_result_is_asked_for_again(stage: Stage) -> None:
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


async def test_a_missing_secret_is_told_and_heals_unaided(stage: Stage) -> None:
    await stage.apply()
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T12:00:00Z"}
    stage.cluster.run_pod(stage.job_name, NAMESPACE, phase="Pending", conditions=[scheduled])
    pod = stage.cluster.names("pods")[0]
    stage.cluster.mount_failures[pod] = (MISSING_SECRET,)
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
    listing = stage.cluster.list_mount_failures

    async def counted(pod):  # type: ignore[no-untyped-def]
        asked.append(int((stage.time - stage.time.replace(minute=0, second=0)).total_seconds()))
        return await listing(pod)

    stage.cluster.list_mount_failures = counted  # type: ignore[method-assign]
    for _ in range(300):
        await stage.wait(1)
    assert asked == [30, 60, 120, 240]


async def test_one_bots_missing_object_is_no_fault_of_the_pass(stage: Stage) -> None:
    stage.cluster.faults["create_job"] = [NotFound("namespaces team-a not found")]
    await stage.apply()
    assert stage.reason() == "Preparing"


# ---- the same 500 again and again


async def test_a_job_that_the_server_fails_at_three_times_is_told_and_tried_again(stage: Stage) -> None:
    fault = "failed calling webhook: connection refused"
    stage.cluster.faults["create_job"] = [InternalError(fault) for _ in range(3)]
    await stage.apply()
    for pause in (1, 2):
        assert stage.reason() == "Preparing"
        await stage.wait(pause)
    assert (stage.reason(), fault in message(stage)) == ("JobRefused", True)
    await stage.wait(5)
    assert (stage.reason(), len(stage.cluster.names("jobs"))) == ("Preparing", 1)


async def test_faults_of_other_words_are_other_faults(stage: Stage) -> None:
    stage.cluster.faults["create_job"] = [InternalError(str(number)) for number in range(4)]
    await stage.apply()
    for _ in range(10):
        await stage.wait(5)
        assert stage.reason() == "Preparing"
    assert len(stage.cluster.names("jobs")) == 1


def message(stage: Stage) -> str:
    found = stage.status.find_condition("Progressing")
    return found.message if found else ""


# ---- deletions that meet another state than was known


async def suspended_unseen(stage: Stage) -> None:
    """Show the operator a suspension, and nothing else of what happens from here."""
    stage.cluster.event_handler = None
    stage.cluster.edit(NAMESPACE, NAME, suspend=True)
    stage.event_handler.put(stage.cluster.objects_of("tweetbots")[0])
    await stage.settle()


async def test_a_job_that_changed_unseen_is_read_again_and_then_deleted(stage: Stage) -> None:
    await stage.apply()
    name = stage.job_name
    stage.cluster.event_handler = None
    stage.cluster.put("jobs", stage.cluster.objects["jobs", NAMESPACE, name])
    await suspended_unseen(stage)
    assert stage.cluster.writes[-2:] == [f"delete job {name}", "status gull Suspended"]


async def test_a_job_that_ended_unseen_is_not_deleted_before_its_result_is_read(stage: Stage) -> None:
    await stage.apply()
    name = stage.job_name
    stage.cluster.event_handler = None
    stage.cluster.end_pod(name, NAMESPACE, 0, encode(a_prepare_result()).decode())
    stage.cluster.end_job(name, NAMESPACE, "Complete")
    await suspended_unseen(stage)
    assert (stage.run.stage, stage.status.phase) == ("Train", "Suspended")
    assert [write for write in stage.cluster.writes if write.startswith("delete")] == []


async def test_a_job_that_went_unseen_is_forgotten(stage: Stage) -> None:
    await stage.apply()
    stage.cluster.event_handler = None
    stage.cluster.remove("jobs", NAMESPACE, stage.job_name)
    await suspended_unseen(stage)
    assert len(stage.cache.jobs) == 0
    assert stage.status.phase == "Suspended"


async def test_a_job_that_was_made_anew_unseen_is_not_taken_for_the_old_one(stage: Stage) -> None:
    await stage.apply()
    name = stage.job_name
    found = stage.cluster.objects["jobs", NAMESPACE, name]
    stage.cluster.event_handler = None
    stage.cluster.put("jobs", {**found, "metadata": {**found["metadata"], "uid": "another"}})
    await suspended_unseen(stage)
    assert [job.uid for job in stage.cache.jobs.list_all()] == ["another"]
    assert stage.cluster.writes[-1] == "status gull Suspended"


async def test_a_bot_that_was_made_anew_unseen_is_a_new_bot(stage: Stage) -> None:
    await stage.apply()
    stage.cluster.event_handler = None
    anew = a_manifest()
    anew["metadata"]["uid"] = "uid-anew"
    stage.cluster.put("tweetbots", anew)
    job = stage.cluster.objects_of("jobs")[0]
    stage.cluster.end_job(stage.cluster.names("jobs")[0], NAMESPACE, "Failed", reason="DeadlineExceeded")
    stage.event_handler.put(stage.cluster.objects_of("jobs")[0])
    await stage.settle()
    assert [bot.uid for bot in stage.cache.bots.list_all()] == ["uid-anew"]
    assert job.uid not in [known.uid for known in stage.cache.jobs.list_by_index((NAMESPACE, "uid-anew"))]


async def test_a_bot_that_is_made_anew_at_once_waits_for_the_garbage_collector_and_calls_nobody(stage: Stage) -> None:
    await stage.apply()
    (former,) = stage.cluster.names("jobs")
    stage.cluster.remove("tweetbots", NAMESPACE, NAME)
    anew = a_manifest()
    anew["metadata"]["uid"] = "uid-anew"
    stage.cluster.put("tweetbots", anew)
    await stage.settle()
    assert (stage.reason(), stage.reason("Stalled")) == ("WaitingForPreviousPod", "")
    stage.cluster.remove("jobs", NAMESPACE, former)
    await stage.wait(2)
    assert (stage.reason(), stage.cluster.writes.count(f"create job {former}")) == ("Preparing", 2)


async def test_the_news_of_its_own_writes_makes_no_further_pass() -> None:
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
