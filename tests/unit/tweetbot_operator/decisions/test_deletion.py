"""deletionPolicy: Delete: the finalizer comes before any write, goes after the erasure, and never stays for ever."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from builders.manifests import a_manifest
from builders.operator import (
    NOON,
    a_bot,
    a_finished_pod,
    a_job,
    a_pod,
    a_refusal_of_the_trainer,
    an_invalid_bot,
    an_observed,
    seconds_after_noon,
)
from builders.progress import a_report
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.handover import ERASE_FINALIZER, RunDocument
from tweetbot_contract.manifest import TweetBot
from tweetbot_contract.result import CleanupSucceeded, encode
from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.client.errors import NamespaceTerminating, Rejected, WebhookUnavailable
from tweetbot_operator.decisions.deletion import plan_deletion
from tweetbot_operator.decisions.plan import Plan, plan
from tweetbot_operator.decisions.run import RETRY_SECONDS
from tweetbot_operator.types.actions import CreateJob, DeleteJob, SetFinalizers
from tweetbot_operator.types.creations import CreatedJob, CreateFailure
from tweetbot_operator.types.objects import Diagnostics, JobView, PodView

ERASING: dict[str, Any] = {"deletionPolicy": "Delete"}
CLEANUP = "gull-uidgull-cleanup"
FOREIGN = "example.com/theirs"


@pytest.fixture
def stage() -> Stage:
    return Stage()


def metadata(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = stage.cluster.objects["tweetbots", NAMESPACE, NAME]["metadata"]
    return found


def is_gone(stage: Stage) -> bool:
    return ("tweetbots", NAMESPACE, NAME) not in stage.cluster.objects


async def deleted(stage: Stage) -> None:
    """Delete the TweetBot, and let its stages' Jobs and Pods end."""
    stage.cluster.delete_bot(NAMESPACE, NAME)
    await stage.settle()
    await stage.collect_garbage()


async def test_nothing_is_erased_before_the_last_pod_of_a_stage_has_ended(stage: Stage) -> None:
    """Whoever deletes the Job in the background leaves its Pod behind, which writes until its grace is over."""
    await stage.apply(**ERASING)
    job = stage.job_name
    stage.cluster.run_pod(job, NAMESPACE)
    stage.cluster.remove("jobs", NAMESPACE, job)
    stage.cluster.delete_bot(NAMESPACE, NAME)
    await stage.settle()
    await stage.wait(60)
    assert stage.cluster.names("jobs") == []
    stage.cluster.remove("pods", NAMESPACE, stage.cluster.names("pods")[0])
    await stage.settle()
    assert stage.cluster.names("jobs") == [CLEANUP]


async def end_cleanup(stage: Stage, verdict: str, exit_code: int = 0, message: str = "") -> None:
    stage.cluster.end_pod(CLEANUP, NAMESPACE, exit_code, message)
    stage.cluster.end_job(CLEANUP, NAMESPACE, verdict)
    await stage.settle()


# ---- the finalizer


async def test_without_the_policy_there_is_no_finalizer_and_no_cleanup(stage: Stage) -> None:
    await stage.apply()
    assert "finalizers" not in metadata(stage)
    before = list(stage.cluster.writes)
    await deleted(stage)
    assert is_gone(stage)
    assert stage.cluster.writes == before


async def test_the_finalizer_is_set_before_anything_else_is_written(stage: Stage) -> None:
    await stage.apply(**ERASING)
    assert metadata(stage)["finalizers"] == [ERASE_FINALIZER]
    assert stage.cluster.writes[0] == "finalizers gull 1"
    assert [write.split()[0] for write in stage.cluster.writes[1:]] == ["status", "create"]


async def test_the_policy_may_change_and_other_finalizers_stay(stage: Stage) -> None:
    manifest = a_manifest()
    manifest["metadata"]["finalizers"] = [FOREIGN]
    stage.cluster.put("tweetbots", manifest)
    await stage.settle()
    assert metadata(stage)["finalizers"] == [FOREIGN]
    stage.cluster.edit(NAMESPACE, NAME, **ERASING)
    await stage.settle()
    assert metadata(stage)["finalizers"] == [FOREIGN, ERASE_FINALIZER]
    stage.cluster.edit(NAMESPACE, NAME, deletionPolicy="Retain")
    await stage.settle()
    assert metadata(stage)["finalizers"] == [FOREIGN]
    assert stage.run.number == 1


def test_the_same_state_asks_for_the_finalizer_once() -> None:
    bot = a_bot(**ERASING)
    made = plan(an_observed(bot))
    assert made.actions == (SetFinalizers((ERASE_FINALIZER,), "deletionPolicy is Delete"),)
    guarded = replace(bot, finalizers=(ERASE_FINALIZER,))
    assert not [each for each in plan(an_observed(guarded)).actions if isinstance(each, SetFinalizers)]


# ---- the erasure


async def test_jobs_end_first_then_the_cleanup_erases_then_the_finalizer_goes(stage: Stage) -> None:
    await stage.apply(**ERASING)
    stage.cluster.run_pod(stage.job_name, NAMESPACE)
    await stage.settle()
    stage.cluster.delete_bot(NAMESPACE, NAME)
    await stage.settle()
    assert (stage.cluster.names("jobs"), stage.reason()) == ([stage.job_name], "Erasing")
    await stage.collect_garbage()
    assert stage.cluster.names("jobs") == [CLEANUP]
    assert not is_gone(stage)
    await end_cleanup(stage, "Complete")
    assert is_gone(stage)
    assert [write.split()[0] for write in stage.cluster.writes[3:]] == ["delete", "status", "create", "finalizers"]


async def test_the_cleanup_has_no_owner_and_only_the_s3_key(stage: Stage) -> None:
    x = {"x": {"handle": "gull", "acceptTerms": True, "tokenSecret": {"name": "x-app", "key": "token"}}}
    wandb = {"wandb": {"apiKeySecret": {"name": "wandb", "key": "key"}}}
    await stage.apply(**ERASING, sources=[x], tracking=wandb)
    await deleted(stage)
    job = stage.cluster.objects["jobs", NAMESPACE, CLEANUP]
    pod = job["spec"]["template"]["spec"]
    assert "ownerReferences" not in job["metadata"]
    assert job["metadata"]["labels"]["tweetbot.dev/bot-uid"] == "uid-gull"
    assert job["spec"]["ttlSecondsAfterFinished"] == 3600
    assert (pod["restartPolicy"], pod["activeDeadlineSeconds"]) == ("Never", 3600)
    assert pod["containers"][0]["command"] == ["tweetbot-trainer", "cleanup"]
    assert {volume["name"] for volume in pod["volumes"]} == {"work", "secrets"}
    (secrets,) = [volume for volume in pod["volumes"] if volume["name"] == "secrets"]
    assert {source["secret"]["name"] for source in secrets["projected"]["sources"]} == {"s3"}
    env = {entry["name"]: entry.get("value", "") for entry in pod["containers"][0]["env"]}
    assert RunDocument.model_validate_json(env["TWEETBOT_RUN"]).prefix == "s3://team-a/models/team-a/gull"


async def test_a_spec_too_long_to_train_is_short_enough_to_erase(stage: Stage) -> None:
    values = ["v" * 60 + str(number) for number in range(20)]
    expressions = [{"key": f"{'k' * 200}{number}", "operator": "In", "values": values} for number in range(10)]
    terms = [{"matchExpressions": expressions}] * 5
    affinity = {"required": terms, "preferred": [{"weight": 1, "preference": term} for term in terms]}
    await stage.apply(**ERASING, scheduling={"affinity": affinity})
    assert stage.reason() == "JobRefused"
    await deleted(stage)
    assert stage.cluster.names("jobs") == [CLEANUP]


async def test_a_bot_whose_runs_have_ended_is_erased_as_well(stage: Stage) -> None:
    await stage.apply(**ERASING)
    await stage.whole_run()
    stage.cluster.delete_bot(NAMESPACE, NAME)
    await stage.settle()
    assert CLEANUP in stage.cluster.names("jobs")


async def test_a_restart_in_the_middle_makes_no_second_cleanup(stage: Stage) -> None:
    await stage.apply(**ERASING)
    await deleted(stage)
    stage.start_operator()
    await stage.settle()
    assert stage.cluster.writes.count(f"create job {CLEANUP}") == 1
    await end_cleanup(stage, "Complete")
    assert is_gone(stage)


async def test_a_cleanup_that_failed_is_tried_again_after_a_pause_and_says_why(stage: Stage) -> None:
    await stage.apply(**ERASING)
    await deleted(stage)
    said = a_refusal_of_the_trainer("NotAuthorized", "S3 answered AccessDenied")
    await end_cleanup(stage, "Failed", 11, encode(said).decode())
    assert "NotAuthorized: S3 answered AccessDenied" in message(stage)
    await stage.wait(RETRY_SECONDS)
    await stage.collect_garbage()
    assert stage.cluster.writes.count(f"create job {CLEANUP}") == 2
    await end_cleanup(stage, "Complete")
    assert is_gone(stage)


def message(stage: Stage) -> str:
    found = stage.status.find_condition("Progressing")
    return found.message if found else ""


async def test_a_refused_cleanup_is_tried_again(stage: Stage) -> None:
    await stage.apply(**ERASING)
    stage.cluster.faults["create_job"] = [Rejected("exceeded quota")]
    await deleted(stage)
    assert CLEANUP not in stage.cluster.names("jobs")
    assert "exceeded quota" in message(stage)
    await stage.wait(3)
    assert CLEANUP in stage.cluster.names("jobs")


async def test_changing_the_policy_back_removes_the_finalizer_and_ends_the_cleanup(stage: Stage) -> None:
    await stage.apply(**ERASING)
    await deleted(stage)
    stage.cluster.edit(NAMESPACE, NAME, deletionPolicy="Retain")
    await stage.settle()
    assert is_gone(stage)
    assert f"delete job {CLEANUP}" in stage.cluster.writes


# ---- never for ever


def events(stage: Stage) -> list[str]:
    return [event["message"] for event in stage.cluster.events if event["reason"] == "ErasureGivenUp"]


async def test_after_an_hour_the_finalizer_goes_and_an_event_names_what_is_left(stage: Stage) -> None:
    await stage.apply(**ERASING)
    await deleted(stage)
    await stage.wait(3600)
    assert f"delete job {CLEANUP}" in stage.cluster.writes
    assert not is_gone(stage)  # the cleanup still ends
    (note,) = events(stage)
    assert note.startswith("s3://team-a/models/team-a/gull was not erased: that has not worked for 3600 s")
    await stage.collect_garbage()
    assert is_gone(stage)


async def test_an_operator_down_past_the_deadline_still_starts_the_cleanup(stage: Stage) -> None:
    await stage.apply(**ERASING)
    await stage.whole_run()
    stage.cluster.event_handler = None
    stage.cluster.delete_bot(NAMESPACE, NAME)
    stage.time += timedelta(seconds=9000)
    stage.start_operator()
    await stage.settle()
    assert CLEANUP in stage.cluster.names("jobs")
    await end_cleanup(stage, "Complete")
    assert is_gone(stage)
    assert events(stage) == []


async def test_an_operator_down_past_the_deadline_ends_stages_before_it_gives_up(stage: Stage) -> None:
    await stage.apply(**ERASING)
    stage.cluster.run_pod(stage.job_name, NAMESPACE)
    stage.cluster.event_handler = None
    stage.cluster.delete_bot(NAMESPACE, NAME)
    stage.time += timedelta(seconds=9000)
    stage.start_operator()
    await stage.settle()
    await stage.wait(120)
    await stage.collect_garbage()
    assert CLEANUP in stage.cluster.names("jobs")
    await end_cleanup(stage, "Complete")
    assert (is_gone(stage), events(stage)) == (True, [])


async def test_one_refusal_is_not_the_end_for_an_operator_down_past_the_deadline(stage: Stage) -> None:
    await stage.apply(**ERASING)
    await stage.whole_run()
    stage.cluster.event_handler = None
    stage.cluster.delete_bot(NAMESPACE, NAME)
    stage.time += timedelta(seconds=9000)
    stage.cluster.faults["create_job"] = [WebhookUnavailable("failed calling webhook")]
    stage.start_operator()
    await stage.settle()
    await stage.wait(2)
    assert CLEANUP in stage.cluster.names("jobs")


def test_a_stages_create_failure_is_not_reported_for_the_erasure() -> None:
    bot = replace(a_bot(**ERASING), finalizers=(ERASE_FINALIZER,), deleting=True, deleted_at=NOON.isoformat())
    quota = CreateFailure("gull-1a2b3c4d-train", "e", "JobRefused", "exceeded quota", 1, NOON)
    made = plan_deletion(
        an_observed(bot, jobs=(a_job(bot, deleted_at=NOON),), diagnostics=Diagnostics(create_failure=quota))
    )
    ready = made.status.find_condition("Ready")
    assert ready is not None
    assert (ready.reason, "quota" in ready.message) == ("Erasing", False)


async def test_what_was_erased_while_the_operator_was_down_is_not_given_up(stage: Stage) -> None:
    await stage.apply(**ERASING)
    await deleted(stage)
    stage.cluster.event_handler = None
    await end_cleanup(stage, "Complete")
    stage.time += timedelta(seconds=9000)
    stage.start_operator()
    await stage.settle()
    assert is_gone(stage)
    assert events(stage) == []


async def test_a_cleanup_on_a_dead_node_delays_the_deletion_by_minutes_only(stage: Stage) -> None:
    await stage.apply(**ERASING)
    await deleted(stage)
    await stage.wait(3600)
    await stage.wait(600)
    assert is_gone(stage)


async def test_a_stage_that_does_not_end_does_not_block_the_deletion_for_ever(stage: Stage) -> None:
    await stage.apply(**ERASING)
    stage.cluster.run_pod(stage.job_name, NAMESPACE)
    stage.cluster.delete_bot(NAMESPACE, NAME)
    await stage.settle()
    await stage.wait(3600)
    assert is_gone(stage)
    assert len(events(stage)) == 1


async def test_an_ending_namespace_is_not_delayed(stage: Stage) -> None:
    await stage.apply(**ERASING)
    stage.cluster.faults["create_job"] = [NamespaceTerminating("unable to create new content in namespace")]
    await deleted(stage)
    assert is_gone(stage)
    assert "its namespace is being deleted" in events(stage)[0]


def test_an_unreadable_spec_does_not_block_the_deletion() -> None:
    bot = an_invalid_bot(deleting=True, deleted_at=NOON.isoformat(), finalizers=(ERASE_FINALIZER, FOREIGN))
    made = plan_deletion(an_observed(bot))
    assert made.status_first
    after = plan_deletion(an_observed(replace(bot, status=made.status)))
    assert after.actions == (SetFinalizers((FOREIGN,), "given up"),)


async def test_an_invalid_schedule_does_not_block_the_erasure(stage: Stage) -> None:
    await stage.apply(**ERASING)
    await stage.whole_run()
    stage.cluster.edit(NAMESPACE, NAME, schedule={"cron": "0 5-3 * * *"})
    await stage.settle()
    assert stage.reason() == "InvalidSpec"
    await deleted(stage)
    await end_cleanup(stage, "Complete")
    assert (is_gone(stage), events(stage)) == (True, [])


def test_a_foreign_finalizer_is_waited_for_silently() -> None:
    bot = replace(a_bot(**ERASING), finalizers=(FOREIGN,), deleting=True, deleted_at=NOON.isoformat())
    made = plan_deletion(an_observed(bot, at=9999))
    assert (made.actions, made.status, made.requeue_at) == ((), bot.status, None)


def test_the_deletion_is_requeued_for_its_deadline() -> None:
    bot = replace(a_bot(**ERASING), finalizers=(ERASE_FINALIZER,), deleting=True, deleted_at=NOON.isoformat())
    assert plan_deletion(an_observed(bot)).requeue_at == seconds_after_noon(3600)


# ---- other people's Jobs


async def test_a_foreign_job_with_the_cleanups_name_is_not_touched(stage: Stage) -> None:
    await stage.apply(**ERASING)
    stage.cluster.put("jobs", {"metadata": {"namespace": NAMESPACE, "name": CLEANUP, "labels": {}}})
    await deleted(stage)
    assert f"delete job {CLEANUP}" not in stage.cluster.writes
    await stage.wait(3600)
    assert is_gone(stage)
    assert CLEANUP in stage.cluster.names("jobs")


async def test_a_job_without_our_owner_reference_is_no_stage(stage: Stage) -> None:
    await stage.apply(suspend=True)
    labels = {"tweetbot.dev/bot": NAME, "tweetbot.dev/bot-uid": "uid-gull", "tweetbot.dev/stage": "prepare"}
    stage.cluster.put("jobs", {"metadata": {"namespace": NAMESPACE, "name": stage.job_name, "labels": labels}})
    stage.cluster.edit(NAMESPACE, NAME, suspend=False)
    await stage.settle()
    assert stage.reason() == "NameConflict"


# ---- a container that others add runs on


PROXY = {"name": "istio-proxy", "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}


async def end_beside_a_proxy(stage: Stage, exit_code: int) -> None:
    times = {"startedAt": "2026-01-01T12:00:00Z", "finishedAt": "2026-01-01T12:00:00Z"}
    ended = {"name": "trainer", "state": {"terminated": {"exitCode": exit_code, **times}}}
    stage.cluster.run_pod(CLEANUP, NAMESPACE, containerStatuses=[PROXY, ended])
    await stage.settle()


async def test_what_is_erased_is_erased_though_a_proxy_runs_on(stage: Stage) -> None:
    await stage.apply(**ERASING)
    await deleted(stage)
    await end_beside_a_proxy(stage, 0)
    assert (is_gone(stage), stage.cluster.writes[-2:]) == (True, [f"delete job {CLEANUP}", "finalizers gull 0"])


async def test_a_cleanup_that_failed_beside_a_proxy_is_tried_again(stage: Stage) -> None:
    await stage.apply(**ERASING)
    await deleted(stage)
    await end_beside_a_proxy(stage, 75)
    await stage.wait(RETRY_SECONDS)
    await stage.collect_garbage()
    assert stage.cluster.writes.count(f"create job {CLEANUP}") == 2


# ---- what is decided of one state


def deleting(**spec: Any) -> TweetBot:
    return replace(a_bot(**ERASING, **spec), finalizers=(ERASE_FINALIZER,), deleting=True, deleted_at=NOON.isoformat())


def a_cleanup(bot: TweetBot, **changes: Any) -> JobView:
    return a_job(bot, **({"name": CLEANUP, "uid": "uid-of-the-cleanup"} | changes))


def plan_with(bot: TweetBot, cleanup: JobView, *, at: float = 0, pods: tuple[PodView, ...] = ()) -> Plan:
    return plan_deletion(replace(an_observed(bot, at=at, pods=pods), cleanups=(cleanup,)))


def test_a_cleanup_whose_pod_is_seen_to_have_ended_is_believed_without_another_look() -> None:
    bot = deleting()
    job = a_cleanup(bot, finished_condition="Complete", finished_at=NOON)
    made = plan_with(bot, job, pods=(a_finished_pod(job, CleanupSucceeded()),))
    assert made.actions == (SetFinalizers((), "erased"),)


def test_whose_the_objects_are_is_reported_before_the_finalizer_goes() -> None:
    bot = deleting()
    job = a_cleanup(bot, finished_condition="Complete", finished_at=NOON)
    pods = (a_finished_pod(job, CleanupSucceeded(prefix_owned="they are gull's of cluster b")),)
    told = plan_with(bot, job, pods=pods)
    assert (told.actions, told.status_first) == ((), True)
    assert tell(told.status, "Progressing") == ("False", "PrefixOwned", "they are gull's of cluster b")
    after = plan_with(replace(bot, status=told.status), job, pods=pods)
    assert after.actions == (SetFinalizers((), "left to another TweetBot"),)


def tell(status: TweetBotStatus, type_: str) -> tuple[str, str, str]:
    found = status.find_condition(type_)
    assert found is not None
    return found.status, found.reason, found.message


def test_an_erasure_that_is_given_up_has_stalled_and_goes_on_no_more() -> None:
    bot = deleting()
    made = plan_with(bot, a_cleanup(bot), at=3600)
    assert tell(made.status, "Progressing")[:2] == ("False", "ErasureGivenUp")
    assert tell(made.status, "Stalled")[:2] == ("True", "ErasureGivenUp")


def test_nothing_is_given_up_that_was_never_tried() -> None:
    bot = deleting()
    made = plan_deletion(an_observed(bot, at=9999, diagnostics=Diagnostics(deletion_seen_at=NOON)))
    assert [type(action) for action in made.actions] == [CreateJob]


def test_a_cleanup_has_its_hour_from_its_creation_until_it_ends() -> None:
    bot = deleting()
    job = a_cleanup(bot, created_at=seconds_after_noon(3000))
    assert plan_with(bot, job, at=3000).requeue_at == seconds_after_noon(3000 + 3600)
    ended = replace(job, finished_condition="Failed", finished_at=seconds_after_noon(3590))
    assert plan_with(bot, ended, at=3590).requeue_at == seconds_after_noon(3600)


def test_a_stages_job_that_still_ends_is_waited_for_without_a_pod() -> None:
    bot = deleting()
    assert plan_deletion(an_observed(bot, jobs=(a_job(bot, deleted_at=NOON),))).actions == ()


def test_a_failed_cleanup_is_deleted_once_and_after_its_pause() -> None:
    bot = deleting()
    job = a_cleanup(bot, finished_condition="Failed", finished_at=NOON)
    assert plan_with(bot, job, at=RETRY_SECONDS - 1).actions == ()
    assert plan_with(bot, job, at=RETRY_SECONDS).actions == (DeleteJob(job, "failed"),)
    assert plan_with(bot, replace(job, deleted_at=NOON), at=RETRY_SECONDS).actions == ()


def test_each_creation_of_the_cleanup_counts_one_more() -> None:
    bot = deleting()
    created = {CLEANUP: CreatedJob(NOON, 2, None)}
    (made,) = plan_deletion(an_observed(bot, at=3000, diagnostics=Diagnostics(created=created))).actions
    assert isinstance(made, CreateJob)
    assert made.count == 3


def test_the_first_cleanup_counts_one_and_a_stages_job_ends_before_it() -> None:
    bot = deleting()
    (made,) = plan_deletion(an_observed(bot)).actions
    assert isinstance(made, CreateJob)
    assert made.count == 1
    assert plan_deletion(an_observed(bot, jobs=(a_job(bot),))).actions == (DeleteJob(a_job(bot), "erasure"),)


def test_a_cleanup_that_is_lost_again_and_again_is_created_when_its_pause_is_over() -> None:
    bot, created = deleting(), {CLEANUP: CreatedJob(NOON, 5, None)}
    early, due = (plan_deletion(an_observed(bot, at=at, diagnostics=Diagnostics(created=created))) for at in (599, 600))
    assert (early.actions, early.requeue_at) == ((), seconds_after_noon(600))
    assert [type(action) for action in due.actions] == [CreateJob]


@pytest.mark.parametrize(
    ("pod", "words"),
    [
        ({"phase": "Failed", "end_reason": "Evicted", "end_message": "low on disk"}, "Evicted: low on disk"),
        ({"exit_code": 75, "held_by": ("proxy",)}, "exit code 75"),
        ({"phase": "Running"}, ""),
        ({"phase": "Failed", "exit_code": 1, "controller_uid": "of-a-stage"}, ""),
    ],
)
def test_an_erasure_tells_the_last_error_of_its_own_pods(pod: dict[str, Any], words: str) -> None:
    bot = deleting()
    job = a_cleanup(bot, stage="cleanup")
    said = tell(plan_with(bot, job, pods=(a_pod(job, **pod),)).status, "Progressing")[2]
    assert (words in said, said.endswith(")")) == (True, bool(words))


# ---- what it waits for


async def test_a_cleanup_whose_pod_cannot_start_says_why(stage: Stage) -> None:
    await stage.apply(**ERASING)
    await deleted(stage)
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": stage.now().isoformat()}
    waiting = {"name": "trainer", "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}
    stage.cluster.run_pod(CLEANUP, NAMESPACE, phase="Pending", conditions=[scheduled], containerStatuses=[waiting])
    await stage.wait(20)
    assert (stage.reason(), stage.reason("Stalled")) == ("ImagePullFailed", "")


async def test_a_cleanup_says_what_it_waits_for_and_what_its_pod_does(stage: Stage) -> None:
    await stage.apply(**ERASING)
    await deleted(stage)
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": stage.now().isoformat()}
    stage.cluster.run_pod(CLEANUP, NAMESPACE, phase="Pending", conditions=[scheduled])
    await stage.wait(19)
    assert stage.reason() == "Erasing"
    await stage.wait(1)
    assert stage.reason() == "PodStarting"
    running = {"name": "trainer", "state": {"running": {"startedAt": stage.now().isoformat()}}}
    stage.cluster.run_pod(CLEANUP, NAMESPACE, conditions=[scheduled], containerStatuses=[running])
    await stage.settle()
    assert stage.reason() == "Erasing"
    pod = next(pod for pod in stage.cache.pods.list_all() if pod.job == CLEANUP)
    waiting = {"reason": "StorageUnavailable", "message": "S3 does not answer", "since": "2026-01-01T12:00:30Z"}
    for _ in range(3):
        report = a_report(None, run_id="", stage="Cleanup", pod_uid=pod.uid, waiting=waiting)
        stage.progress_store.put((NAMESPACE, NAME), report)
    await stage.settle()
    told = stage.status.find_condition("Progressing")
    assert told is not None
    assert (told.reason, told.status) == ("StorageUnavailable", "True")
    assert "S3 does not answer. Waiting since 2026-01-01T12:00:30Z." in told.message
