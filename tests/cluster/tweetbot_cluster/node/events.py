"""Events on Pods, repeated ones counted on the first as the kubelet does."""

from __future__ import annotations

import contextlib
import secrets
from typing import Any

from tweetbot_cluster.node.api import MERGE, NodeApi, Refused, Unreachable
from tweetbot_cluster.node.pod.supervisor import now

Document = dict[str, Any]


class PodEvents:
    """The Events of one Pod. An Event that cannot be written is dropped: it must not hold up the Pod."""

    def __init__(self, api: NodeApi, pod: Document, node: str) -> None:
        self._api = api
        self._node = node
        metadata = pod["metadata"]
        self._collection = f"/api/v1/namespaces/{metadata['namespace']}/events"
        self._pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        }
        self._written: dict[tuple[str, str], tuple[str, int]] = {}

    async def warn(self, reason: str, message: str) -> None:
        """Write a Warning."""
        await self._write("Warning", reason, message)

    async def say(self, reason: str, message: str) -> None:
        """Write a Normal Event."""
        await self._write("Normal", reason, message)

    async def _write(self, kind: str, reason: str, message: str) -> None:
        name, count = self._written.get((reason, message), (f"{self._pod['name']}.{secrets.token_hex(8)}", 0))
        with contextlib.suppress(Refused, Unreachable):
            if count:
                again = {"count": count + 1, "lastTimestamp": now()}
                await self._api.patch(f"{self._collection}/{name}", again, MERGE)
            else:
                await self._api.create(self._collection, self._event(name, kind, reason, message))
            self._written[reason, message] = (name, count + 1)

    def _event(self, name: str, kind: str, reason: str, message: str) -> Document:
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": self._pod["namespace"]},
            "involvedObject": self._pod,
            "type": kind,
            "reason": reason,
            "message": message[:1024],
            "source": {"component": "kubelet", "host": self._node},
            "reportingComponent": "kubelet",
            "reportingInstance": self._node,
            "firstTimestamp": now(),
            "lastTimestamp": now(),
            "count": 1,
        }
