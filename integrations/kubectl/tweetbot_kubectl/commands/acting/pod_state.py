"""How a Pod that a person waits for is, in a sentence."""

from dataclasses import dataclass

from tweetbot_kubectl.cluster.parse import CONTAINER
from tweetbot_kubectl.cluster.requests import Document


@dataclass(frozen=True, slots=True)
class PodState:
    """How a Pod is. `exit_code` is its trainer's, once that has ended."""

    sentence: str
    running: bool = False
    ended: bool = False
    exit_code: int | None = None


def read_pod_state(pod: Document) -> PodState:
    """Return how a Pod is."""
    status = pod.get("status") or {}
    phase, state = status.get("phase", "Pending"), _get_container_state(status)
    if ended := state.get("terminated"):
        return PodState(_describe_end(status, ended), ended=True, exit_code=ended.get("exitCode"))
    if phase in ("Succeeded", "Failed"):
        return PodState(
            f"the Pod ended: {status.get('reason', phase)}. {status.get('message', '')}".strip(), ended=True
        )
    if "running" in state:
        return PodState("the server starts", running=True)
    if waiting := state.get("waiting"):
        reason = waiting.get("reason", "")
        if reason == "ContainerCreating":
            return PodState("its node pulls the image and mounts volumes")
        return PodState(f"{reason}: {waiting.get('message', '')}".rstrip(": "))
    scheduled: Document = next((each for each in status.get("conditions") or () if each["type"] == "PodScheduled"), {})
    if scheduled.get("status") == "False":
        return PodState(f"no node takes the Pod: {scheduled.get('message', scheduled.get('reason', ''))}")
    return PodState("it waits for a node")


def _get_container_state(status: Document) -> Document:
    containers = status.get("containerStatuses") or ()
    state: Document = next((each.get("state") or {} for each in containers if each["name"] == CONTAINER), {})
    return state


def _describe_end(status: Document, ended: Document) -> str:
    if status.get("reason") == "DeadlineExceeded":
        return "its time was over"
    if ended.get("reason") == "OOMKilled":
        return "it used more memory than it may: pass a larger --memory"
    return f"it ended with exit code {ended.get('exitCode')}"
