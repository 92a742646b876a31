"""What is measured of a fleet as it grows: its launch, its runs, what it costs at rest, and a restart."""

import asyncio
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_contract.handover import GROUP, PLURAL, VERSION
from tweetbot_operator_bench import fleet
from tweetbot_operator_bench.api import Api
from tweetbot_operator_bench.arithmetic import Figures, a_run, launch_figures
from tweetbot_operator_bench.audit import Audit, writes
from tweetbot_operator_bench.bench_cluster import playing_nodes
from tweetbot_operator_bench.operators import Operator
from tweetbot_operator_bench.restored import restore

AT_A_RATE, RATE = 100, 10.0  # TweetBots, TweetBots a second
NEIGHBOUR = "neighbour"
_NEIGHBOUR_RATE = 2.0  # TweetBots a second
_LOOK_EVERY = 1.0  # seconds; each look has the operator write out all of its metrics
_PATIENCE = 1800.0  # seconds until runs that do not end stop the bench


@dataclass
class Fleet:
    """The cluster, the operator that is measured, how many TweetBots there are, and how many of their runs ended."""

    cluster: EmbeddedCluster
    api: Api
    audit: Audit
    operator: Operator
    held: int = 0
    ended: int = 0
    names: Iterator[str] = field(default_factory=lambda: (f"bot-{number:05d}" for number in itertools.count()))

    def fresh(self, count: int) -> list[str]:
        """Return names that nobody has, and count their TweetBots as there."""
        self.held += count
        return list(itertools.islice(self.names, count))


def say(**told: object) -> None:
    """Tell on stderr what goes on."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {json.dumps(told)}\n")
    sys.stderr.flush()


async def bare_client(api: Api, at_once: int) -> dict[str, Figures]:
    """Measure what the machine gives a client that creates Jobs and does nothing else."""
    figures = {}
    for name, count, rate in (("ten_a_second", AT_A_RATE, RATE), ("at_once", at_once, fleet.AS_FAST_AS_IT_GOES)):
        names = [f"bare-{name.replace('_', '-')}-{number}" for number in range(count)]
        figures[name] = launch_figures(await fleet.launch_bare_jobs(api, names, rate))
        await fleet.delete_bare_jobs(api)
    return figures


async def level(here: Fleet, size: int, most_at_once: int, bare_rate: float) -> dict[str, Any]:
    """Grow the fleet to `size` TweetBots, the last of them before our eyes; measure their launch and their runs."""
    at_once = min(size, most_at_once)
    await _fill(here, size - at_once - AT_A_RATE)
    here.audit.since()
    figures: dict[str, Any] = {"size": size, "ten_a_second": await _launch(here, AT_A_RATE, RATE)}
    here.operator.wait_until_calm()
    neighbour = asyncio.create_task(_neighbour(here, size)) if size > most_at_once else None
    figures["at_once"] = await _launch(here, at_once, fleet.AS_FAST_AS_IT_GOES)
    figures["at_once"]["share_of_bare_client"] = round(figures["at_once"]["jobs_per_second"] / bare_rate, 3)
    if neighbour:
        figures["at_once"]["neighbour"] = await neighbour
    say(**figures)
    figures["runs"] = await _runs(here)
    counts, runs = here.audit.since(), figures["runs"]["runs"]
    figures["runs"]["requests_a_run"] = a_run(counts, runs)
    figures["runs"]["writes_a_run"] = round(sum(writes(counts).values()) / runs, 2)
    say(size=size, runs=figures["runs"])
    return figures


async def _fill(here: Fleet, size: int) -> None:
    """Bring the fleet to a size by TweetBots that had their run long ago."""
    if size <= here.held:
        return
    names = here.fresh(size - here.held)
    here.operator.stop()
    await restore(here.api, names, example="bot-00000")
    here.ended += len(names)
    here.operator.start()
    here.operator.wait_until_ready()
    here.operator.wait_until_calm()
    say(filled=here.held)


async def _launch(here: Fleet, count: int, rate: float) -> dict[str, Any]:
    before = here.operator.usage()
    spans = await fleet.launch_bots(here.api, here.fresh(count), rate)
    after = here.operator.usage()
    used = {"cpu_seconds": round(after.cpu - before.cpu, 2), "rss_mib": round(after.rss_mib, 1)}
    return {**launch_figures(spans), **used, "held": here.held}


async def _neighbour(here: Fleet, size: int) -> Figures:
    """Launch some TweetBots in a namespace of their own while another one brings thousands."""
    names = [f"calm-{size}-{number}" for number in range(20)]
    here.held += len(names)
    return launch_figures(await fleet.launch_bots(here.api, names, _NEIGHBOUR_RATE, NEIGHBOUR))


async def _runs(here: Fleet) -> dict[str, Any]:
    """Let all Pods end, and wait until every run has ended and its Jobs are gone."""
    count, done = here.held - here.ended, here.operator.metric("tweetbot_runs_finished_total", outcome="Succeeded")
    here.ended = here.held
    with playing_nodes(here.cluster):
        before, begun = here.operator.usage(), time.monotonic()
        seconds = await _until_ended(here, done + count) - begun
        tidied = await _until_tidy(here) - begun
    after = here.operator.usage()
    return {
        "runs": count,
        "runs_per_second": round(count / seconds, 1),
        "seconds": round(seconds, 1),
        "seconds_until_jobs_are_gone": round(tidied, 1),
        "cpu_ms_a_run": round(1000 * (after.cpu - before.cpu) / count, 2),
        "peak_rss_mib": round(after.peak_mib, 1),
    }


async def _until_ended(here: Fleet, total: float) -> float:
    deadline = time.monotonic() + _PATIENCE
    while (ended := here.operator.metric("tweetbot_runs_finished_total", outcome="Succeeded")) < total:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{ended:.0f} of {total:.0f} runs have succeeded")
        await asyncio.sleep(_LOOK_EVERY)
    return time.monotonic()


async def _until_tidy(here: Fleet) -> float:
    while here.operator.metric("tweetbot_cache_objects", kind="jobs"):
        await asyncio.sleep(_LOOK_EVERY)
    return time.monotonic()


async def phases_of(api: Api) -> Counter[str]:
    """Count the TweetBots by the phase that the API server shows."""
    found: Counter[str] = Counter()
    async for item in api.requests.list_items(f"/apis/{GROUP}/{VERSION}/{PLURAL}", {}):
        found[item.get("status", {}).get("phase", "")] += 1
    return found


async def restart(here: Fleet) -> Figures:
    """Restart the operator with one TweetBot that waits for it: until its Job, until quiet, and what it holds then."""
    here.operator.wait_until_calm()
    at_rest = here.operator.usage()
    here.operator.stop()
    seen: dict[str, float] = {}
    watching = asyncio.create_task(fleet.note_jobs(here.api, seen, await here.api.position(fleet.JOBS)))
    probe, path = f"probe-{here.held}", f"/apis/{GROUP}/{VERSION}/namespaces/{fleet.NAMESPACE}/{PLURAL}"
    await here.api.requests.post(path, fleet.bot(probe))
    begun = here.operator.start()
    while probe not in seen:
        await asyncio.sleep(0.05)
    watching.cancel()
    calm = await asyncio.to_thread(here.operator.wait_until_calm)
    usage = here.operator.usage()
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


async def idle(here: Fleet, seconds: float) -> dict[str, Any]:
    """Leave the fleet alone, and count what the operator does all the same."""
    here.operator.wait_until_calm()
    here.audit.since()
    before = here.operator.usage()
    await asyncio.sleep(seconds)
    after, counts = here.operator.usage(), here.audit.since()
    return {
        "held": here.held,
        "seconds": seconds,
        "writes": sum(writes(counts, besides=()).values()),
        "requests": dict(sorted(counts.items())),
        "cpu_seconds": round(after.cpu - before.cpu, 2),
        "rss_mib": round(after.rss_mib, 1),
        "peak_rss_mib": round(after.peak_mib, 1),
    }
