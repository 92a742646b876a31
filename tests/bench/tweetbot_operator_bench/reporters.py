"""Trainings that report progress at once, each with its Pod's token from the API server."""

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
from tweetbot_operator_bench.arithmetic import compute_percentile
from tweetbot_operator_bench.audit import select_writes
from tweetbot_operator_bench.bench_cluster import run_kubelets
from tweetbot_operator_bench.phases import Fleet, log_progress

_AT_ONCE = 16
_ROUNDS = 6
_PODS = f"/api/v1/namespaces/{fleet.NAMESPACE}/pods"


@dataclass(frozen=True, slots=True)
class Reporter:
    """One training: where it reports, and with which token."""

    path: str
    token: str


async def measure_reporters(here: Fleet, port: int, count: int, every: float) -> dict[str, Any]:
    """Start `count` trainings, and let each report every `every` seconds, six times."""
    await fleet.launch_bots(here.api, here.reserve_names(count), fleet.AS_FAST_AS_IT_GOES)
    with run_kubelets(here.cluster, hold_training=True):
        pods = await _wait_for_training_pods(here.api, count)
        gate = asyncio.Semaphore(_AT_ONCE)
        crowd = await asyncio.gather(*(_make_reporter(here.api, gate, pod) for pod in pods))
        here.operator.wait_until_idle()
        log_progress(reporters=len(crowd))
        here.audit.count_new_requests()
        before, begun = here.operator.read_usage(), time.monotonic()
        codes, delays = await _send_reports(here, crowd, f"https://127.0.0.1:{port}", every)
        after, seconds = here.operator.read_usage(), time.monotonic() - begun
    counts = here.audit.count_new_requests()
    return {
        "reporters": count,
        "every_seconds": every,
        "accepted_per_second": round(codes[200] / seconds, 1),
        "answers": {str(code): number for code, number in sorted(codes.items())},
        "p50_ms": round(1000 * compute_percentile(delays, 0.5), 1),
        "p99_ms": round(1000 * compute_percentile(delays, 0.99), 1),
        "status_writes": sum(select_writes(counts).values()),
        "cpu_share_of_a_core": round((after.cpu - before.cpu) / seconds, 2),
        "rss_mib": round(after.rss_mib, 1),
    }


async def _wait_for_training_pods(api: Api, count: int) -> list[dict[str, Any]]:
    query = {
        "labelSelector": f"{MANAGED_BY_LABEL}={MANAGED_BY},{STAGE_LABEL}=train",
        "fieldSelector": "status.phase=Running",
    }
    while True:
        pods = [pod["metadata"] async for pod in api.requests.list_items(_PODS, query)]
        if len(pods) >= count:
            return pods
        await asyncio.sleep(1)


async def _make_reporter(api: Api, gate: asyncio.Semaphore, pod: dict[str, Any]) -> Reporter:
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


async def _send_reports(here: Fleet, crowd: list[Reporter], url: str, every: float) -> tuple[Counter[int], list[float]]:
    codes: Counter[int] = Counter()
    delays: list[float] = []
    context = ssl.create_default_context(cafile=str(here.cluster.state.certificates / "ca.crt"))
    connector = aiohttp.TCPConnector(ssl=context, limit=64)

    async def one(number: int, reporter: Reporter, session: aiohttp.ClientSession) -> None:
        await asyncio.sleep(every * number / len(crowd))
        for step in range(_ROUNDS):
            begun = time.monotonic()
            headers = {"Authorization": f"Bearer {reporter.token}"}
            async with session.post(url + reporter.path, data=_build_report(step), headers=headers) as answer:
                await answer.read()
            codes[answer.status] += 1
            delays.append(time.monotonic() - begun)
            await asyncio.sleep(max(begun + every - time.monotonic(), 0))

    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(one(number, reporter, session) for number, reporter in enumerate(crowd)))
    return codes, delays


def _build_report(step: int) -> bytes:
    """Build the report of a training that advances by one percent each time."""
    metrics = [{"name": "loss", "value": f"{3 - step / 10}"}, {"name": "current_step", "value": str(step + 1)}]
    status = {"progressPercentage": step + 1, "estimatedRemainingSeconds": 60 - step, "metrics": metrics}
    return json.dumps({"trainerStatus": {**status, "lastUpdatedTime": "2026-01-01T12:00:00Z"}}).encode()
