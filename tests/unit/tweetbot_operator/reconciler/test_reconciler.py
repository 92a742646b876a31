"""Passes that meet lost answers, refusals, foreign Jobs, and changes that no watch has shown."""

from copy import deepcopy
from typing import Any

from builders.manifests import a_manifest
from builders.operator import a_bot, a_prepare_result, a_run
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.handover import BOT_LABEL, BOT_UID_LABEL, MANAGED_BY
from tweetbot_contract.result import encode
from tweetbot_operator.client.errors import AlreadyExists, InternalError, NotFound, Rejected, Unavailable


async def test_a_job_whose_creation_got_no_answer_is_taken_over(stage: Stage) -> None:
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


async def test_an_api_server_that_is_down_is_retried_with_backoff(stage: Stage) -> None:
    stage.cluster.faults["apply_status"] = [Unavailable("503")] * 3
    await stage.apply()
    for seconds in (1, 2, 4):
        assert stage.cluster.writes == []
        await stage.wait(seconds)
    assert stage.reason() == "Preparing"


async def test_a_bot_whose_deletion_was_missed_is_forgotten(stage: Stage) -> None:
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


def a_foreign_job(namespace: str, name: str) -> dict[str, Any]:
    """Return a Job that somebody else made, with our labels on it for good measure."""
    return {
        "metadata": {"namespace": namespace, "name": name, "labels": {BOT_LABEL: "gull", BOT_UID_LABEL: "uid-gull"}}
    }


async def test_a_foreign_job_is_reported_and_never_touched(stage: Stage) -> None:
    name = a_run(a_bot()).job_name or ""
    stranger = stage.cluster.put("jobs", a_foreign_job(NAMESPACE, name))
    await stage.apply()
    assert (stage.reason("Stalled"), stage.status.phase) == ("NameConflict", "Preparing")
    assert stage.cluster.objects["jobs", NAMESPACE, name] == stranger
    stage.cluster.remove("jobs", NAMESPACE, stage.job_name)
    await stage.wait(2)
    assert (stage.reason("Stalled"), stage.reason()) == ("", "Preparing")


async def test_a_job_of_another_controller_is_foreign_whatever_its_labels_say(stage: Stage) -> None:
    name = a_run(a_bot()).job_name or ""
    stranger = a_foreign_job(NAMESPACE, name)
    stranger["metadata"]["ownerReferences"] = [{"kind": "TweetBot", "name": "tern", "uid": "other", "controller": True}]
    stage.cluster.put("jobs", stranger)
    await stage.apply()
    assert stage.reason("Stalled") == "NameConflict"


async def test_jobs_of_another_namespace_that_name_the_tweetbot_are_ignored(stage: Stage) -> None:
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


async def test_a_pod_that_gets_its_label_back_is_seen_again(stage: Stage) -> None:
    await stage.apply()
    running = {"name": "trainer", "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}
    stage.cluster.run_pod(stage.job_name, NAMESPACE, containerStatuses=[running])
    (pod,) = stage.cluster.names("pods")
    for label in ("somebody else", MANAGED_BY):
        stage.label("pods", pod, label)
        await stage.wait(400)
    await stage.wait(400)
    assert (stage.run.outcome, stage.reason()) == (None, "Preparing")


async def test_a_job_beyond_the_quota_is_reported_and_tried_again(stage: Stage) -> None:
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


async def test_a_missing_object_does_not_fail_the_pass(stage: Stage) -> None:
    stage.cluster.faults["create_job"] = [NotFound("namespaces team-a not found")]
    await stage.apply()
    assert stage.reason() == "Preparing"


async def test_three_equal_server_errors_are_reported_and_the_job_is_tried_again(stage: Stage) -> None:
    fault = "failed calling webhook: connection refused"
    stage.cluster.faults["create_job"] = [InternalError(fault) for _ in range(3)]
    await stage.apply()
    for pause in (1, 2):
        assert stage.reason() == "Preparing"
        await stage.wait(pause)
    assert (stage.reason(), fault in message(stage)) == ("JobRefused", True)
    await stage.wait(5)
    assert (stage.reason(), len(stage.cluster.names("jobs"))) == ("Preparing", 1)


async def test_different_server_errors_are_counted_apart(stage: Stage) -> None:
    stage.cluster.faults["create_job"] = [InternalError(str(number)) for number in range(4)]
    await stage.apply()
    for _ in range(10):
        await stage.wait(5)
        assert stage.reason() == "Preparing"
    assert len(stage.cluster.names("jobs")) == 1


def message(stage: Stage) -> str:
    found = stage.status.find_condition("Progressing")
    return found.message if found else ""


async def suspended_unseen(stage: Stage) -> None:
    """Show the operator a suspension, and nothing else of what happens from here."""
    stage.cluster.event_handler = None
    stage.cluster.edit(NAMESPACE, NAME, suspend=True)
    stage.event_handler.put(stage.cluster.objects_of("tweetbots")[0])
    await stage.settle()


async def test_a_job_that_changed_is_read_again_and_then_deleted(stage: Stage) -> None:
    await stage.apply()
    name = stage.job_name
    stage.cluster.event_handler = None
    stage.cluster.put("jobs", stage.cluster.objects["jobs", NAMESPACE, name])
    await suspended_unseen(stage)
    assert stage.cluster.writes[-2:] == [f"delete job {name}", "status gull Suspended"]


async def test_a_job_whose_end_was_missed_is_not_deleted_before_its_result_is_read(stage: Stage) -> None:
    await stage.apply()
    name = stage.job_name
    stage.cluster.event_handler = None
    stage.cluster.end_pod(name, NAMESPACE, 0, encode(a_prepare_result()).decode())
    stage.cluster.end_job(name, NAMESPACE, "Complete")
    await suspended_unseen(stage)
    assert (stage.run.stage, stage.status.phase) == ("Train", "Suspended")
    assert [write for write in stage.cluster.writes if write.startswith("delete")] == []


async def test_a_job_whose_deletion_was_missed_is_forgotten(stage: Stage) -> None:
    await stage.apply()
    stage.cluster.event_handler = None
    stage.cluster.remove("jobs", NAMESPACE, stage.job_name)
    await suspended_unseen(stage)
    assert len(stage.cache.jobs) == 0
    assert stage.status.phase == "Suspended"


async def test_a_recreated_job_is_not_taken_for_the_old_one(stage: Stage) -> None:
    await stage.apply()
    name = stage.job_name
    found = stage.cluster.objects["jobs", NAMESPACE, name]
    stage.cluster.event_handler = None
    stage.cluster.put("jobs", {**found, "metadata": {**found["metadata"], "uid": "another"}})
    await suspended_unseen(stage)
    assert [job.uid for job in stage.cache.jobs.list_all()] == ["another"]
    assert stage.cluster.writes[-1] == "status gull Suspended"


async def test_a_recreated_bot_is_a_new_bot(stage: Stage) -> None:
    await stage.apply()
    stage.cluster.event_handler = None
    recreated = a_manifest()
    recreated["metadata"]["uid"] = "uid-recreated"
    stage.cluster.put("tweetbots", recreated)
    job = stage.cluster.objects_of("jobs")[0]
    stage.cluster.end_job(stage.cluster.names("jobs")[0], NAMESPACE, "Failed", reason="DeadlineExceeded")
    stage.event_handler.put(stage.cluster.objects_of("jobs")[0])
    await stage.settle()
    assert [bot.uid for bot in stage.cache.bots.list_all()] == ["uid-recreated"]
    assert job.uid not in [known.uid for known in stage.cache.jobs.list_by_index((NAMESPACE, "uid-recreated"))]


async def test_a_bot_recreated_at_once_waits_for_the_garbage_collector_without_an_alarm(stage: Stage) -> None:
    await stage.apply()
    (former,) = stage.cluster.names("jobs")
    stage.cluster.remove("tweetbots", NAMESPACE, NAME)
    recreated = a_manifest()
    recreated["metadata"]["uid"] = "uid-recreated"
    stage.cluster.put("tweetbots", recreated)
    await stage.settle()
    assert (stage.reason(), stage.reason("Stalled")) == ("WaitingForPreviousPod", "")
    stage.cluster.remove("jobs", NAMESPACE, former)
    await stage.wait(2)
    assert (stage.reason(), stage.cluster.writes.count(f"create job {former}")) == ("Preparing", 2)
