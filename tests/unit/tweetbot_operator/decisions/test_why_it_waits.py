"""Why is it not running? The answer stands in the Reason column, and the cluster's own words in the message."""

from dataclasses import replace
from typing import Any

import pytest

from builders.operator import (
    NOON,
    a_bot_in,
    a_failed_job,
    a_failed_pod,
    a_job,
    a_refusal_of_the_trainer,
    a_waiting_pod,
    an_observed,
    seconds_after_noon,
)
from builders.plans import reason_in
from harness.kstatus import kstatus
from tweetbot_operator.decisions.plan import plan
from tweetbot_operator.types.containers import ContainerView
from tweetbot_operator.types.objects import Diagnosis, Diagnostics, Observed, QueuePosition

LATE = seconds_after_noon(900)


def blocked(**waiting: Any) -> Observed:
    """Return a run whose Pod has waited for two minutes."""
    bot = a_bot_in("Train")
    return an_observed(bot, jobs=(a_job(bot),), pods=(a_waiting_pod(a_job(bot), **waiting),), at=121)


def mounting(words: str) -> Observed:
    """Return the same where the kubelet says so of its volumes."""
    observed = blocked(waiting="ContainerCreating")
    return replace(observed, diagnostics=Diagnostics(mounts={observed.pods[0].uid: Diagnosis(words, 1, LATE)}))


def without_pod(words: str) -> Observed:
    """Return a run whose Job gets no Pod, and why."""
    bot = a_bot_in("Train")
    return an_observed(
        bot, jobs=(a_job(bot),), diagnostics=Diagnostics(mounts={"uid-train": Diagnosis(words, 1, LATE)}), at=121
    )


def kept(at: float = 180, **former: Any) -> Observed:
    """Return a run before whose Job the deleted Job of the run before it stands, without Pods."""
    bot = a_bot_in("Train")
    fields = {"uid": "old", "run_id": "0" * 16, "deleted_at": NOON, "finalizers": ("example.com/keep",)}
    return an_observed(bot, jobs=(a_job(bot, name="gull-00000000-train", **(fields | former)),), at=at)


def evicted() -> Observed:
    bot = a_bot_in("Train")
    job = a_job(bot)
    gone = a_failed_pod(job, 143, disrupted=True, uid="first", name="a", created_at=seconds_after_noon(-60))
    return an_observed(bot, jobs=(job,), pods=(gone, a_waiting_pod(job)))


def evicted_and_gone() -> Observed:
    bot = a_bot_in("Train", run_fields={"disruptions": 1})
    return an_observed(bot, jobs=(a_job(bot),), pods=(a_waiting_pod(a_job(bot)),))


def rate_limited() -> Observed:
    bot = a_bot_in("Prepare")
    said = a_refusal_of_the_trainer("RateLimited", "X asks to wait until 12:14:00 UTC")
    job = a_failed_job(bot)
    first = plan(an_observed(bot, jobs=(job,), pods=(a_failed_pod(job, 75, said=said),))).status
    return an_observed(replace(bot, status=first), at=1)


#: State: observed, reason, words of the message, what kstatus makes of it.
STATES: dict[str, tuple[Observed, str, str, str]] = {
    "no node takes it": (
        blocked(scheduled_at=None, unschedulable="0/3 nodes are available: 3 Insufficient nvidia.com/gpu."),
        "Unschedulable",
        "Insufficient nvidia.com/gpu",
        "Failed",
    ),
    "the image cannot be pulled": (
        blocked(waiting="ErrImagePull", waiting_message='pull access denied for "trainer"'),
        "ImagePullFailed",
        "pull access denied",
        "Failed",
    ),
    "a Secret is not there": (mounting('secret "s3" not found'), "SecretNotFound", 'secret "s3" not found', "Failed"),
    "a key of a mounted Secret is not there": (
        mounting(
            'MountVolume.SetUp failed for volume "secrets" : references non-existent secret key: AWS_ACCESS_KEY_ID'
        ),
        "SecretNotFound",
        "AWS_ACCESS_KEY_ID",
        "Failed",
    ),
    "the ConfigMap with a CA is not there": (
        mounting('MountVolume.SetUp failed for volume "ca" : configmap "company-ca" not found'),
        "SecretNotFound",
        'configmap "company-ca" not found',
        "Failed",
    ),
    "a key of the ConfigMap with a CA is not there": (
        mounting('MountVolume.SetUp failed for volume "ca" : configmap references non-existent config key: ca.crt'),
        "SecretNotFound",
        "config key: ca.crt",
        "Failed",
    ),
    "a key of a Secret in the environment is not there": (
        blocked(waiting="CreateContainerConfigError", waiting_message="couldn't find key token in Secret team-a/x"),
        "SecretNotFound",
        "find key token in Secret team-a/x",
        "Failed",
    ),
    "its volume cannot be attached": (
        mounting('AttachVolume.Attach failed for volume "pvc-1": volume is attached to another node'),
        "ContainerNotStarted",
        "attached to another node",
        "Failed",
    ),
    "its network cannot be set up": (
        mounting("Failed to create pod sandbox: plugin type=calico failed: no IP addresses left"),
        "ContainerNotStarted",
        "no IP addresses left",
        "Failed",
    ),
    "a gate is before its scheduling": (
        blocked(scheduled_at=None, scheduling_gates=("example.com/budget", "example.com/review")),
        "SchedulingGated",
        "example.com/budget, example.com/review",
        "Failed",
    ),
    "a deleted Job is kept by a finalizer": (kept(), "JobKept", "finalizers example.com/keep", "Failed"),
    "a quota is used up": (
        without_pod("exceeded quota: gpus, requested: requests.nvidia.com/gpu=1, used: 2, limited: 2"),
        "PodRefused",
        "exceeded quota: gpus",
        "Failed",
    ),
    "a limit range forbids it": (
        without_pod("maximum memory usage per Container is 1Gi, but limit is 16Gi"),
        "PodRefused",
        "maximum memory usage",
        "Failed",
    ),
    "it waits for the scheduler": (
        blocked(scheduled_at=None),
        "PodStarting",
        "Waiting for the scheduler. Pod gull-d863418d-train-abcde has not started since 2026-01-01T12:00:00Z.",
        "Current",
    ),
    "its volumes and its sandbox are made": (
        blocked(waiting="ContainerCreating", node="gpu-1", image="trainer:1"),
        "PodStarting",
        "Mounting volumes, creating the sandbox, or pulling image trainer:1. Pod gull-d863418d-train-abcde has not "
        "started since 2026-01-01T12:00:00Z on node gpu-1 (ContainerCreating).",
        "Current",
    ),
    "its image is pulled": (
        blocked(waiting="ContainerCreating", node="gpu-1", image="trainer:1", sandbox_ready=True),
        "PodStarting",
        "Pulling image trainer:1, or creating its container. Pod",
        "Current",
    ),
    "another's init container is pulled": (
        blocked(waiting="PodInitializing", node="gpu-1", unready=ContainerView("vault", "vault:2", init=True)),
        "PodStarting",
        "Starting init container vault, image vault:2. Pod",
        "Current",
    ),
    "it waits for a slot": (
        replace(
            an_observed(a_bot_in("Prepare")), queue_position=QueuePosition("2 runs of a namespace may be active", 3)
        ),
        "Queued",
        "3 of its namespace were before it",
        "Current",
    ),
    "it had to leave its node": (evicted(), "Evicted", "had to leave its node", "Current"),
    "its Pod had to leave and is gone": (evicted_and_gone(), "Evicted", "had to leave its node", "Current"),
    "X asks to wait": (rate_limited(), "RetryBackoff", "RateLimited: X asks to wait until 12:14:00 UTC", "Current"),
}


@pytest.mark.parametrize("state", STATES)
def test_the_reason_is_ours_and_the_message_the_clusters(state: str) -> None:
    observed, reason, words, verdict = STATES[state]
    status = plan(observed).status
    progressing = status.find_condition("Progressing")
    assert progressing is not None
    assert (progressing.reason, words in progressing.message) == (reason, True)
    assert kstatus({"metadata": {"generation": 1}, "status": status.to_dict()}) == verdict


def test_an_old_warning_of_volumes_says_nothing_of_a_pod_whose_volumes_are_mounted() -> None:
    observed = mounting('MountVolume.SetUp failed for volume "secrets": secret "s3" not found')
    started = replace(observed, pods=(replace(observed.pods[0], sandbox_ready=True),))
    assert reason_in(plan(started)) == "PodStarting"


@pytest.mark.parametrize(("at", "reason"), [(19, "Training"), (20, "PodStarting")])
def test_it_is_said_after_twenty_seconds_what_a_pod_does_and_looked_again_then(at: float, reason: str) -> None:
    bot = a_bot_in("Train")
    pod = a_waiting_pod(a_job(bot), waiting="ContainerCreating")
    made = plan(an_observed(bot, jobs=(a_job(bot),), pods=(pod,), at=at))
    assert (reason_in(made), reason_in(made, "Stalled")) == (reason, None)
    assert at > 19 or made.requeue_at == seconds_after_noon(20)


def test_a_deleted_job_has_the_time_that_its_pod_may_take_to_end() -> None:
    waiting = plan(kept(at=179))
    assert (reason_in(waiting), waiting.requeue_at) == ("WaitingForPreviousPod", seconds_after_noon(180))


def test_a_deleted_job_that_had_finished_holds_nothing_up() -> None:
    assert reason_in(plan(kept(finished_condition="Failed", finished_at=NOON))) == "Training"


def test_a_pause_says_when_it_ends() -> None:
    progressing = plan(rate_limited()).status.find_condition("Progressing")
    assert progressing is not None
    assert progressing.message.endswith("Retry 1 begins at 2026-01-01T12:05:00Z.")


def test_a_repeated_image_pull_reports_the_same_error_between_tries() -> None:
    said = 'failed to resolve reference "registry.example/trainer:1": not found'
    pause = f'Back-off pulling image "registry.example/trainer:1": ErrImagePull: {said}'
    tried = plan(blocked(waiting="ErrImagePull", waiting_message=said)).status
    assert plan(blocked(waiting="ImagePullBackOff", waiting_message=pause)).status == tried
    assert any(f"ErrImagePull: {said}" in condition.message for condition in tried.conditions)
