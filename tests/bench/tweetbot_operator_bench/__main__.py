"""`make bench-operator`: print the figures as JSON on stdout, what goes on meanwhile on stderr."""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.operator_server import progress_env
from tweetbot_cluster.state import free_ports
from tweetbot_operator_bench.api import api_of
from tweetbot_operator_bench.audit import Audit
from tweetbot_operator_bench.bench_cluster import bench_cluster
from tweetbot_operator_bench.failover import failover
from tweetbot_operator_bench.operators import Operator
from tweetbot_operator_bench.phases import NEIGHBOUR, Fleet, bare_client, idle, level, phases_of, restart, say
from tweetbot_operator_bench.reporters import reporters

#: Jobs stay some seconds instead of an hour, so that the end of a run's life is in the figures as well.
_LIFE = {"TWEETBOT_SUCCESS_TTL_SECONDS": "10"}


def main() -> None:
    """Measure, print."""
    asked, begun = _asked(), time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, bench_cluster(Path(folder)) as cluster:
        figures = asyncio.run(_measured(cluster, Path(folder), asked))
    json.dump({**_about(), **figures, "seconds": round(time.monotonic() - begun)}, sys.stdout, indent=2)
    print()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-operator", description=__doc__)
    parser.add_argument("--sizes", type=_sizes, default=(100, 1000, 5000, 10000), help="e.g. 100,1000")
    parser.add_argument("--at-once", type=int, default=1000, help="how many come at once at the most")
    parser.add_argument("--idle-seconds", type=float, default=600, help="how long the whole fleet is left alone")
    parser.add_argument("--reporters", type=int, default=1000, help="trainings that report progress at once")
    parser.add_argument("--report-seconds", type=float, default=5, help="seconds between two reports of one")
    asked = parser.parse_args()
    if asked.sizes[0] > asked.at_once:
        parser.error(f"--sizes: begin with {asked.at_once} or fewer, whose runs are what the larger fleets have had")
    return asked


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(part) for part in text.split(",")))


def _about() -> dict[str, Any]:
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit.stdout.strip(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
    }


async def _measured(cluster: EmbeddedCluster, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Grow one fleet through all sizes, the operator never started anew but where that is what is measured."""
    (port,) = free_ports(1)
    env = _LIFE | progress_env(cluster.state, port)
    operator = Operator(cluster.operator_kubeconfig, folder / "operator.log", env)
    async with api_of(cluster.kubeconfig) as api:
        await api.requests.post("/api/v1/namespaces", {"metadata": {"name": NEIGHBOUR}})
        bare = await bare_client(api, at_once=asked.at_once)
        say(bare_client=bare)
        with operator:
            here = Fleet(cluster, api, Audit(cluster.audit_log), operator)
            figures: dict[str, Any] = {"levels": await _levels(here, asked, bare["at_once"]["jobs_per_second"])}
            figures["idle"] = await idle(here, asked.idle_seconds)
            say(idle=figures["idle"])
            figures["reporters"] = await reporters(here, port, asked.reporters, asked.report_seconds)
            say(reporters=figures["reporters"])
            operator.stop()
            figures["failover"] = await failover(here)
            say(failover=figures["failover"])
    return {"bare_client": bare, **figures}


async def _levels(here: Fleet, asked: argparse.Namespace, bare_rate: float) -> list[dict[str, Any]]:
    levels = []
    for size in asked.sizes:
        figures = await level(here, size, asked.at_once, bare_rate)
        figures["phases"] = dict(await phases_of(here.api))
        figures["restart"] = await restart(here)
        say(size=size, phases=figures["phases"], restart=figures["restart"])
        levels.append(figures)
    return levels


if __name__ == "__main__":
    main()
