"""Start, stop and look at the embedded cluster: `python -m tweetbot_cluster up | down | status | build`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from tweetbot_cluster.binaries import HELM, NODE, OLDER, TOOLS, BuildFailed, find_or_build, to_stderr
from tweetbot_cluster.cluster import OPERATOR, EmbeddedCluster, KubectlFailed
from tweetbot_cluster.seed import SeedFailed
from tweetbot_cluster.servers import StartFailed
from tweetbot_cluster.state import default_state

DEMO = Path(__file__).resolve().parents[2] / "demo"  # the seed's archive is written by tweetbot_demo


def up(cluster: EmbeddedCluster, *, operator: bool) -> None:
    """Start what does not run, seed it, and end with the line that a shell needs."""
    find_or_build(os.environ, to_stderr)
    began = time.monotonic()
    started = cluster.up()
    cluster.seed()
    if operator and not cluster.status()[OPERATOR]:
        cluster.start(OPERATOR)
        started.append(OPERATOR)
    to_stderr(f"started {', '.join(started)} in {time.monotonic() - began:.1f} s" if started else "all of it runs")
    to_stderr(f"state, logs and pods' logs: {cluster.state.root}")
    to_stderr(f"S3 at {cluster.s3_endpoint}, bucket {cluster.bucket}, key in Secret default/s3")
    print(f"export KUBECONFIG={cluster.kubeconfig}")


def down(cluster: EmbeddedCluster, *, delete: bool) -> None:
    """End what `up` started and say what that was."""
    ended = cluster.down(delete=delete)
    print(f"ended {', '.join(ended)}" if ended else "nothing was running")
    if not delete and ended:
        print(f"data and logs stay in {cluster.state.root}; down --delete removes them")


def status(cluster: EmbeddedCluster) -> None:
    """Print a line per server; the exit code is 1 unless all of the cluster runs."""
    found = cluster.status()
    for name, pid in found.items():
        print(f"{name:25} {f'pid {pid}' if pid else 'not running'}")
    if not all(pid for name, pid in found.items() if name != OPERATOR):
        raise SystemExit(1)


def build(command: str, kubernetes: str) -> None:
    """Find or build programs; prints what a Makefile needs to know of them."""
    match command:
        case "build-older":
            print(find_or_build(os.environ, to_stderr, OLDER[kubernetes])["kube-apiserver"].parent)
        case "build-node":
            print(find_or_build(os.environ, to_stderr, NODE)["pause"])
        case _:
            for path in find_or_build(os.environ, to_stderr, (*TOOLS, HELM)).values():
                print(path)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    root = argparse.ArgumentParser(prog="tweetbot_cluster", description=__doc__)
    root.add_argument("command", choices=("up", "down", "status", "build", "build-older", "build-node"))
    root.add_argument("--kubernetes", choices=tuple(OLDER), default=max(OLDER), help="build-older: minor version")
    root.add_argument("--state", type=Path, default=default_state(os.environ), help="folder of the cluster")
    root.add_argument("--operator", action=argparse.BooleanOptionalAction, default=True, help="up: run the operator")
    root.add_argument("--delete", action="store_true", help="down: remove the folder with data and logs as well")
    return root


def main() -> int:
    """Do what the command line says; answers the exit code."""
    arguments = parser().parse_args()
    sys.path.append(str(DEMO))
    settings = {name: value for name, value in os.environ.items() if name.startswith("TWEETBOT_")}
    cluster = EmbeddedCluster(arguments.state, operator_env=settings)
    try:
        match arguments.command:
            case "up":
                up(cluster, operator=arguments.operator)
            case "down":
                down(cluster, delete=arguments.delete)
            case "status":
                status(cluster)
            case command:
                build(command, arguments.kubernetes)
    except (BuildFailed, StartFailed, KubectlFailed, SeedFailed) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
