"""From the answer to a POST until the Job is seen on a watch: through the operator, and by a bare client."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from kubernetes.aio import client, config, watch

from tweetbot_contract.handover import BOT_LABEL, GROUP, PLURAL, VERSION

NAMESPACE = "default"
PATIENCE = 300.0  # seconds until a bench that makes no progress gives up
Create = Callable[[client.CustomObjectsApi, str], Awaitable[Any]]


async def tweetbots(kubeconfig: Path, count: int, rate: float, prefix: str) -> dict[str, float]:
    """Create TweetBots and wait for the operator's Jobs."""
    return await _measure(kubeconfig, [f"{prefix}-{number}" for number in range(count)], rate, _create_tweetbot)


async def bare_jobs(kubeconfig: Path, count: int, rate: float, prefix: str) -> dict[str, float]:
    """Create Jobs directly: the least that any operator must wait for."""
    return await _measure(kubeconfig, [f"{prefix}-{number}" for number in range(count)], rate, _create_job)


async def _measure(kubeconfig: Path, names: list[str], rate: float, create: Create) -> dict[str, float]:
    async with _api(kubeconfig) as api:
        seen: dict[str, float] = {}
        watching = asyncio.create_task(_note_jobs(api, set(names), seen))
        await asyncio.sleep(1)  # the watch stands before the first Job
        begun = time.monotonic()
        created = await _create_all(api, names, rate, create)
        await asyncio.wait_for(watching, PATIENCE)
    delays = sorted(1000 * (seen[name] - created[name]) for name in names)
    return {
        "p50_ms": round(delays[len(delays) // 2], 1),
        "p99_ms": round(delays[int(len(delays) * 0.99)], 1),
        "jobs_per_second": round(len(names) / (max(seen.values()) - begun), 1),
    }


async def _create_all(api: client.CustomObjectsApi, names: list[str], rate: float, create: Create) -> dict[str, float]:
    """Create one object every 1/rate seconds, 16 at a time at the most; answers when each POST was sent."""
    gate = asyncio.Semaphore(16)
    sent: dict[str, float] = {}

    async def one(number: int, name: str) -> None:
        await asyncio.sleep(number / rate)
        async with gate:
            sent[name] = time.monotonic()
            await create(api, name)

    await asyncio.gather(*(one(number, name) for number, name in enumerate(names)))
    return sent


async def _note_jobs(api: client.CustomObjectsApi, wanted: set[str], seen: dict[str, float]) -> None:
    stream = watch.Watch().stream(api.list_namespaced_custom_object, "batch", "v1", NAMESPACE, "jobs")
    async for event in stream:
        labels = event["object"]["metadata"].get("labels") or {}
        name = labels.get(BOT_LABEL, event["object"]["metadata"]["name"])
        if name in wanted:
            seen.setdefault(name, time.monotonic())
        if len(seen) == len(wanted):
            return


async def _create_tweetbot(api: client.CustomObjectsApi, name: str) -> None:
    spec = {
        "subject": {"handle": "harbour_gull"},
        "sources": [{"archive": {"uri": "s3://tweetbot/archives/harbour_gull.zip"}}],
        "output": {"s3": {"uri": "s3://tweetbot/models", "credentialsSecret": {"name": "s3"}}},
    }
    body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "TweetBot", "metadata": {"name": name}, "spec": spec}
    await api.create_namespaced_custom_object(GROUP, VERSION, NAMESPACE, PLURAL, body)


async def _create_job(api: client.CustomObjectsApi, name: str) -> None:
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "none", "command": ["true"]}]}
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": {"spec": pod}}}
    await api.create_namespaced_custom_object("batch", "v1", NAMESPACE, "jobs", body)


@asynccontextmanager
async def _api(kubeconfig: Path) -> AsyncIterator[client.CustomObjectsApi]:
    settings = client.Configuration()
    await config.load_kube_config(config_file=str(kubeconfig), client_configuration=settings)
    async with client.ApiClient(settings) as connection:
        yield client.CustomObjectsApi(connection)
