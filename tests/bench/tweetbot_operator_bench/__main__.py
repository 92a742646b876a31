"""`make bench-operator`: print the figures as JSON on stdout, and progress on stderr."""

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
from tweetbot_operator_bench.api import connect
from tweetbot_operator_bench.audit import AuditLog
from tweetbot_operator_bench.bench_cluster import run_bench_cluster
from tweetbot_operator_bench.failover import measure_failover
from tweetbot_operator_bench.neighbour import BARE, NEIGHBOUR
from tweetbot_operator_bench.operators import Operator
from tweetbot_operator_bench.phases import (
    Fleet,
    count_phases,
    log_progress,
    measure_bare_client,
    measure_class,
    measure_idle,
    measure_level,
    measure_restart,
)
from tweetbot_operator_bench.reporters import measure_reporters

#: Jobs are deleted after seconds instead of an hour, so that the figures include the whole life of a run.
_LIFE = {"TWEETBOT_SUCCESS_TTL_SECONDS": "10"}


def main() -> None:
    """Measure and print."""
    asked, begun = _parse_arguments(), time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, run_bench_cluster(Path(folder)) as cluster:
        figures = asyncio.run(_measure(cluster, Path(folder), asked))
    json.dump({**_describe_machine(), **figures, "seconds": round(time.monotonic() - begun)}, sys.stdout, indent=2)
    print()


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-operator", description=__doc__)
    parser.add_argument("--sizes", type=_parse_sizes, default=(100, 1000, 5000, 10000), help="e.g. 100,1000")
    parser.add_argument("--at-once", type=int, default=1000, help="how many are created at once")
    parser.add_argument("--idle-seconds", type=float, default=600, help="how long to leave the whole fleet alone")
    parser.add_argument("--reporters", type=int, default=1000, help="trainings that are polled for progress at once")
    parser.add_argument(
        "--launches-only", action="store_true", help="measure launches and runs, and nothing after them"
    )
    parser.add_argument("--train-seconds", type=float, default=500, help="how long each of these would take")
    asked = parser.parse_args()
    if asked.sizes[0] > asked.at_once:
        parser.error(f"--sizes: begin with {asked.at_once} or fewer: larger fleets are copied from their runs")
    return asked


def _parse_sizes(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(part) for part in text.split(",")))


def _describe_machine() -> dict[str, Any]:
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit.stdout.strip(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
    }


async def _measure(cluster: EmbeddedCluster, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Grow one fleet through all sizes; the operator restarts only where restarts are measured."""
    operator = Operator(cluster.operator_kubeconfig, folder / "operator.log", _LIFE)
    async with connect(cluster.kubeconfig) as api:
        for name in (NEIGHBOUR, BARE):
            await api.requests.post("/api/v1/namespaces", {"metadata": {"name": name}})
        bare = await measure_bare_client(api, at_once=asked.at_once)
        log_progress(bare_client=bare)
        with operator:
            here = Fleet(cluster, api, AuditLog(cluster.audit_log), operator)
            figures: dict[str, Any] = {"levels": await _measure_levels(here, asked)}
            figures["class"] = await measure_class(here)
            log_progress(class_compared=figures["class"])
            if asked.launches_only:
                return {"bare_client": bare, **figures}
            figures["idle"] = await measure_idle(here, asked.idle_seconds)
            log_progress(idle=figures["idle"])
            figures["reporters"] = await measure_reporters(here, asked.reporters, asked.train_seconds)
            log_progress(reporters=figures["reporters"])
            operator.stop()
            figures["failover"] = await measure_failover(here)
            log_progress(failover=figures["failover"])
    return {"bare_client": bare, **figures}


async def _measure_levels(here: Fleet, asked: argparse.Namespace) -> list[dict[str, Any]]:
    levels = []
    for size in asked.sizes:
        figures = await measure_level(here, size, asked.at_once)
        figures["phases"] = dict(await count_phases(here.api))
        if not asked.launches_only:
            figures["restart"] = await measure_restart(here)
        log_progress(size=size, phases=figures["phases"], restart=figures.get("restart"))
        levels.append(figures)
    return levels


if __name__ == "__main__":
    main()
