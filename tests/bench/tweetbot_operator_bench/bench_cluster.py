"""The cluster that is measured: etcd, API server and controller manager on the same two cores, as peers are measured.

There is no scheduler and no node: what they would do, `kubelets` plays.
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
#: What the managers of large clusters are given; the default of 20 requests a second would be what is measured.
_UNBOUND = {"kube-api-qps": "2000", "kube-api-burst": "4000", "concurrent-job-syncs": "20"}


@contextmanager
def bench_cluster(folder: Path) -> Iterator[EmbeddedCluster]:
    """Yield a cluster that knows TweetBots."""
    policy = folder / "audit-policy.json"
    policy.write_text(json.dumps(POLICY))
    own = {"audit-policy-file": str(policy), "audit-log-maxsize": "4000", "event-ttl": "10m"}
    # Ten thousand runs leave some gigabytes of former versions: compacted every minute, they are room again.
    flags = {
        "etcd": {"quota-backend-bytes": str(8 * 2**30)},
        "kube-apiserver": own | {"etcd-compaction-interval": "1m"},
    }
    with EmbeddedCluster(folder / "cluster", parts=PARTS, flags=flags) as cluster:
        cluster.seed()
        yield cluster


@contextmanager
def playing_nodes(cluster: EmbeddedCluster, *, hold_training: bool = False) -> Iterator[None]:
    """Have Pods come and end as fast as the machine can; before and after, the controller manager has its defaults."""
    _restart_manager(cluster, _UNBOUND)
    command = [sys.executable, "-m", "tweetbot_operator_bench.kubelets", str(cluster.kubeconfig)]
    player = subprocess.Popen([*command, "--hold-training"] if hold_training else command)
    try:
        yield
        if player.poll() is not None:
            raise RuntimeError("who plays the nodes has ended")
    finally:
        player.terminate()
        player.wait(60)
        _restart_manager(cluster, {})


def _restart_manager(cluster: EmbeddedCluster, flags: dict[str, str]) -> None:
    cluster.stop(_MANAGER)
    cluster.flags[_MANAGER] = flags
    cluster.start(_MANAGER)
