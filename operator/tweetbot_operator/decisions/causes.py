"""Find why a Pod of ours ended that left no result: an ordered table of named checks on what kubelet and kernel say.

The kubelet's sentences are those of kubernetes/pkg/kubelet (eviction/helpers.go, preemption, nodeshutdown,
active_deadline.go), the reasons of a disruption those of k8s.io/api/core/v1 (PodReason…). Exit codes above 128 are
signals, 126 and 127 a shell's.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tweetbot_contract.handover import RETRAIN_ANNOTATION
from tweetbot_contract.reasons import (
    ATTEMPT_FAILED,
    CONTAINER_NOT_STARTED,
    CRASHED,
    DEADLINE_EXCEEDED,
    DISK_LIMIT_EXCEEDED,
    EVICTED,
    IMAGE_UNUSABLE,
    KILLED,
    NODE_REFUSED,
    OUT_OF_MEMORY,
    STOPPED,
    Reason,
)
from tweetbot_operator.decisions.pod_problems import diagnose_container
from tweetbot_operator.types.objects import PodView
from tweetbot_operator.types.times import sanitize


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a Pod ended, in words that can follow a colon, and what to do about it; a trainer's words contain that."""

    reason: str
    words: str
    advice: str = ""

    @property
    def message(self) -> str:
        """The words and the advice, as sentences."""
        return f"{self.words}. {self.advice}" if self.advice else self.words


Check = Callable[[PodView, str], Cause | None]


def find_cause(pod: PodView, stage: str) -> Cause:
    """Return why a Pod of a stage ended, by the first check that holds."""
    return next((cause for check in CHECKS if (cause := check(pod, stage))), _explain_exit_code(pod))


def get_memory_advice(stage: str) -> str:
    """Return what to do about a stage's memory: only a training's is the author's to set."""
    retry = f", then set the annotation {RETRAIN_ANNOTATION}" if stage == "Prepare" else ""
    return OUT_OF_MEMORY.advice if stage == "Train" else f"Have the operator's setting prepareMemory raised{retry}."


def check_memory(pod: PodView, stage: str) -> Cause | None:
    """The kernel killed the container for its own limit."""
    words = f"the trainer exceeded its memory limit (OOMKilled, exit code {pod.exit_code})"
    return Cause(OUT_OF_MEMORY.name, words, get_memory_advice(stage)) if pod.out_of_memory else None


#: What the kubelet says of a Pod whose own limits of disk are exceeded, and whose volume that is.
_DISK = re.compile(
    r'Usage of EmptyDir volume "(?P<volume>[^"]*)" exceeds|Pod ephemeral local storage usage exceeds the total limit'
    r"|exceeded its local ephemeral storage limit"
)
#: Volumes with a limit that no setting raises.
_FIXED = {"tmp": "/tmp", "shm": "/dev/shm"}  # noqa: S108 - mount paths inside the Pod


def check_disk(pod: PodView, stage: str) -> Cause | None:
    """The kubelet evicted the Pod for its own use of the disk. That is no disruption: another Pod would use as much."""
    found = _DISK.search(pod.end_message)
    if found is None:
        return None
    fixed = _FIXED.get(found.group("volume") or "")
    advice = f"The limit of {fixed} is fixed: report it with the Pod's log." if fixed else DISK_LIMIT_EXCEEDED.advice
    return Cause(DISK_LIMIT_EXCEEDED.name, sanitize(pod.end_message, 300), advice)


def check_admission(pod: PodView, stage: str) -> Cause | None:
    """The kubelet refused a Pod that was bound to its node, and so ended it before anything ran."""
    refused = pod.end_reason.startswith("OutOf") or pod.end_reason in _REFUSALS
    words = f"{pod.end_reason}: {sanitize(pod.end_message, 300)}"
    return Cause(NODE_REFUSED.name, words, NODE_REFUSED.advice) if refused else None


_REFUSALS = ("UnexpectedAdmissionError", "NodeAffinity", "NodePorts", "NodeName", "TopologyAffinityError", "Blocked")


def check_pod_deadline(pod: PodView, stage: str) -> Cause | None:
    """A deadline of the Pod itself, which a policy has set."""
    words = f"DeadlineExceeded: {sanitize(pod.end_message, 300)}"
    return Cause(DEADLINE_EXCEEDED.name, words, ATTEMPT_FAILED.advice) if pod.end_reason == "DeadlineExceeded" else None


#: Why a Pod had to leave its node, by the reason of its condition DisruptionTarget.
_DISRUPTIONS = {
    "PreemptionByScheduler": "a Pod of a higher priority took its place",
    "DeletionByTaintManager": "its node no longer answers, or was given a taint that the Pod does not tolerate",
    "EvictionByEvictionAPI": "it was evicted, as by kubectl drain or a cluster autoscaler",
    "DeletionByPodGC": "its node is gone",
    "TerminationByKubelet": "its node shut down, or was short of memory or disk",
}


def check_disruption(pod: PodView, stage: str) -> Cause | None:
    """The Pod had to leave its node; the kubelet's words come before those of the condition."""
    if not (pod.disrupted or pod.end_reason):
        return None
    said = sanitize(pod.end_message, 300)
    words = f"{pod.end_reason}: {said}" if said else _DISRUPTIONS.get(pod.disruption, "the Pod had to leave its node")
    return Cause(EVICTED.name, words, EVICTED.advice)


#: What the runtime says where the image, not the node, is the fault.
_BROKEN_IMAGE = re.compile(r"not found in|no such file or directory|exec format error|permission denied")


def check_start(pod: PodView, stage: str) -> Cause | None:
    """The runtime could not start the container; then there is no log."""
    if not pod.start_error:
        return None
    words = f"the node could not start the trainer: {sanitize(pod.start_error, 300)}"
    if _BROKEN_IMAGE.search(pod.start_error):
        return Cause(IMAGE_UNUSABLE.name, words, IMAGE_UNUSABLE.advice)
    advice = f"Have the node's runtime or drivers mended, then set the annotation {RETRAIN_ANNOTATION}."
    return Cause(CONTAINER_NOT_STARTED.name, words, advice)


def check_other_containers(pod: PodView, stage: str) -> Cause | None:
    """A container that others added ended the Pod before the trainer ran."""
    found = diagnose_container(pod.unready) if pod.exit_code is None and pod.unready else None
    return Cause(found[0].name, sanitize(found[1], 300), found[0].advice) if found else None


CHECKS: tuple[Check, ...] = (
    check_memory,
    check_disk,
    check_admission,
    check_pod_deadline,
    check_disruption,
    check_start,
    check_other_containers,
)

#: What an exit code means that comes without a message.
_EXIT_CODES: dict[int, tuple[Reason, str, str]] = {
    2: (IMAGE_UNUSABLE, "the trainer does not know its command: image and operator differ in version", ""),
    126: (IMAGE_UNUSABLE, "the image's tweetbot-trainer cannot be executed", ""),
    127: (IMAGE_UNUSABLE, "the image has no tweetbot-trainer", ""),
    132: (
        IMAGE_UNUSABLE,
        "the image needs instructions that the node's CPU lacks (SIGILL)",
        "Choose newer nodes by spec.scheduling.nodeSelector (to prepare, spec.scheduling.prepare.nodeSelector), or "
        f"have the operator's setting trainerImage changed, then set the annotation {RETRAIN_ANNOTATION}.",
    ),
    134: (CRASHED, "the trainer aborted in native code (SIGABRT)", ""),
    135: (
        CRASHED,
        "the trainer met a bus error (SIGBUS): /dev/shm is full, or the node's memory or disk is broken",
        "",
    ),
    136: (CRASHED, "the trainer crashed in native code (SIGFPE)", ""),
    137: (KILLED, "the trainer was killed (SIGKILL), but not for its own memory limit", ""),
    139: (CRASHED, "the trainer crashed in native code (SIGSEGV)", ""),
    143: (STOPPED, "the trainer was asked to stop (SIGTERM)", ""),
    255: (IMAGE_UNUSABLE, "the trainer ended at once, as an image for another kind of processor does", ""),
}


def _explain_exit_code(pod: PodView) -> Cause:
    if pod.exit_code is None:
        return Cause(ATTEMPT_FAILED.name, "the Pod ended without an exit code", ATTEMPT_FAILED.advice)
    reason, words, advice = _EXIT_CODES.get(pod.exit_code, (ATTEMPT_FAILED, "the trainer left no message", ""))
    return Cause(reason.name, f"{words}, exit code {pod.exit_code}", advice or reason.advice)
