"""Ends a cluster whose owner (a test run, the demo) died before it could: servers are in sessions of their own.

Run as `python -m tweetbot_cluster.guardian STATE PID`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tweetbot_cluster.processes import ProcessRecord, record_of, spawn
from tweetbot_cluster.state import StateFolder

NAME = "guardian"
PACKAGES = Path(__file__).resolve().parents[1]  # tests/cluster, which is not installed anywhere


def start_guardian(state: StateFolder) -> None:
    """Start a guardian that ends the cluster in this folder when the calling process is gone."""
    command = [sys.executable, "-m", "tweetbot_cluster.guardian", str(state.root), str(os.getpid())]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PACKAGES)}
    spawn(command, state.pids / NAME, log=state.logs / f"{NAME}.log", env=env)


def guard(state: Path, owner: ProcessRecord) -> None:
    """Wait for the owner's end, however it comes, then end the cluster."""
    owner.wait(None)
    from tweetbot_cluster.cluster import EmbeddedCluster

    EmbeddedCluster(state).down()


if __name__ == "__main__":
    guard(Path(sys.argv[1]), record_of(int(sys.argv[2])))
