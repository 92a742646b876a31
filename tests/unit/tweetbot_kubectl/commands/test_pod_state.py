from typing import Any

import pytest

from tweetbot_kubectl.commands.acting.pod_state import PodState, read_pod_state


def a_pod(state: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    return {"status": {"containerStatuses": [{"name": "trainer", "state": state}] if state else [], **status}}


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        (a_pod(), PodState("it waits for a node")),
        (
            a_pod(conditions=[{"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}]),
            PodState("no node takes the Pod: 0/3 nodes"),
        ),
        (a_pod({"waiting": {"reason": "ContainerCreating"}}), PodState("its node pulls the image and mounts volumes")),
        (
            a_pod({"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}),
            PodState("ImagePullBackOff: not found"),
        ),
        (a_pod({"running": {"startedAt": "now"}}), PodState("the server starts", running=True)),
        (a_pod({"terminated": {"exitCode": 0}}), PodState("it ended with exit code 0", ended=True, exit_code=0)),
        (
            a_pod({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}),
            PodState("it used more memory than it may: pass a larger --memory", ended=True, exit_code=137),
        ),
        (
            a_pod({"terminated": {"exitCode": 143}}, phase="Failed", reason="DeadlineExceeded"),
            PodState("its time was over", ended=True, exit_code=143),
        ),
        (
            a_pod(phase="Failed", reason="Evicted", message="low on memory"),
            PodState("the Pod ended: Evicted. low on memory", ended=True),
        ),
    ],
)
def test_a_pods_state_is_a_sentence(pod: dict[str, Any], expected: PodState) -> None:
    assert read_pod_state(pod) == expected
