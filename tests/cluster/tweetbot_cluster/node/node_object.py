"""The Node object and its Lease, by whose renewal the node counts as alive."""

from __future__ import annotations

import asyncio
import platform
from datetime import UTC, datetime
from typing import Any

from tweetbot_cluster.binaries import kubernetes_version
from tweetbot_cluster.node.api import MERGE, NodeApi, Refused, persistently
from tweetbot_cluster.node.pod.supervisor import now

Document = dict[str, Any]
HEARTBEAT = 10  # seconds, the kubelet's own pace
LEASE_SECONDS = 40
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
# More than a small machine has: requests are bookkeeping here, and the default manifest must be schedulable anywhere.
CAPACITY = {"cpu": "16", "memory": "64Gi", "ephemeral-storage": "100Gi", "pods": "110", "nvidia.com/gpu": "1"}


def node_status(kubelet_port: int) -> Document:
    """Return the Node's status: ready, with made-up capacity, at the loopback."""
    healthy = ("MemoryPressure", "DiskPressure", "PIDPressure")
    conditions = [("Ready", "True", "KubeletReady"), *((kind, "False", "Kubelet" + kind) for kind in healthy)]
    return {
        "capacity": CAPACITY,
        "allocatable": CAPACITY,
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet_port}},
        "conditions": [
            {
                "type": kind,
                "status": status,
                "reason": reason,
                "message": "process node",
                "lastHeartbeatTime": now(),
                "lastTransitionTime": now(),
            }
            for kind, status, reason in conditions
        ],
        "nodeInfo": {
            "kubeletVersion": kubernetes_version(),
            "operatingSystem": "linux",
            "architecture": _architecture(),
            "containerRuntimeVersion": "process://1",
            "kernelVersion": "",
            "osImage": "process node",
            "bootID": "",
            "machineID": "",
            "systemUUID": "",
            "kubeProxyVersion": "",
        },
    }


async def register(api: NodeApi, name: str, kubelet_port: int) -> None:
    """Create the Node if it is not there, and report it ready."""
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": _architecture()}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
    try:
        await persistently(lambda: api.create("/api/v1/nodes", node))
    except Refused as error:
        if error.status != 409:
            raise
    await _report(api, name, kubelet_port)


async def keep_alive(api: NodeApi, name: str, kubelet_port: int) -> None:
    """Renew the Lease at every heartbeat for ever, and the status with it, which mends a node once held for lost."""
    while True:
        await persistently(lambda: _renew(api, name))
        await _report(api, name, kubelet_port)
        await asyncio.sleep(HEARTBEAT)


def _architecture() -> str:
    """Return the processor's name as Go says it."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


async def _report(api: NodeApi, name: str, kubelet_port: int) -> None:
    status = {"status": node_status(kubelet_port)}
    await persistently(lambda: api.patch(f"/api/v1/nodes/{name}/status", status))


async def _renew(api: NodeApi, name: str) -> None:
    renewed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": renewed}
    try:
        await api.patch(f"{LEASES}/{name}", {"spec": spec}, MERGE)
    except Refused as error:
        if error.status != 404:
            raise
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec}
        await api.create(LEASES, lease)
