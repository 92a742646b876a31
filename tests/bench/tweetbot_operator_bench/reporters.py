"""Trainings that report their progress at once, each with a token of the API server's own for its Pod."""

import asyncio
import json
import ssl
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import aiohttp

from tweetbot_contract.handover import (
    BOT_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    RUN_LABEL,
    STAGE_LABEL,
    build_progress_audience,
    build_progress_path,
)
from tweetbot_operator_bench import fleet
from tweetbot_operator_bench.api import Api
from tweetbot_operator_bench.arithmetic import percentile
from tweetbot_operator_bench.audit import writes
from tweetbot_operator_bench.bench_cluster import playing_nodes
from tweetbot_operator_bench.phases import Fleet, say

_AT_ONCE = 16
_ROUNDS = 6
_PODS = f"/api/v1/namespaces/{fleet.NAMESPACE}/pods"


@dataclass(frozen=True, slots=True)
class Reporter:
    """One training: where it reports, and by which token."""

    path: str
    token: str


async def reporters(here: Fleet, port: int, count: int, every: float) -> dict[str, Any]:
    """Bring `count` runs into training, and have each report every `every` seconds, six times."""
    await fleet.launch_bots(here.api, here.fresh(count), fleet.AS_FAST_AS_IT_GOES)
    with playing_nodes(here.cluster, hold_training=True):
        pods = await _training_pods(here.api, count)
        gate = asyncio.Semaphore(_AT_ONCE)
        crowd = await asyncio.gather(*(_reporter(here.api, gate, pod) for pod in pods))
        here.operator.wait_until_calm()
        say(reporters=len(crowd))
        here.audit.since()
        before, begun = here.operator.usage(), time.monotonic()
        codes, delays = await _reported(here, crowd, f"https://127.0.0.1:{port}", every)
        after, seconds = here.operator.usage(), time.monotonic() - begun
    counts = here.audit.since()
    return {
        "reporters": count,
        "every_seconds": every,
        "accepted_per_second": round(codes[200] / seconds, 1),
        "answers": {str(code): number for code, number in sorted(codes.items())},
        "p50_ms": round(1000 * percentile(delays, 0.5), 1),
        "p99_ms": round(1000 * percentile(delays, 0.99), 1),
        "status_writes": sum(writes(counts).values()),
        "cpu_share_of_a_core": round((after.cpu - before.cpu) / seconds, 2),
        "rss_mib": round(after.rss_mib, 1),
    }


async def _training_pods(api: Api, count: int) -> list[dict[str, Any]]:
    query = {
        "labelSelector": f"{MANAGED_BY_LABEL}={MANAGED_BY},{STAGE_LABEL}=train",
        "fieldSelector": "status.phase=Running",
    }
    while True:
        pods = [pod["metadata"] async for pod in api.requests.list_items(_PODS, query)]
        if len(pods) >= count:
            return pods
        await asyncio.sleep(1)


async def _reporter(api: Api, gate: asyncio.Semaphore, pod: dict[str, Any]) -> Reporter:
    run = (pod["namespace"], pod["labels"][BOT_LABEL], pod["labels"][RUN_LABEL])
    spec = {
        "audiences": [build_progress_audience(*run)],
        "expirationSeconds": 3600,
        "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": pod["name"], "uid": pod["uid"]},
    }
    async with gate:
        answer = await api.requests.post(
            f"/api/v1/namespaces/{fleet.NAMESPACE}/serviceaccounts/default/token",
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec},
        )
    return Reporter(build_progress_path(*run), str(answer["status"]["token"]))


async def _reported(here: Fleet, crowd: list[Reporter], url: str, every: float) -> tuple[Counter[int], list[float]]:
    codes: Counter[int] = Counter()
    delays: list[float] = []
    context = ssl.create_default_context(cafile=str(here.cluster.state.certificates / "ca.crt"))
    connector = aiohttp.TCPConnector(ssl=context, limit=64)

    async def one(number: int, reporter: Reporter, session: aiohttp.ClientSession) -> None:
        await asyncio.sleep(every * number / len(crowd))
        for turn in range(_ROUNDS):
            begun = time.monotonic()
            headers = {"Authorization": f"Bearer {reporter.token}"}
            async with session.post(url + reporter.path, data=_report(turn), headers=headers) as answer:
                await answer.read()
            codes[answer.status] += 1
            delays.append(time.monotonic() - begun)
            await asyncio.sleep(max(begun + every - time.monotonic(), 0))

    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(one(number, reporter, session) for number, reporter in enumerate(crowd)))
    return codes, delays


def _report(turn: int) -> bytes:
    """Return the report of a training that gets on by a point each time."""
    metrics = [{"name": "loss", "value": f"{3 - turn / 10}"}, {"name": "current_step", "value": str(turn + 1)}]
    status = {"progressPercentage": turn + 1, "estimatedRemainingSeconds": 60 - turn, "metrics": metrics}
    return json.dumps({"trainerStatus": {**status, "lastUpdatedTime": "2026-01-01T12:00:00Z"}}).encode()
