"""The measured cluster: etcd, API server and controller manager on the same two cores, as peers are measured.

There is no scheduler and no node: `kubelets` simulates them.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_operator_bench.audit import POLICY

_MANAGER = "kube-controller-manager"
PARTS = ("etcd", "kube-apiserver", _MANAGER)
#: As on large clusters; the default of 20 requests per second would be all that is measured.
_UNBOUND = {"kube-api-qps": "2000", "kube-api-burst": "4000", "concurrent-job-syncs": "20"}


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
    with EmbeddedCluster(folder / "cluster", parts=PARTS, flags=flags) as cluster:
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
