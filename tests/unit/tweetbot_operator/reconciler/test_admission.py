"""Policies, webhooks and people that change Jobs and Pods: told, waited for, and never answered by a loop."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from builders.operator import a_prepare_result, a_refusal_of_the_trainer
from harness.stage_operator import NAME, NAMESPACE, Stage
from tweetbot_contract.handover import BOT_LABEL, BOT_UID_LABEL, MANAGED_BY, MANAGED_BY_LABEL, RUN_LABEL, STAGE_LABEL
from tweetbot_contract.result import encode
from tweetbot_operator.client.errors import Unavailable, WebhookUnavailable
from tweetbot_operator.client.interface import Kind

Manifest = dict[str, Any]
Change = Callable[[Manifest], Any]


def take_off_annotations(job: Manifest) -> None:
    del job["metadata"]["annotations"]


def take_off_the_owner(job: Manifest) -> None:
    del job["metadata"]["ownerReferences"]


def take_off(label: str) -> Change:
    return lambda job: job["metadata"]["labels"].pop(label)


def take_off_pods(label: str) -> Change:
    return lambda job: job["spec"]["template"]["metadata"]["labels"].pop(label)


def delete_at_once(job: Manifest) -> None:
    job["spec"]["ttlSecondsAfterFinished"] = 0


def change(stage: Stage, of: Kind, edit: Change, *, dry_runs: bool = True) -> None:
    """Have admission edit every object of a kind from now on."""

    def admit(kind: Kind, manifest: Manifest, dry_run: bool) -> Manifest:
        changed = deepcopy(manifest)
        if kind == of and (dry_runs or not dry_run):
            edit(changed)
        return changed

    stage.cluster.admit = admit


def message(stage: Stage) -> str:
    found = stage.status.find_condition("Progressing")
    return found.message if found else ""


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (take_off_annotations, "metadata.annotations[tweetbot.dev/execution]"),
        (take_off_the_owner, "metadata.ownerReferences"),
        (take_off(RUN_LABEL), "metadata.labels[tweetbot.dev/run]"),
        (take_off(MANAGED_BY_LABEL), "metadata.labels[app.kubernetes.io/managed-by]"),
        (take_off_pods(BOT_UID_LABEL), "spec.template.metadata.labels[tweetbot.dev/bot-uid]"),
        (delete_at_once, "spec.ttlSecondsAfterFinished"),
    ],
)
async def test_a_job_that_admission_would_change_is_told_and_not_created(
    stage: Stage, edit: Change, field: str
) -> None:
    change(stage, "jobs", edit)
    await stage.apply()
    for _ in range(20):
        await stage.wait(30)
    assert (stage.reason("Stalled"), stage.cluster.names("jobs")) == ("JobMutated", [])
    assert field in message(stage)
    assert stage.cluster.writes == ["status gull Preparing", "status gull Preparing"]
    assert stage.cluster.previews <= 6


async def test_a_run_starts_by_itself_once_the_policy_is_gone(stage: Stage) -> None:
    change(stage, "jobs", take_off_annotations)
    await stage.apply()
    change(stage, "jobs", lambda job: None)
    await stage.wait(20)
    assert (stage.reason("Stalled"), stage.reason()) == ("", "Preparing")
    await stage.whole_run()
    assert stage.status.phase == "Succeeded"


async def test_retrain_at_tries_again_at_once(stage: Stage) -> None:
    change(stage, "jobs", take_off_annotations)
    await stage.apply()
    change(stage, "jobs", lambda job: None)
    stage.cluster.annotate(NAMESPACE, NAME, {"tweetbot.dev/retrain-at": "now"})
    await stage.settle()
    assert (stage.reason("Stalled"), len(stage.cluster.names("jobs"))) == ("", 1)


async def edit_job(stage: Stage, edit: Change) -> None:
    """Edit the present Job as kubectl would."""
    job = deepcopy(stage.cluster.objects["jobs", NAMESPACE, stage.job_name])
    edit(job)
    stage.cluster.put("jobs", job)
    await stage.settle()


@pytest.mark.parametrize("edit", [take_off_annotations, take_off(RUN_LABEL), take_off(BOT_LABEL)])
async def test_a_live_job_that_somebody_edits_is_told_and_goes_on(stage: Stage, edit: Change) -> None:
    await stage.apply()
    await edit_job(stage, edit)
    assert (stage.reason(), stage.reason("Stalled")) == ("JobMutated", "")
    await stage.end_stage(a_prepare_result())
    assert (stage.run.stage, stage.reason()) == ("Train", "Training")
    assert not [write for write in stage.cluster.writes if write.startswith("delete")]


@pytest.mark.parametrize("edit", [take_off_annotations, take_off(RUN_LABEL), take_off(BOT_LABEL)])
async def test_a_job_that_only_real_requests_mutate_goes_on(stage: Stage, edit: Change) -> None:
    """Some webhooks leave dry runs alone."""
    change(stage, "jobs", edit, dry_runs=False)
    await stage.apply()
    assert (stage.reason(), stage.reason("Stalled")) == ("JobMutated", "")
    await stage.whole_run()
    assert stage.status.phase == "Succeeded"
    assert sum(write.startswith("create") for write in stage.cluster.writes) == 2


RUNNING = {"name": "trainer", "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}


@pytest.mark.parametrize("running", [False, True])
async def test_a_job_that_no_watch_shows_is_followed_to_its_end(stage: Stage, running: bool) -> None:
    """Whoever takes its label off makes the watch call it gone, while its name is taken and its Pod may run."""
    await stage.apply()
    (hidden,) = stage.cluster.names("jobs")
    if running:
        stage.cluster.run_pod(hidden, NAMESPACE, containerStatuses=[RUNNING])
    await edit_job(stage, take_off(MANAGED_BY_LABEL))
    assert (stage.reason(), stage.reason("Stalled")) == ("JobMutated", "")
    assert "metadata.labels[app.kubernetes.io/managed-by]" in message(stage)
    stage.cluster.end_pod(hidden, NAMESPACE, 0, encode(a_prepare_result()).decode())
    stage.cluster.end_job(hidden, NAMESPACE, "Complete")
    if running:
        stage.cluster.remove("pods", NAMESPACE, f"{hidden}-0")
    await stage.wait(30)
    assert (stage.run.stage, stage.reason()) == ("Train", "Training")
    assert not [write for write in stage.cluster.writes if write.startswith("delete")]


async def test_a_restarted_operator_finds_the_job_that_no_watch_shows(stage: Stage) -> None:
    await stage.apply()
    await edit_job(stage, take_off(MANAGED_BY_LABEL))
    stage.start_operator()
    await stage.settle()
    assert (stage.reason(), stage.cluster.writes.count(f"create job {stage.job_name}")) == ("JobMutated", 1)


async def test_a_job_that_no_watch_shows_ends_when_the_run_is_suspended(stage: Stage) -> None:
    await stage.apply()
    await edit_job(stage, take_off(MANAGED_BY_LABEL))
    stage.cluster.edit(NAMESPACE, NAME, suspend=True)
    await stage.settle()
    assert stage.cluster.writes.count(f"delete job {stage.job_name}") == 1
    await stage.collect_garbage()
    stage.cluster.edit(NAMESPACE, NAME, suspend=False)
    await stage.wait(30)
    assert stage.cluster.writes.count(f"create job {stage.job_name}") == 2


async def test_a_job_that_gets_its_label_back_is_seen_as_before(stage: Stage) -> None:
    await stage.apply()
    stage.label("jobs", stage.job_name, "somebody else")
    await stage.settle()
    stage.label("jobs", stage.job_name, MANAGED_BY)
    await stage.settle()
    assert stage.reason() == "Preparing"
    await stage.whole_run()
    assert stage.status.phase == "Succeeded"


async def test_a_job_without_its_owner_goes_on_under_its_name(stage: Stage) -> None:
    await stage.apply()
    await edit_job(stage, take_off_the_owner)
    assert (stage.reason(), "metadata.ownerReferences" in message(stage)) == ("JobMutated", True)
    await stage.whole_run()
    assert stage.status.phase == "Succeeded"


@pytest.mark.parametrize("restart", [False, True])
async def test_a_hidden_job_is_ended_before_the_objects_are_erased(stage: Stage, restart: bool) -> None:
    await stage.apply(deletionPolicy="Delete")
    job = stage.job_name
    await edit_job(stage, take_off(MANAGED_BY_LABEL))
    if restart:
        stage.start_operator()
    stage.cluster.delete_bot(NAMESPACE, NAME)
    await stage.settle()
    assert stage.cluster.names("jobs") == [job]
    await stage.collect_garbage()
    await stage.wait(30)
    (cleanup,) = stage.cluster.names("jobs")
    assert cleanup.endswith("-cleanup")


@pytest.mark.parametrize("label", [MANAGED_BY_LABEL, BOT_LABEL, BOT_UID_LABEL, RUN_LABEL, STAGE_LABEL])
async def test_a_pod_counts_whatever_became_of_its_labels(stage: Stage, label: str) -> None:
    change(stage, "pods", take_off(label))
    await stage.apply()
    stage.cluster.run_pod(stage.job_name, NAMESPACE, containerStatuses=[RUNNING])
    await stage.settle()
    await stage.wait(30)
    assert (stage.reason(), f"metadata.labels[{label}]" in message(stage)) == ("JobMutated", True)
    await stage.wait(700)
    assert (stage.reason(), stage.run.outcome) == ("JobMutated", None)
    stage.cluster.remove("pods", NAMESPACE, stage.cluster.names("pods")[0])
    await stage.whole_run()
    assert stage.status.phase == "Succeeded"
    assert sum(write.startswith(("create", "delete")) for write in stage.cluster.writes) == 2


async def test_a_hidden_pod_that_fails_is_told_like_any_other(stage: Stage) -> None:
    change(stage, "pods", take_off(MANAGED_BY_LABEL))
    await stage.apply()
    await stage.fail_stage(10, encode(a_refusal_of_the_trainer()).decode())
    assert (stage.status.phase, stage.reason("Stalled")) == ("Failed", "BucketNotFound")


def rename_the_trainer(pod: Manifest) -> None:
    pod["spec"]["containers"][0]["name"] = "main"


def move_the_termination_message(pod: Manifest) -> None:
    pod["spec"]["containers"][0]["terminationMessagePath"] = "/tmp/message"


def take_off_the_run(pod: Manifest) -> None:
    del pod["spec"]["containers"][0]["env"][0]


async def test_a_renamed_container_is_known_by_the_run_that_it_is_given(stage: Stage) -> None:
    change(stage, "pods", rename_the_trainer)
    await stage.apply()
    running = {"name": "main", "state": {"running": {"startedAt": "2026-01-01T12:00:00Z"}}}
    stage.cluster.run_pod(stage.job_name, NAMESPACE, containerStatuses=[running])
    await stage.wait(700)
    assert stage.reason() == "JobMutated"
    assert 'spec.containers[trainer].name (sent "trainer", got "main")' in message(stage)
    stage.cluster.remove("pods", NAMESPACE, stage.cluster.names("pods")[0])
    state = {"terminated": {"exitCode": 0, "message": encode(a_prepare_result()).decode()}}
    ended = [{"name": "main", "state": state}]
    stage.cluster.run_pod(stage.job_name, NAMESPACE, phase="Succeeded", containerStatuses=ended)
    stage.cluster.end_job(stage.job_name, NAMESPACE, "Complete")
    await stage.settle()
    assert stage.run.stage == "Train"


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (move_the_termination_message, "spec.containers[trainer].terminationMessagePath"),
        (take_off_the_run, "spec.containers[trainer].env[TWEETBOT_RUN]"),
    ],
)
async def test_a_stage_that_leaves_no_result_says_what_was_changed(stage: Stage, edit: Change, field: str) -> None:
    change(stage, "pods", edit)
    await stage.apply()
    stage.cluster.end_pod(stage.job_name, NAMESPACE, 0, "")
    stage.cluster.end_job(stage.job_name, NAMESPACE, "Complete")
    await stage.settle()
    assert (stage.status.phase, stage.reason("Stalled"), field in message(stage)) == ("Failed", "JobMutated", True)


async def test_a_trainer_that_says_why_it_failed_is_believed_whatever_was_changed(stage: Stage) -> None:
    change(stage, "pods", rename_the_trainer)
    await stage.apply()
    said = {"exitCode": 10, "message": encode(a_refusal_of_the_trainer()).decode()}
    ended = [{"name": "main", "state": {"terminated": said}}]
    stage.cluster.run_pod(stage.job_name, NAMESPACE, phase="Failed", containerStatuses=ended)
    stage.cluster.end_job(stage.job_name, NAMESPACE, "Failed", reason="BackoffLimitExceeded", failed=1)
    await stage.settle()
    assert (stage.status.phase, stage.reason("Stalled")) == ("Failed", "BucketNotFound")


async def test_a_result_is_read_although_its_job_is_already_being_deleted(stage: Stage) -> None:
    """As with a ttlSecondsAfterFinished of 0, which deletes the Job in the moment of its end."""
    await stage.apply()
    name = stage.job_name
    stage.cluster.end_pod(name, NAMESPACE, 0, encode(a_prepare_result()).decode())
    stage.cluster.event_handler = None
    stage.cluster.end_job(name, NAMESPACE, "Complete")
    job = deepcopy(stage.cluster.objects["jobs", NAMESPACE, name])
    job["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:00Z"
    stage.cluster.event_handler = stage.event_handler
    stage.cluster.put("jobs", job)
    await stage.settle()
    assert (stage.run.stage, stage.run.dataset is not None) == ("Train", True)


def take_off_everywhere(*path: str) -> Change:
    """Take it off a Job and off its Pod template, so that no copy is left."""

    def edit(job: Manifest) -> None:
        for metadata in (job["metadata"], job["spec"]["template"]["metadata"]):
            *steps, last = path
            for step in steps:
                metadata = metadata[step]
            del metadata[last]

    return edit


NO_COPY = [
    take_off_everywhere("annotations"),
    take_off_everywhere("labels", RUN_LABEL),
    take_off_everywhere("labels", BOT_LABEL),
    take_off_everywhere("labels", STAGE_LABEL),
]


@pytest.mark.parametrize("edit", NO_COPY)
async def test_a_job_of_which_no_copy_is_left_is_known_by_its_name(stage: Stage, edit: Change) -> None:
    change(stage, "jobs", edit, dry_runs=False)
    await stage.apply()
    await stage.whole_run()
    assert stage.status.phase == "Succeeded"
    assert sum(write.startswith(("create", "delete")) for write in stage.cluster.writes) == 2


async def test_a_failed_job_of_which_no_copy_is_left_counts_once(stage: Stage) -> None:
    change(stage, "jobs", take_off_everywhere("annotations"), dry_runs=False)
    await stage.apply()
    await stage.fail_stage(75)
    assert (stage.run.retries, stage.reason()) == (1, "RetryBackoff")
    await stage.collect_garbage()
    stage.cluster.objects = {key: item for key, item in stage.cluster.objects.items() if key[0] != "pods"}
    await stage.wait(300)
    assert (stage.run.retries, stage.cluster.writes.count(f"create job {stage.job_name}")) == (1, 2)


async def test_a_creation_that_is_cut_off_every_time_is_told_and_tried_again(stage: Stage) -> None:
    """As by an API server that panics in admission, or a firewall between: all else is answered."""
    stage.cluster.faults["preview_job"] = [Unavailable("POST jobs: ServerDisconnectedError") for _ in range(4)]
    await stage.apply()
    for _ in range(2):
        assert stage.reason("Stalled") == ""
        await stage.wait(5)
    assert (stage.reason(), "breaks off: POST jobs: ServerDisconnected" in message(stage)) == (
        "AdmissionUnavailable",
        True,
    )
    for _ in range(2):
        await stage.wait(60)
    assert stage.reason() == "Preparing"


async def test_a_deletion_that_fails_every_time_is_told_by_an_event(stage: Stage) -> None:
    await stage.apply()
    fault = 'failed calling webhook "keep.example.com": connection refused'
    stage.cluster.faults["delete_job"] = [WebhookUnavailable(fault) for _ in range(4)]
    stage.cluster.edit(NAMESPACE, NAME, suspend=True)
    for _ in range(5):
        await stage.settle()
        await stage.wait(10)
    warnings = [event["message"] for event in stage.cluster.events if event["type"] == "Warning"]
    assert [fault in note for note in warnings] == [True]
    assert stage.reason() == "Suspended"
