"""Pods that would not mean the same on the process node."""

from typing import Any

import pytest

from tweetbot_cluster.node.refusals import refusal


def a_pod(container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", **(container or {})}], **spec}}


def test_a_plain_pod_is_run() -> None:
    assert refusal(a_pod()) is None
    assert refusal(a_pod(initContainers=[{"name": "i", "restartPolicy": "Always"}])) is None


@pytest.mark.parametrize(
    ("pod", "word"),
    [
        (a_pod(restartPolicy="OnFailure"), "OnFailure"),
        (a_pod(restartPolicy="Always"), "Always"),
        (a_pod(initContainers=[{"name": "i", "startupProbe": {"exec": {}}}]), "startupProbe"),
        (a_pod({"livenessProbe": {"exec": {}}}), "livenessProbe"),
        (a_pod({"lifecycle": {"preStop": {}}}), "lifecycle"),
        (a_pod(shareProcessNamespace=True), "shareProcessNamespace"),
    ],
)
def test_a_pod_that_cannot_be_honoured_is_refused_by_name(pod: dict[str, Any], word: str) -> None:
    assert word in (refusal(pod) or "")
