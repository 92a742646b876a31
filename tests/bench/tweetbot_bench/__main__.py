"""`make bench`: print the figures as JSON on stdout, what goes on meanwhile on stderr."""

import asyncio
import json
import platform
import sys
import tempfile
from pathlib import Path

from tweetbot_bench.latency import bare_jobs, tweetbots
from tweetbot_bench.usage import usage_of
from tweetbot_cluster.cluster import CONTROL_PLANE, OPERATOR, EmbeddedCluster

ROOT = Path(__file__).parents[3]
AT_A_RATE = (100, 10.0)  # objects, objects a second
AT_ONCE = (300, float("inf"))


def main() -> None:
    """Measure, print."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        cluster = EmbeddedCluster(Path(folder), parts=CONTROL_PLANE)
        with cluster:
            cluster.seed()
            cluster.start(OPERATOR)
            figures = asyncio.run(_measured(cluster))
    json.dump(figures, sys.stdout, indent=2)
    print()


async def _measured(cluster: EmbeddedCluster) -> dict[str, object]:
    """Run the operator and a bare client in turn, so that both meet the same machine."""
    figures: dict[str, object] = {"machine": f"{platform.machine()}, {platform.python_version()}"}
    for name, (count, rate) in {"ten_a_second": AT_A_RATE, "at_once": AT_ONCE}.items():
        bare = await bare_jobs(cluster.kubeconfig, count, rate, prefix=f"bare-{name.replace('_', '-')}")
        before = usage_of(cluster, OPERATOR)
        ours = await tweetbots(cluster.kubeconfig, count, rate, prefix=f"bot-{name.replace('_', '-')}")
        after = usage_of(cluster, OPERATOR)
        figures[name] = {
            "objects": count,
            "bare_client": bare,
            "operator": ours | {"cpu_seconds": round(after.cpu - before.cpu, 2), "rss_mib": round(after.rss_mib, 1)},
            "p50_ratio": round(ours["p50_ms"] / bare["p50_ms"], 2),
        }
    return figures


if __name__ == "__main__":
    main()
