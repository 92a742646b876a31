"""Pods for tests of the embedded cluster, and kubectl within one namespace."""

import json
from typing import Any

from tweetbot_cluster.cluster import EmbeddedCluster

Document = dict[str, Any]


def a_pod(name: str, script: str, **spec: Any) -> Document:
    """A Pod that runs a shell script; a `container` of the arguments is merged into its only container."""
    container = {"name": "main", "image": "busybox:1", "command": ["sh", "-c", script], **spec.pop("container", {})}
    spec = {"restartPolicy": "Never", "containers": [container], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


class Namespace:
    """kubectl within one namespace."""

    def __init__(self, cluster: EmbeddedCluster, namespace: str) -> None:
        self.kubectl, self.follow, self.namespace = cluster.kubectl, cluster.follow, namespace

    def __call__(self, *arguments: str, **options: Any) -> str:
        return str(self.kubectl(*arguments, "-n", self.namespace, **options).stdout)

    def apply(self, document: Document) -> None:
        self("apply", "-f", "-", input=json.dumps(document))

    def wait(self, pod: str, path: str, value: str) -> Document:
        """Wait until a field of the Pod has a value, and return the Pod."""
        self("wait", f"pod/{pod}", f"--for=jsonpath={{{path}}}={value}", "--timeout=120s")
        return self.get("pod", pod)

    def wait_for_event(self, pod: str, reason: str, text: str = "") -> str:
        """Watch the Pod's Events until one with this reason holds the text, and return its message."""
        selector = f"involvedObject.name={pod},reason={reason}"
        watch = ("get", "events", f"--field-selector={selector}", "--watch", "--request-timeout=120s")
        lines = self.follow(*watch, "-n", self.namespace, "-o", r'jsonpath={.message}{"\n"}')
        return next(line for line in lines if text in line).rstrip("\n")

    def get(self, kind: str, name: str) -> Document:
        found: Document = json.loads(self("get", kind, name, "-o", "json"))
        return found

    def first_line(self, pod: str) -> str:
        """Follow a Pod's log to its first line; a container starts talking some time after it starts."""
        return next(self.follow("logs", "--follow", pod, "-n", self.namespace))


def state_of(pod: Document) -> Document:
    """Return the state of the Pod's first container."""
    state: Document = pod["status"]["containerStatuses"][0]["state"]
    return state
