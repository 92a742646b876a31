"""Find why a Pod does not start, from its state and its Events."""

import re
from datetime import datetime

from tweetbot_contract.reasons import (
    CONTAINER_NOT_STARTED,
    IMAGE_PULL_FAILED,
    INIT_CONTAINER_FAILED,
    POD_REFUSED,
    POD_STARTING,
    SCHEDULING_GATED,
    SECRET_NOT_FOUND,
    UNSCHEDULABLE,
    WAITING_FOR_INIT_CONTAINER,
    Reason,
)
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_operator.decisions.advice import advise
from tweetbot_operator.types.containers import ContainerView
from tweetbot_operator.types.objects import USUAL_WAITS, Diagnosis, Diagnostics, PodView
from tweetbot_operator.types.stage_state import StartProblem
from tweetbot_operator.types.times import add_seconds, format_time, sanitize

_IMAGE_FAULTS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")
#: What the kubelet says of a volume whose Secret or ConfigMap, or key in it, does not exist.
_SECRET = re.compile(
    r'(?:secret|configmap) "?[^" ]+"? not found|references non-existent (?:secret|config) key: \S+'
    r"|find key \S+ in Secret \S+"
)
#: Between two tries the kubelet repeats the last error after this (kubernetes/pkg/kubelet/images). It is cut, or every
#: try and every pause would change the status.
_BACK_OFF = re.compile(r'^Back-off pulling image "[^"]*": ')
#: The Pod's name differs at each try, and would change the status each time.
_POD_NAME = re.compile(r'^Error creating: (?:pods "[^"]*" is forbidden: )?')
#: Seconds a Pod may wait before the operator asks why, and says what it does: most start before.
POD_START_GRACE_SECONDS = 20
#: Seconds a Pod may wait before Stalled=True: a Secret that GitOps applies a moment later raises no alarm.
STALLED_SECONDS = 120


def find_pod_problem(pod: PodView, diagnostics: Diagnostics, now: datetime, spec: TweetBotSpec) -> StartProblem | None:
    """Return why a Pod has not started in POD_START_GRACE_SECONDS."""
    since = pod.scheduled_at or pod.created_at
    if now < add_seconds(since, POD_START_GRACE_SECONDS):
        return None
    reason, words = diagnose_pod(pod, diagnostics)
    if reason is None:
        return None
    stalled = now >= add_seconds(since, STALLED_SECONDS)
    return StartProblem(reason.name, f"{sanitize(words)}. {advise(reason, words, spec, pod.stage)}", stalled)


def find_start_step(pod: PodView, now: datetime) -> StartProblem | None:
    """Return what a Pod does that has not started in POD_START_GRACE_SECONDS, though nothing is known to be wrong."""
    since = pod.scheduled_at or pod.created_at
    if pod.exit_code is not None or now < add_seconds(since, POD_START_GRACE_SECONDS):
        return None
    node, shown = f" on node {pod.node}" if pod.node else "", f" ({pod.waiting})" if pod.waiting else ""
    words = f"{_describe_step(pod)}. Pod {pod.name} has not started since {format_time(since)}{node}{shown}"
    return StartProblem(POD_STARTING.name, f"{words}. {POD_STARTING.advice}", stalled=False)


def _describe_step(pod: PodView) -> str:
    """Return what is being done for a Pod, by its status alone."""
    if pod.scheduled_at is None:
        return "Waiting for the scheduler"
    if pod.unready and pod.unready.init:
        return f"Starting init container {pod.unready.name}, image {pod.unready.image}"
    if pod.sandbox_ready:
        return f"Pulling image {pod.image}, or creating its container"
    return f"Mounting volumes, creating the sandbox, or pulling image {pod.image}"


def get_start_times(pod: PodView) -> tuple[datetime, datetime]:
    """Return when it is said what a Pod does that has not started, and when that is an alarm."""
    since = pod.scheduled_at or pod.created_at
    return add_seconds(since, POD_START_GRACE_SECONDS), add_seconds(since, STALLED_SECONDS)


def diagnose_pod(pod: PodView, diagnostics: Diagnostics) -> tuple[Reason | None, str]:
    """Return the reason, if it is one of ours, and the cluster's message."""
    check = None if pod.sandbox_ready else diagnostics.mounts.get(pod.uid)  # volumes and network come before that
    failure = check.message if check else ""
    words = failure or pod.waiting_message
    if pod.unready and pod.waiting in USUAL_WAITS and (found := diagnose_container(pod.unready)):
        return found
    if pod.waiting in _IMAGE_FAULTS:  # its volumes are mounted by now, whatever older Events say
        last = _BACK_OFF.sub("", pod.waiting_message)
        return IMAGE_PULL_FAILED, last if last != pod.waiting_message else f"{pod.waiting}: {last}"
    if secret := _SECRET.search(words):
        return SECRET_NOT_FOUND, secret.group()
    if pod.scheduling_gates:
        return SCHEDULING_GATED, f"Gates of the Pod: {', '.join(pod.scheduling_gates)}"
    if pod.unschedulable:
        return UNSCHEDULABLE, pod.unschedulable
    if failure or pod.waiting not in USUAL_WAITS:
        return CONTAINER_NOT_STARTED, f"{pod.waiting or 'ContainerCreating'} of container trainer: {words}"
    return None, words or pod.waiting


def diagnose_container(container: ContainerView) -> tuple[Reason, str] | None:
    """Return why a container that others have added has not done its part; None if it has yet to begin.

    What kubectl shows comes first, e.g. Init:ImagePullBackOff. The words stay the same from one try to the next.
    """
    kind, name = "Init:" if container.init else "", f"container {container.name}"
    waiting, said = container.waiting, sanitize(container.waiting_message, 300)
    if waiting in _IMAGE_FAULTS:
        shown = "ImagePullBackOff" if waiting == "ErrImagePull" else waiting
        image = f", image {container.image}" if container.image else ""
        return IMAGE_PULL_FAILED, f"{kind}{shown} of {name}{image}: {_BACK_OFF.sub('', said) if image else said}"
    if container.exit_code is not None:
        shown = "CrashLoopBackOff" if container.sidecar else "Error"
        left = f": {sanitize(container.end_message, 300)}" if container.end_message else ""
        why = f" ({container.end_reason})" if container.end_reason == "OOMKilled" else ""
        how = f"exit code {container.exit_code}{why}"
        return INIT_CONTAINER_FAILED, f"{kind}{shown} of {name}: {how}{left}"
    if waiting not in USUAL_WAITS:
        return INIT_CONTAINER_FAILED if container.init else CONTAINER_NOT_STARTED, f"{kind}{waiting} of {name}: {said}"
    if container.started_at is None:
        return None
    missing = "has not started as a sidecar must" if container.sidecar else "has not ended"
    words = f"Init container {container.name} has run since {container.started_at:%H:%M:%S} UTC and {missing}"
    return WAITING_FOR_INIT_CONTAINER, words


def find_former_problem(former: tuple[PodView, ...]) -> StartProblem | None:
    """Return what ended the Pod before this attempt, if a container that others added did so before the trainer ran."""
    last = former[-1] if former else None
    if last is None or last.unready is None or last.exit_code is not None or last.deleting_at or last.disrupted:
        return None
    found = diagnose_container(last.unready)
    return StartProblem(found[0].name, f"{found[1]}. {found[0].advice}", stalled=False) if found else None


def get_start_failure(failures: tuple[str, ...]) -> str:
    """Return the newest of what keeps a Pod from starting, preferably about a Secret; empty without any."""
    return next((words for words in reversed(failures) if _SECRET.search(words)), failures[-1] if failures else "")


def get_creation_failure(failures: tuple[str, ...]) -> str:
    """Return the newest of a Job's failures to create a Pod, without that Pod's name; empty without any."""
    return _POD_NAME.sub("", failures[-1]) if failures else ""


def find_creation_problem(
    check: Diagnosis, since: datetime, now: datetime, spec: TweetBotSpec, stage: str
) -> StartProblem | None:
    """Return why a Job has had no Pod since then."""
    if not check.message or now < add_seconds(since, POD_START_GRACE_SECONDS):
        return None
    stalled = now >= add_seconds(since, STALLED_SECONDS)
    advice = advise(POD_REFUSED, check.message, spec, stage)
    return StartProblem(POD_REFUSED.name, f"{sanitize(check.message, 700)}. {advice}", stalled)
