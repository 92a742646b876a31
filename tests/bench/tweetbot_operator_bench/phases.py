"""What is measured as a fleet grows: its launch, its runs, what it costs at rest, and a restart."""

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_contract.handover import GROUP, PLURAL, VERSION
from tweetbot_operator_bench import fleet
from tweetbot_operator_bench.api import Api
from tweetbot_operator_bench.arithmetic import Figures, compare_rounds, count_per_run, summarize_launch
from tweetbot_operator_bench.audit import AuditLog, select_writes
from tweetbot_operator_bench.bench_cluster import CLASS_DEFAULTS, apply_default_class, run_kubelets
from tweetbot_operator_bench.neighbour import BARE, QUIET, compare_neighbour, launch_neighbour
from tweetbot_operator_bench.operators import Operator, Usage
from tweetbot_operator_bench.restore import restore_bots

AT_A_RATE, RATE = 100, 10.0  # TweetBots, TweetBots a second
_CLASS_ROUNDS, _CLASS_BOTS = 4, 200  # rounds with and without a class, TweetBots each
_POLL_SECONDS = 1.0  # each poll makes the operator render all of its metrics
_TIMEOUT = 1800.0  # seconds until runs that do not end stop the bench


@dataclass
class Fleet:
    """The cluster, the measured operator, the number of TweetBots, and how many of their runs ended."""

    cluster: EmbeddedCluster
    api: Api
    audit: AuditLog
    operator: Operator
    held: int = 0
    ended: int = 0
    names: Iterator[str] = field(default_factory=lambda: (f"bot-{number:05d}" for number in itertools.count()))

    def reserve_names(self, count: int) -> list[str]:
        """Return unused names, and count their TweetBots as existing."""
        self.held += count
        return list(itertools.islice(self.names, count))


def log_progress(**figures: object) -> None:
    """Print progress to stderr."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {json.dumps(figures)}\n")
    sys.stderr.flush()


async def measure_bare_client(api: Api, at_once: int) -> dict[str, Figures]:
    """Measure a client that only creates Jobs."""
    figures = {}
    for name, count, rate in (("ten_a_second", AT_A_RATE, RATE), ("at_once", at_once, fleet.AS_FAST_AS_IT_GOES)):
        names = [f"bare-{name.replace('_', '-')}-{number}" for number in range(count)]
        figures[name] = summarize_launch(await fleet.launch_bare_jobs(api, names, rate))
        await fleet.delete_bare_jobs(api)
    return figures


async def measure_level(here: Fleet, size: int, most_at_once: int) -> dict[str, Any]:
    """Grow the fleet to `size` TweetBots; measure the launch and the runs of those created last."""
    at_once = min(size, most_at_once)
    await _fill_fleet(here, size - at_once - AT_A_RATE)
    here.audit.count_new_requests()
    figures: dict[str, Any] = {"size": size, "ten_a_second": await _launch(here, AT_A_RATE, RATE)}
    here.operator.wait_until_idle()
    figures["at_once"] = await measure_burst(here, at_once, f"at-{size}", neighbour=size >= most_at_once)
    log_progress(**figures)
    figures["runs"] = await _measure_runs(here)
    counts, runs = here.audit.count_new_requests(), figures["runs"]["runs"]
    figures["runs"]["requests_a_run"] = count_per_run(counts, runs)
    figures["runs"]["writes_a_run"] = round(sum(select_writes(counts).values()) / runs, 2)
    log_progress(size=size, runs=figures["runs"])
    return figures


async def measure_class(here: Fleet) -> dict[str, Any]:
    """Launch and run TweetBots that take all from a class with budgets, and some that have it written out, in turn."""
    rounds: dict[bool, list[Figures]] = {False: [], True: []}
    for number in range(2 * _CLASS_ROUNDS):
        with_class = number % 4 in (1, 2)  # without, with, with, without: what grows with time falls on both
        async with apply_default_class(here.api) if with_class else nullcontext():
            here.operator.wait_until_idle()
            written = None if with_class else CLASS_DEFAULTS
            rate = await _launch(here, AT_A_RATE // 2, RATE, written)
            burst = await _launch(here, _CLASS_BOTS, fleet.AS_FAST_AS_IT_GOES, written)
            runs = await _measure_runs(here)
        rounds[with_class].append(
            {
                "at_10_a_second_p50_ms": rate["p50_ms"],
                "burst_jobs_per_second": burst["jobs_per_second"],
                "burst_cpu_seconds": burst["cpu_seconds"],
                "cpu_ms_a_run": runs["cpu_ms_a_run"],
                "rss_mib": burst["rss_mib"],
            }
        )
        log_progress(with_class=with_class, **rounds[with_class][-1])
    return compare_rounds(rounds[False], rounds[True])


async def _fill_fleet(here: Fleet, size: int) -> None:
    """Grow the fleet to a size with TweetBots whose run ended long ago."""
    if size <= here.held:
        return
    names = here.reserve_names(size - here.held)
    here.operator.stop()
    await restore_bots(here.api, names, example="bot-00000")
    here.ended += len(names)
    here.operator.start()
    here.operator.wait_until_ready()
    here.operator.wait_until_idle()
    log_progress(filled=here.held)


async def measure_burst(here: Fleet, count: int, label: str, *, neighbour: bool = True) -> dict[str, Any]:
    """Create TweetBots at once, right after a bare client its Jobs; with a neighbour, see what that one notices."""
    names = [f"bare-{label}-{number}" for number in range(count)]
    bare = summarize_launch(await fleet.launch_bare_jobs(here.api, names, fleet.AS_FAST_AS_IT_GOES))["jobs_per_second"]
    await fleet.delete_bare_jobs(here.api)
    here.operator.wait_until_idle()
    quiet = await launch_neighbour(here.api, f"{label}-quiet", QUIET) if neighbour else None
    before, end = here.operator.read_usage(), asyncio.Event()
    beside = asyncio.create_task(launch_neighbour(here.api, f"{label}-beside", None, end)) if neighbour else None
    burst = await fleet.launch_bots(here.api, here.reserve_names(count), fleet.AS_FAST_AS_IT_GOES)
    after = here.operator.read_usage()
    end.set()
    launch = summarize_launch(burst)
    figures: dict[str, Any] = {**launch, **_subtract_usage(before, after), "bare_jobs_per_second": bare}
    figures["share_of_bare_client"] = round(launch["jobs_per_second"] / bare, 3)
    if quiet and beside:
        launched = await beside
        here.held += len(quiet[0]) + len(launched[0])
        figures["neighbour"] = compare_neighbour(quiet, launched, max(span.asked for span in burst.values()))
        await fleet.delete_bare_jobs(here.api, BARE)
    return {**figures, "held": here.held}


async def _launch(here: Fleet, count: int, rate: float, spec: dict[str, Any] | None = None) -> dict[str, Any]:
    before = here.operator.read_usage()
    spans = await fleet.launch_bots(here.api, here.reserve_names(count), rate, spec=spec)
    return {**summarize_launch(spans), **_subtract_usage(before, here.operator.read_usage()), "held": here.held}


def _subtract_usage(before: Usage, after: Usage) -> Figures:
    return {"cpu_seconds": round(after.cpu - before.cpu, 2), "rss_mib": round(after.rss_mib, 1)}


async def _measure_runs(here: Fleet) -> dict[str, Any]:
    """Let all Pods end, and wait until every run has ended and its Jobs are gone."""
    count, done = here.held - here.ended, here.operator.read_metric("tweetbot_runs_finished_total", outcome="Succeeded")
    here.ended = here.held
    with run_kubelets(here.cluster):
        before, begun = here.operator.read_usage(), time.monotonic()
        seconds = await _wait_until_ended(here, done + count) - begun
        tidied = await _wait_until_cleaned_up(here) - begun
    after = here.operator.read_usage()
    return {
        "runs": count,
        "runs_per_second": round(count / seconds, 1),
        "seconds": round(seconds, 1),
        "seconds_until_jobs_are_gone": round(tidied, 1),
        "cpu_ms_a_run": round(1000 * (after.cpu - before.cpu) / count, 2),
        "peak_rss_mib": round(after.peak_mib, 1),
    }


async def _wait_until_ended(here: Fleet, total: float) -> float:
    deadline = time.monotonic() + _TIMEOUT
    while (ended := here.operator.read_metric("tweetbot_runs_finished_total", outcome="Succeeded")) < total:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{ended:.0f} of {total:.0f} runs have succeeded")
        await asyncio.sleep(_POLL_SECONDS)
    return time.monotonic()


async def _wait_until_cleaned_up(here: Fleet) -> float:
    while here.operator.read_metric("tweetbot_cache_objects", kind="jobs"):
        await asyncio.sleep(_POLL_SECONDS)
    return time.monotonic()


async def count_phases(api: Api) -> Counter[str]:
    """Count the TweetBots by phase."""
    found: Counter[str] = Counter()
    async for item in api.requests.list_items(f"/apis/{GROUP}/{VERSION}/{PLURAL}", {}):
        found[item.get("status", {}).get("phase", "")] += 1
    return found


async def measure_restart(here: Fleet) -> Figures:
    """Restart the operator while a TweetBot waits for it: time to its Job, time until idle, and memory then."""
    here.operator.wait_until_idle()
    at_rest = here.operator.read_usage()
    here.operator.stop()
    seen: dict[str, float] = {}
    watching = asyncio.create_task(
        fleet.watch_first_jobs(here.api, seen, await here.api.get_resource_version(fleet.JOBS))
    )
    probe, path = f"probe-{here.held}", f"/apis/{GROUP}/{VERSION}/namespaces/{fleet.NAMESPACE}/{PLURAL}"
    await here.api.requests.post(path, fleet.build_bot(probe))
    begun = here.operator.start()
    while probe not in seen:
        await asyncio.sleep(0.05)
    watching.cancel()
    calm = await asyncio.to_thread(here.operator.wait_until_idle)
    usage = here.operator.read_usage()
    await here.api.requests.delete(f"{path}/{probe}", {"apiVersion": "v1", "kind": "DeleteOptions"})
    return {
        "held": here.held,
        "rss_mib_before": round(at_rest.rss_mib, 1),
        "seconds_to_first_job": round(seen[probe] - begun, 1),
        "seconds_to_quiet": round(calm - begun, 1),
        "cpu_seconds": round(usage.cpu, 1),
        "rss_mib": round(usage.rss_mib, 1),
        "peak_rss_mib": round(usage.peak_mib, 1),
    }


async def measure_idle(here: Fleet, seconds: float) -> dict[str, Any]:
    """Leave the fleet alone, and count what the operator does."""
    here.operator.wait_until_idle()
    here.audit.count_new_requests()
    before = here.operator.read_usage()
    await asyncio.sleep(seconds)
    after, counts = here.operator.read_usage(), here.audit.count_new_requests()
    return {
        "held": here.held,
        "seconds": seconds,
        "writes": sum(select_writes(counts, besides=()).values()),
        "requests": dict(sorted(counts.items())),
        "cpu_seconds": round(after.cpu - before.cpu, 2),
        "rss_mib": round(after.rss_mib, 1),
        "peak_rss_mib": round(after.peak_mib, 1),
    }
