"""What a Pod's status says, from what is known of its containers. Nothing here touches the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tweetbot_cluster.node.pod.address import NODE_IP, get_pod_ip
from tweetbot_cluster.node.pod.supervisor import Exit

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The container has not started, and why."""

    reason: str = "ContainerCreating"
    message: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """The container runs since `started_at`."""

    started_at: str


@dataclass(frozen=True, slots=True)
class Terminated:
    """The container has ended, with the text of its termination message."""

    exit: Exit
    message: str
    lost: bool = False

    @property
    def reason(self) -> str:
        """The kubelet's word for the end."""
        if self.lost:
            return "ContainerStatusUnknown"
        if self.exit.error:
            return "StartError"
        return "Completed" if self.exit.code == 0 else "Error"


State = Waiting | Running | Terminated


@dataclass(frozen=True, slots=True)
class Restarts:
    """How often a native sidecar was started again, and how it ended the last time."""

    count: int
    last: Terminated


def is_sidecar(container: Document) -> bool:
    """Whether an init container runs on beside the containers, and is started again if it ends before them."""
    return container.get("restartPolicy") == "Always"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A phase, reason and message that hold whatever the containers say: a deadline, a refusal, a deletion."""

    phase: str
    reason: str = ""
    message: str = ""


def phase_of(states: Sequence[State], initialised: bool) -> str:
    """Return the phase of a Pod whose containers are never restarted."""
    if not initialised or any(isinstance(state, Waiting) for state in states):
        return "Pending"  # one that has not started is enough, whatever the others do (kubernetes/pkg/kubelet)
    codes = [state.exit.code for state in states if isinstance(state, Terminated)]
    if len(codes) < len(states):
        return "Running"
    return "Failed" if any(codes) else "Succeeded"


def phase_with_sidecars(phase: str, sidecars: Sequence[State]) -> str:
    """Return the phase of a Pod whose other containers give it this one: its sidecars end last, and never fail it."""
    runs = any(isinstance(state, Running) for state in sidecars)
    return "Running" if runs and phase != "Pending" else phase


def pod_status(
    pod: Document,
    states: Mapping[str, State],
    *,
    started_at: str,
    now: str,
    verdict: Verdict | None = None,
    restarts: Mapping[str, Restarts] | None = None,
) -> Document:
    """Return the status to patch into the Pod; `states` has every init container and container by name."""
    spec = pod["spec"]
    init = [states[each["name"]] for each in spec.get("initContainers", []) if not is_sidecar(each)]
    sidecars = [states[each["name"]] for each in spec.get("initContainers", []) if is_sidecar(each)]
    main = [states[each["name"]] for each in spec["containers"]]
    begun = any(not isinstance(state, Waiting) for state in main)
    initialised = begun or (
        all(isinstance(state, Terminated) and state.exit.code == 0 for state in init)
        and all(isinstance(state, Running) for state in sidecars)
    )
    failed_init = any(isinstance(state, Terminated) and state.exit.code for state in init)
    own = "Failed" if failed_init else phase_with_sidecars(phase_of(main, initialised), sidecars)
    phase = verdict.phase if verdict else own
    status: Document = {
        "phase": phase,
        "startTime": started_at,
        "hostIP": NODE_IP,
        "hostIPs": [{"ip": NODE_IP}],
        "podIP": get_pod_ip(pod),
        "podIPs": [{"ip": get_pod_ip(pod)}],
        "conditions": _conditions(pod, phase, initialised, main, now),
        "containerStatuses": [_container(pod, each, states[each["name"]], None) for each in spec["containers"]],
        "observedGeneration": pod["metadata"].get("generation", 1),
    }
    if known := spec.get("initContainers"):
        again = restarts or {}
        status["initContainerStatuses"] = [_container(pod, c, states[c["name"]], again.get(c["name"])) for c in known]
    if verdict and verdict.reason:
        status |= {"reason": verdict.reason, "message": verdict.message}
    return status


def _conditions(pod: Document, phase: str, initialised: bool, main: Sequence[State], now: str) -> list[Document]:
    """Return the kubelet's conditions; PodScheduled and DisruptionTarget are others' and stay untouched."""
    ready = phase == "Running" and all(isinstance(state, Running) for state in main)
    why = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase, "ContainersNotReady")
    started = any(not isinstance(state, Waiting) for state in main) and phase == "Running"
    wanted = [
        ("PodReadyToStartContainers", started, ""),
        ("Initialized", initialised, "PodCompleted" if phase == "Succeeded" else ""),
        ("ContainersReady", ready, "" if ready else why),
        ("Ready", ready, "" if ready else why),
    ]
    former = {each["type"]: each for each in pod.get("status", {}).get("conditions", [])}
    return [_condition(former.get(kind, {}), kind, "True" if true else "False", reason, now)
            for kind, true, reason in wanted]  # fmt: skip


def _condition(former: Document, kind: str, status: str, reason: str, now: str) -> Document:
    changed = former.get("lastTransitionTime", now) if former.get("status") == status else now
    return {
        "type": kind,
        "status": status,
        "reason": reason or None,
        "lastProbeTime": None,
        "lastTransitionTime": changed,
    }


def _container(pod: Document, container: Document, state: State, restarts: Restarts | None) -> Document:
    status: Document = {
        "name": container["name"],
        "image": container["image"],
        "imageID": "" if isinstance(state, Waiting) else f"process-node://{container['image']}",
        "ready": isinstance(state, Running),
        "started": isinstance(state, Running),
        "restartCount": restarts.count if restarts else 0,
        "lastState": _state(pod, container, restarts.last) if restarts else {},
        "state": _state(pod, container, state),
    }
    if not isinstance(state, Waiting):
        status["containerID"] = _container_id(pod, container)
    return status


def _container_id(pod: Document, container: Document) -> str:
    return f"process://{pod['metadata']['uid']}/{container['name']}"


def _state(pod: Document, container: Document, state: State) -> Document:
    match state:
        case Waiting():
            waiting = {"reason": state.reason} | ({"message": state.message} if state.message else {})
            return {"waiting": waiting}
        case Running():
            return {"running": {"startedAt": state.started_at}}
        case Terminated():
            ended: Document = {
                "exitCode": state.exit.code,
                "reason": state.reason,
                "startedAt": state.exit.started_at,
                "finishedAt": state.exit.finished_at,
                "containerID": _container_id(pod, container),
            }
            return {"terminated": ended | ({"message": state.message} if state.message else {})}
