"""Reasons why a Pod does not start or end, and why it ended without a result."""

from tweetbot_contract.reasons.reason import RETRAIN, Reason, ask_author, ask_platform

SECRET_NOT_FOUND = ask_author(
    "SecretNotFound",
    "A Secret that the spec names, or the ConfigMap of spec.caBundle, does not exist or lacks a key.",
    "Create it, and the run continues by itself. It fails when spec.run.startDeadlineSeconds have passed.",
)
UNSCHEDULABLE = ask_platform(
    "Unschedulable",
    "No node can take the Pod.",
    "Lower spec.resources, correct spec.scheduling, or add a node. The run then continues by itself.",
)
SCHEDULING_GATED = ask_platform(
    "SchedulingGated",
    "A policy or a webhook has put a gate before the Pod's scheduling, and nobody has opened it.",
    "Let what set the gate open it, or exempt Pods with the label app.kubernetes.io/managed-by=tweetbot-operator from "
    "it. The run continues when the gate is open, and fails when startDeadlineSeconds have passed.",
)
POD_REFUSED = ask_author(
    "PodRefused",
    "The namespace admits no Pod of the Job: a quota, a LimitRange, Pod Security, a webhook, or something missing.",
    "Correct what the message names: lower spec.resources, create the ServiceAccount or class that the spec names, or "
    "have the quota or policy changed. The run then continues by itself.",
)
IMAGE_PULL_FAILED = ask_platform(
    "ImagePullFailed",
    "The trainer image cannot be pulled, or that of a container that others have added to the Pod.",
    "Check its name and the node's access to the registry.",
)
INIT_CONTAINER_FAILED = ask_platform(
    "InitContainerFailed",
    "A container that others have added to the Pod fails before the trainer starts.",
    f"Read that container's log, and correct what added it (docs/meshes.md). Once the run has failed, {RETRAIN}.",
)
WAITING_FOR_INIT_CONTAINER = ask_platform(
    "WaitingForInitContainer",
    "A container that others have added to the Pod has to end, or to start, before the trainer does.",
    "Read that container's log: it waits for something, or must be left out (docs/meshes.md). The run continues when "
    "it has ended, and fails when startDeadlineSeconds have passed.",
)
CONTAINER_NOT_STARTED = ask_platform(
    "ContainerNotStarted",
    "The node cannot start a container of the Pod.",
    "Correct what the message names. The run then continues by itself.",
)
POD_STARTING = Reason(
    "PodStarting",
    "The Pod has not started yet, and nothing is known to be wrong. The message says what it does.",
    "Nothing to do: the run fails when startDeadlineSeconds have passed.",
    if_it_lasts="Platform",
)
START_DEADLINE_EXCEEDED = ask_author(
    "StartDeadlineExceeded",
    "The Pod did not start within spec.run.startDeadlineSeconds.",
    f"Remove the cause that the message names, then {RETRAIN}.",
)
DEADLINE_EXCEEDED = ask_author(
    "DeadlineExceeded",
    "The stage ran longer than spec.run.activeDeadlineSeconds.",
    "Raise spec.run.activeDeadlineSeconds, or give the run less to do.",
)
OUT_OF_MEMORY = ask_author(
    "OutOfMemory", "The trainer exceeded its memory limit.", "Raise spec.resources.memory; the operator then retries."
)
DISK_LIMIT_EXCEEDED = ask_platform(
    "DiskLimitExceeded",
    "The Pod used more of its node's disk than its limit.",
    f"Have the operator's setting workSize raised, which limits /work, then {RETRAIN}; or choose a smaller model in "
    "spec.model.base, or a smaller source.",
)
IMAGE_UNUSABLE = ask_platform(
    "ImageUnusable",
    "The trainer image cannot run on the node.",
    f"Set the operator's setting trainerImage to one of its version and the node's processor, then {RETRAIN}.",
)
NODE_REFUSED = ask_platform(
    "NodeRefused",
    "The node did not start a Pod that was assigned to it.",
    "If it repeats, look at the node's kubelet, runtime and drivers.",
)
KILLED = ask_author(
    "Killed",
    "The trainer was killed from outside its container's memory limit.",
    "If it repeats, raise spec.resources.memory: the node may have been out of memory, as its kernel's log then says.",
)
CRASHED = ask_platform(
    "Crashed",
    "The trainer crashed in native code.",
    "If it repeats on one node, suspect its memory, GPU or driver; if on every node, report the Pod's log.",
)
ATTEMPT_FAILED = ask_platform(
    "AttemptFailed", "An attempt ended and left no reason.", "Read the Pod's log, and report it if it is no help."
)
ATTEMPTS_EXHAUSTED = ask_author(
    "AttemptsExhausted", "Every attempt ended without a result.", f"Read the Pods' logs, then {RETRAIN} to try again."
)
ORPHANED = ask_author(
    "Orphaned",
    "A Job's TweetBot is gone, as after kubectl delete --cascade=orphan. An Event of the Job says whose it was.",
    "Apply the TweetBot again, and its run goes on from the last checkpoint. To keep the Job as it is, take its label "
    "app.kubernetes.io/managed-by off.",
)
NODE_LOST = ask_platform(
    "NodeLost",
    "The Pod's node no longer answers, so the Pod cannot end.",
    "Delete the Node, or force-delete the Pod; the operator never does.",
)
