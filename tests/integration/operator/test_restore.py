"""etcd goes back to a backup while the operator runs: what was is read again, as every object's version is older."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders.manifests import a_manifest
from harness.operator_process import OperatorProcess, until
from tweetbot_cluster.cluster import EmbeddedCluster

BOTS = "/apis/tweetbot.dev/v1alpha1/namespaces/default/tweetbots"
#: Seconds within which a restore must have been acted on.
SOON = 60


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedCluster]:
    """An API server alone: nothing but the operator changes anything."""
    with EmbeddedCluster(tmp_path / "cluster", parts=("etcd", "kube-apiserver")) as cluster:
        cluster.seed()
        yield cluster


class Backup:
    """What etcd held at a moment."""

    def __init__(self, server: EmbeddedCluster, folder: Path) -> None:
        self._server, self._folder = server, folder
        self._home = server.state.data / "etcd"
        etcd = server.status()["etcd"]
        assert etcd
        os.kill(etcd, signal.SIGSTOP)  # so that nothing changes amid the copy
        shutil.copytree(self._home, folder)
        os.kill(etcd, signal.SIGCONT)

    def restore(self) -> None:
        """Put it back under an API server that starts again."""
        for name in ("kube-apiserver", "etcd"):
            self._server.kill(name)
        shutil.rmtree(self._home)
        shutil.copytree(self._folder, self._home)
        for name in ("etcd", "kube-apiserver"):
            self._server.start(name)


def apply(server: EmbeddedCluster, name: str, **spec: object) -> None:
    manifest = a_manifest(**spec)
    manifest["metadata"] = {"name": name}
    server.api.apply(f"{BOTS}/{name}", manifest)


def run_number(server: EmbeddedCluster, name: str) -> int:
    status = server.api.get(f"{BOTS}/{name}").get("status", {})
    return int((status.get("currentRun") or {}).get("number", 0))


def test_a_restored_world_is_acted_on_within_a_minute(server: EmbeddedCluster, tmp_path: Path) -> None:
    """No comparison helps: what is created at the end is shown by a watch that was opened again."""
    env, rare = {"TWEETBOT_LEASE_NAMESPACE": "default"}, {"JOB_RESYNC_SECONDS": 3600}
    with OperatorProcess(server.operator_kubeconfig, tmp_path / "log", env, constants=rare) as operator:
        for name in ("gull", "tern"):
            apply(server, name)
        until(lambda: run_number(server, "gull") == run_number(server, "tern") == 1, 60)
        backup = Backup(server, tmp_path / "backup")
        apply(server, "skua")
        for epochs in (5, 6, 7):
            apply(server, "gull", training={"epochs": epochs})
            until(lambda epochs=epochs: run_number(server, "gull") == epochs - 3, 60)  # type: ignore[misc]
        until(lambda: run_number(server, "skua") == 1, 60)
        backup.restore()
        apply(server, "gull", training={"epochs": 8})
        apply(server, "dunlin")
        until(lambda: run_number(server, "gull") == 2 and run_number(server, "dunlin") == 1, SOON)
        until(lambda: operator.answer("/healthz") == 200, SOON)
        apply(server, "knot")
        until(lambda: run_number(server, "knot") == 1, SOON)
        assert 'tweetbot_cache_objects{kind="tweetbots"} 4.0' in operator.metrics()
        assert 'tweetbot_watch_restarts_total{cause="Restored",resource="all"} 1.0' in operator.metrics()
