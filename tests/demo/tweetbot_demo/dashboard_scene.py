"""The dashboard's picture from an operator at work: python -m tweetbot_demo.dashboard_scene [MINUTES]

Two teams share an embedded cluster: runs end, fail, and wait for a Secret, room or budget. Prometheus is Debian's.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tweetbot_cluster.cluster import OPERATOR, EmbeddedCluster
from tweetbot_cluster.state import free_ports
from tweetbot_demo.dashboard_picture import PICTURE, Prometheus, draw_dashboard

TEAMS = ("team-a", "team-b")
#: What each TweetBot has beside what the class gives, by team and name.
BOTS: dict[tuple[str, str], dict[str, Any]] = {
    ("team-a", "harbour-gull"): {"training": {"epochs": 2}},
    ("team-a", "gull-replies"): {"filter": {"replies": "Drop"}, "training": {"epochs": 2}},
    ("team-a", "no-archive"): {"sources": [{"archive": {"uri": "s3://tweetbot/archives/nobody.zip"}}]},
    ("team-b", "tern"): {"training": {"epochs": 3, "seed": 7}},
    ("team-b", "no-secret"): {"output": {"s3": {"uri": "s3://tweetbot/models", "credentialsSecret": {"name": "none"}}}},
    ("team-b", "skua"): {"training": {"epochs": 2, "seed": 8}},
}
CLASS: dict[str, Any] = {
    "metadata": {"name": "standard", "annotations": {"tweetbot.dev/is-default-class": "true"}},
    "spec": {
        "defaults": {
            "output": {"s3": {"uri": "s3://tweetbot/models", "credentialsSecret": {"name": "s3"}}},
            "model": {"base": "scratch://mini"},
            "resources": {"gpu": {"count": 0}, "cpu": "1", "memory": "2Gi"},
        },
        "budgets": [{"windowHours": 1, "runs": 5}],
    },
}


def main() -> None:
    """Play the scene, and write the picture of it."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 8
    with (
        tempfile.TemporaryDirectory() as folder,
        _start_cluster(Path(folder)) as (cluster, port),
        _start_prometheus(Path(folder), port) as address,
    ):
        _apply(cluster)
        time.sleep(40 * minutes)
        edit = '{"spec": {"training": {"epochs": 40}}}'  # so that trainings run when the picture is taken
        for team, name in (("team-a", "harbour-gull"), ("team-a", "gull-replies"), ("team-b", "tern")):
            cluster.kubectl("-n", team, "patch", "tb", name, "--type=merge", "-p", edit)
        time.sleep(20 * minutes)
        draw_dashboard(Prometheus(address, minutes, time.time())).savefig(PICTURE)


@contextmanager
def _start_cluster(folder: Path) -> Iterator[tuple[EmbeddedCluster, int]]:
    """Yield a cluster with bucket and operator, and the port of its metrics."""
    settings = {"TWEETBOT_MAX_ACTIVE_RUNS_PER_NAMESPACE": "2", "TWEETBOT_LEASE_NAMESPACE": "default"}
    with EmbeddedCluster(folder / "cluster", operator_env=settings) as cluster:
        cluster.seed()
        for team in TEAMS:
            cluster.kubectl("create", "namespace", team)
            cluster.put_secret(team)
        cluster.start(OPERATOR)
        yield cluster, cluster.settings.operator_port


@contextmanager
def _start_prometheus(folder: Path, port: int) -> Iterator[str]:
    """Yield the address of a server that scrapes the operator as the chart's monitors have it."""
    (own,), program = free_ports(1), shutil.which("prometheus")
    assert program, "apt-get install prometheus"
    target = {"targets": [f"127.0.0.1:{port}"], "labels": {"namespace": "tweetbot-system", "cluster": "west"}}
    scrape = {"job_name": "tweetbot-operator", "scrape_interval": "5s", "static_configs": [target]}
    (folder / "prometheus.yml").write_text(json.dumps({"scrape_configs": [scrape]}))
    address = f"127.0.0.1:{own}"
    options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    server = subprocess.Popen([program, *options, f"--web.listen-address={address}"], stderr=subprocess.DEVNULL)
    try:
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait()


def _apply(cluster: EmbeddedCluster) -> None:
    kind = {"apiVersion": "tweetbot.dev/v1alpha1"}
    cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump({**kind, "kind": "TweetBotClass", **CLASS}))
    for (team, name), own in BOTS.items():
        spec = {
            "subject": {"handle": "harbour_gull", "relation": "Fictional"},
            "sources": [{"archive": {"uri": "s3://tweetbot/archives/harbour_gull.zip"}}],
            **own,
        }
        bot = {**kind, "kind": "TweetBot", "metadata": {"namespace": team, "name": name}, "spec": spec}
        cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump(bot))


if __name__ == "__main__":
    os.nice(5)
    main()
