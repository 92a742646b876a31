"""Why a Pod ended, as kubelet, scheduler, kernel and shell say it: each with a reason and advice that helps."""

from typing import Any

import pytest

from builders.operator import a_bot_in, a_failed_job, a_failed_pod, a_job, a_refusal_of_the_trainer
from tweetbot_contract.reasons import BY_NAME
from tweetbot_operator.client.parse import parse_pod
from tweetbot_operator.decisions.causes import find_cause
from tweetbot_operator.decisions.failures import diagnose_failure, explain_end
from tweetbot_operator.types.containers import ContainerView
from tweetbot_operator.types.objects import PodView
from tweetbot_operator.types.stage_state import Failed

JOB = a_job(a_bot_in("Train"))
ISTIO = ContainerView("istio-init", init=True, exit_code=1, end_reason="Error", end_message="iptables: no")


def pod(exit_code: int | None = None, **changes: Any) -> PodView:
    return a_failed_pod(JOB, exit_code, **changes)


def evicted(words: str, **changes: Any) -> PodView:
    return pod(137, end_reason="Evicted", end_message=words, **changes)


#: What happened: the Pod, the reason, words of the message, a word of the advice.
CAUSES: dict[str, tuple[PodView, str, str, str]] = {
    "its memory limit": (pod(137, out_of_memory=True), "OutOfMemory", "OOMKilled", "spec.resources.memory"),
    "the limit of /work": (
        evicted('Usage of EmptyDir volume "work" exceeds the limit "20Gi". '),
        "DiskLimitExceeded",
        'volume "work" exceeds the limit "20Gi"',
        "workSize",
    ),
    "the limit of /tmp": (
        evicted('Usage of EmptyDir volume "tmp" exceeds the limit "2Gi". '),
        "DiskLimitExceeded",
        'volume "tmp"',
        "The limit of /tmp is fixed",
    ),
    "the limit of all volumes": (
        evicted("Pod ephemeral local storage usage exceeds the total limit of containers 22Gi. "),
        "DiskLimitExceeded",
        "exceeds the total limit of containers 22Gi",
        "workSize",
    ),
    "the limit of the container's files": (
        evicted('Container trainer exceeded its local ephemeral storage limit "22Gi". '),
        "DiskLimitExceeded",
        "exceeded its local ephemeral storage limit",
        "workSize",
    ),
    "the node's disk": (
        evicted(
            "The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 9Gi. Container "
            "trainer was using 6Gi, request is 5632Mi, has larger consumption of ephemeral-storage. ",
            disrupted=True,
            disruption="TerminationByKubelet",
        ),
        "Evicted",
        "low on resource: ephemeral-storage. Threshold quantity: 10Gi",
        "continues",
    ),
    "the node's pressure": (
        evicted("The node had condition: [DiskPressure]. "),
        "Evicted",
        "[DiskPressure]",
        "continues",
    ),
    "a shutdown of the node": (
        pod(
            143,
            end_reason="Terminated",
            end_message="Pod was terminated in response to imminent node shutdown.",
            disrupted=True,
            disruption="TerminationByKubelet",
        ),
        "Evicted",
        "imminent node shutdown",
        "continues",
    ),
    "a critical Pod": (
        pod(137, end_reason="Preempting", end_message="Preempted in order to admit critical pod", disrupted=True),
        "Evicted",
        "admit critical pod",
        "continues",
    ),
    "a Pod of a higher priority": (
        pod(143, disrupted=True, disruption="PreemptionByScheduler"),
        "Evicted",
        "a Pod of a higher priority",
        "continues",
    ),
    "kubectl drain": (
        pod(143, disrupted=True, disruption="EvictionByEvictionAPI"),
        "Evicted",
        "kubectl drain",
        "continues",
    ),
    "a node that does not answer": (
        pod(None, disrupted=True, disruption="DeletionByTaintManager"),
        "Evicted",
        "no longer answers",
        "continues",
    ),
    "a node that is gone": (pod(None, disrupted=True, disruption="DeletionByPodGC"), "Evicted", "is gone", "continues"),
    "a disruption that is new": (
        pod(1, disrupted=True, disruption="Tomorrow"),
        "Evicted",
        "leave its node",
        "continues",
    ),
    "no room on the node": (
        pod(
            None, end_reason="OutOfcpu", end_message="Pod was rejected: Node didn't have enough resource: cpu, used: 9"
        ),
        "NodeRefused",
        "OutOfcpu: Pod was rejected",
        "kubelet",
    ),
    "a device plugin": (
        pod(None, end_reason="UnexpectedAdmissionError", end_message="Allocate failed due to no healthy devices"),
        "NodeRefused",
        "no healthy devices",
        "drivers",
    ),
    "a deadline that others set": (
        pod(
            143,
            end_reason="DeadlineExceeded",
            end_message="Pod was active on the node longer than the specified deadline",
        ),
        "DeadlineExceeded",
        "longer than the specified deadline",
        "log",
    ),
    "an image without the program": (
        pod(128, start_error='exec: "tweetbot-trainer": executable file not found in $PATH'),
        "ImageUnusable",
        "not found in $PATH",
        "trainerImage",
    ),
    "an image for another processor": (
        pod(128, start_error="exec /usr/bin/tweetbot-trainer: exec format error"),
        "ImageUnusable",
        "exec format error",
        "trainerImage",
    ),
    "the node's GPU driver": (
        pod(128, start_error="nvidia-container-cli: initialization error: driver not loaded"),
        "ContainerNotStarted",
        "driver not loaded",
        "drivers",
    ),
    "an init container": (pod(None, unready=ISTIO), "InitContainerFailed", "Init:Error of container istio-init", "log"),
    "exit code 1": (pod(1), "AttemptFailed", "exit code 1", "log"),
    "exit code 2": (pod(2), "ImageUnusable", "differ in version", "trainerImage"),
    "exit code 126": (pod(126), "ImageUnusable", "cannot be executed", "trainerImage"),
    "exit code 127": (pod(127), "ImageUnusable", "has no tweetbot-trainer", "trainerImage"),
    "exit code 128": (pod(128), "AttemptFailed", "exit code 128", "log"),
    "SIGILL": (pod(132), "ImageUnusable", "SIGILL", "spec.scheduling.nodeSelector"),
    "SIGABRT": (pod(134), "Crashed", "SIGABRT", "driver"),
    "SIGBUS": (pod(135), "Crashed", "/dev/shm is full", "driver"),
    "SIGKILL, not for the limit": (pod(137), "Killed", "SIGKILL", "spec.resources.memory"),
    "SIGSEGV": (pod(139), "Crashed", "SIGSEGV", "driver"),
    "SIGTERM": (pod(143), "Stopped", "SIGTERM", "continues"),
    "no exit code": (pod(None), "AttemptFailed", "without an exit code", "log"),
    "an exit code that is new": (pod(77), "AttemptFailed", "exit code 77", "log"),
}


@pytest.mark.parametrize("cause", CAUSES.values(), ids=CAUSES)
def test_each_end_has_its_reason_its_words_and_advice(cause: tuple[PodView, str, str, str]) -> None:
    ended, reason, words, advice = cause
    found = find_cause(ended, "Train")
    assert found.reason == reason
    assert words in found.words
    assert advice in found.advice
    assert found.reason in BY_NAME


def test_what_the_trainer_reports_comes_first() -> None:
    said = a_refusal_of_the_trainer("StorageUnavailable", "S3 does not answer")
    assert explain_end(pod(75, said=said, disrupted=True), "Train").message == "S3 does not answer"


def test_a_preparations_memory_is_the_platforms_to_raise() -> None:
    found = find_cause(pod(137, out_of_memory=True), "Prepare")
    assert "prepareMemory" in found.advice
    assert "spec.resources" not in found.advice


@pytest.mark.parametrize(
    ("last", "reason", "words"),
    [
        (evicted('Usage of EmptyDir volume "work" exceeds the limit "20Gi". '), "DiskLimitExceeded", "workSize"),
        (pod(127), "ImageUnusable", "trainerImage"),
        (pod(139), "AttemptsExhausted", "SIGSEGV"),
        (pod(137), "AttemptsExhausted", "SIGKILL"),
        (pod(137, out_of_memory=True), "OutOfMemory", "spec.resources.memory"),
    ],
)
def test_the_end_of_all_attempts_names_the_cause(last: PodView, reason: str, words: str) -> None:
    ended = diagnose_failure(a_failed_job(a_bot_in("Train")), (last,), searched=True)
    assert isinstance(ended, Failed)
    assert ended.reason == reason
    assert words in ended.message
    assert ended.message[0].isupper()
    assert len(ended.message) <= 1024


def test_longest_words_leave_room_for_the_advice() -> None:
    found = find_cause(pod(128, start_error="exec format error " + "x" * 4000), "Train")
    assert len(found.message) <= 512
    assert "trainerImage" in found.message


def test_the_words_are_read_from_the_pods_status() -> None:
    conditions = [{"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}]
    status = {"phase": "Failed", "reason": "Terminated", "message": "node shutdown", "conditions": conditions}
    metadata = {
        "namespace": "a",
        "name": "b",
        "uid": "c",
        "resourceVersion": "1",
        "creationTimestamp": "2026-01-01T12:00:00Z",
    }
    read = parse_pod({"metadata": metadata, "spec": {"containers": []}, "status": status})
    assert (read.end_reason, read.end_message, read.disruption) == (
        "Terminated",
        "node shutdown",
        "TerminationByKubelet",
    )
