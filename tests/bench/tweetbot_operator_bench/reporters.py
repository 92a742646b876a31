"""Trainings that the operator asks for their progress: what the polls and the status writes cost."""

import asyncio
import time
from typing import Any

from tweetbot_operator_bench import fleet
from tweetbot_operator_bench.audit import select_writes
from tweetbot_operator_bench.bench_cluster import run_kubelets
from tweetbot_operator_bench.phases import Fleet, log_progress

#: Seconds for which figures are taken.
_WINDOW = 60.0
#: Seconds that all trainings may take to start.
_PATIENCE = 1800.0


async def measure_reporters(here: Fleet, count: int, train_seconds: float) -> dict[str, Any]:
    """Start `count` trainings, wait until each has been polled, and measure for a minute."""
    await fleet.launch_bots(here.api, here.reserve_names(count), fleet.AS_FAST_AS_IT_GOES)
    with run_kubelets(here.cluster, train_seconds=train_seconds):
        async with asyncio.timeout(_PATIENCE):
            while here.operator.count_series("tweetbot_run_progress_percent") < count:
                await asyncio.sleep(1)
        log_progress(trainings=count, polls=_count_polls(here, "Succeeded"))
        here.audit.count_new_requests()
        before, failed_before = _count_polls(here, "Succeeded"), _count_polls(here, "Failed")
        usage, begun = here.operator.read_usage(), time.monotonic()
        await asyncio.sleep(_WINDOW)
        after, seconds = here.operator.read_usage(), time.monotonic() - begun
        answered, failed = _count_polls(here, "Succeeded") - before, _count_polls(here, "Failed") - failed_before
    return {
        "reporters": count,
        "train_seconds": train_seconds,
        "seconds": round(seconds),
        "accepted_per_second": round(answered / seconds, 1),
        "failed_polls": int(failed),
        "status_writes": sum(select_writes(here.audit.count_new_requests()).values()),
        "cpu_share_of_a_core": round((after.cpu - usage.cpu) / seconds, 2),
        "rss_mib": round(after.rss_mib, 1),
    }


def _count_polls(here: Fleet, outcome: str) -> float:
    return here.operator.read_metric("tweetbot_progress_polls_total", outcome=outcome)
