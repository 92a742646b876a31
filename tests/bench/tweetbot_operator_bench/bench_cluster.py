"""The measured cluster: etcd, API server and controller manager on the same two cores, as peers are measured.

There is no scheduler and no node: `kubelets` simulates them.
"""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_contract.handover import GROUP, VERSION
from tweetbot_operator_bench.api import Api, Manifest
from tweetbot_operator_bench.audit import POLICY

_MANAGER = "kube-controller-manager"
PARTS = ("etcd", "kube-apiserver", _MANAGER)
#: As on large clusters; the default of 20 requests per second would be all that is measured.
_UNBOUND = {"kube-api-qps": "2000", "kube-api-burst": "4000", "concurrent-job-syncs": "20"}
#: What the class gives to specs; a TweetBot without a class has it written out, so that both make the same Jobs.
CLASS_DEFAULTS: Manifest = {
    "resources": {"gpu": {"resource": "nvidia.com/gpu", "count": 1}, "cpu": "4", "memory": "16Gi"},
    "scheduling": {"nodeSelector": {"pool": "gpu"}, "prepare": {"nodeSelector": {"pool": "cpu"}}},
}
#: A class with defaults, limits, pods and budgets that the bench does not use up.
_CLASS: Manifest = {
    "apiVersion": f"{GROUP}/{VERSION}",
    "kind": "TweetBotClass",
    "metadata": {"name": "bench", "annotations": {"tweetbot.dev/is-default-class": "true"}},
    "spec": {
        "defaults": CLASS_DEFAULTS,
        "limits": {"bases": ["hf://gpt2*"], "buckets": ["s3://tweetbot"], "gpuResources": ["nvidia.com/gpu"]},
        "pods": {
            "labels": {"cost-center": "4711"},
            "proxy": {"https": "http://proxy.example.com:3128", "bypass": [".example.com"]},
        },
        "budgets": [{"windowHours": 168, "gpuSeconds": 10**9, "runs": 10**6}],
    },
}


@asynccontextmanager
async def apply_default_class(api: Api) -> AsyncIterator[None]:
    """Have every TweetBot that begins a run inside take its class and count against its budgets."""
    path = f"/apis/{GROUP}/{VERSION}/tweetbotclasses"
    await api.requests.post(path, _CLASS)
    try:
        yield
    finally:
        await api.requests.delete(f"{path}/bench", {"apiVersion": "v1", "kind": "DeleteOptions"})


@contextmanager
def run_bench_cluster(folder: Path) -> Iterator[EmbeddedCluster]:
    """Run a cluster with the TweetBot CRD."""
    policy = folder / "audit-policy.json"
    policy.write_text(json.dumps(POLICY))
    own = {"audit-policy-file": str(policy), "audit-log-maxsize": "4000", "event-ttl": "10m"}
    # Ten thousand runs leave gigabytes of old revisions: compact them every minute.
    flags = {
        "etcd": {"quota-backend-bytes": str(8 * 2**30)},
        "kube-apiserver": own | {"etcd-compaction-interval": "1m"},
    }
    with EmbeddedCluster(folder / "cluster", parts=PARTS, flags=flags, server_env={}) as cluster:
        cluster.seed()
        yield cluster


@contextmanager
def run_kubelets(cluster: EmbeddedCluster, *, train_seconds: float = 0) -> Iterator[None]:
    """Start and end Pods as fast as the machine can; meanwhile the controller manager has no rate limits."""
    _restart_manager(cluster, _UNBOUND)
    command = [sys.executable, "-m", "tweetbot_operator_bench.kubelets", str(cluster.kubeconfig)]
    player = subprocess.Popen([*command, f"--train-seconds={train_seconds}"])
    try:
        yield
        if player.poll() is not None:
            raise RuntimeError("the simulated nodes have ended")
    finally:
        player.terminate()
        player.wait(60)
        _restart_manager(cluster, {})


def _restart_manager(cluster: EmbeddedCluster, flags: dict[str, str]) -> None:
    cluster.stop(_MANAGER)
    cluster.flags[_MANAGER] = flags
    cluster.start(_MANAGER)
