"""Create TweetBots and Jobs at a rate or all at once, and note when a watch shows each one's first Job."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence

from tweetbot_contract.handover import BOT_LABEL, GROUP, KIND, MANAGED_BY_LABEL, PLURAL, VERSION
from tweetbot_operator_bench.api import Api, Manifest
from tweetbot_operator_bench.arithmetic import Span

NAMESPACE = "default"
JOBS = "/apis/batch/v1/jobs"
#: Concurrent requests; more gain nothing on two cores.
_AT_ONCE = 16
#: Seconds without a new Job after which a launch counts as stuck.
_TIMEOUT = 120.0
AS_FAST_AS_IT_GOES = math.inf


async def launch_bots(
    api: Api, names: Sequence[str], rate: float, namespace: str = NAMESPACE, *, within: float = math.inf
) -> dict[str, Span]:
    """Create `rate` TweetBots per second, and wait for the first Job of each.

    Stops creating after `within` seconds. Raises TimeoutError if no more Jobs come.
    """

    async def create(name: str) -> None:
        await api.requests.post(f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}", build_bot(name))

    return await _launch(api, names, (rate, within), create)


async def launch_bare_jobs(api: Api, names: Sequence[str], rate: float) -> dict[str, Span]:
    """Create Jobs directly, which takes any operator at least as long; suspended, so that they have no Pods."""

    async def create(name: str) -> None:
        await api.requests.post(f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs", build_bare_job(name))

    return await _launch(api, names, (rate, math.inf), create)


async def delete_bare_jobs(api: Api) -> None:
    """Delete the Jobs of `launch_bare_jobs`."""
    path = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs?labelSelector={MANAGED_BY_LABEL}%3Dbench"
    await api.requests.delete(path, {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"})


def build_bot(name: str) -> Manifest:
    """Build a TweetBot with its own handle and archive, as a fleet has them."""
    handle = name.replace("-", "_")[-15:]
    spec = {
        "subject": {"handle": handle},
        "sources": [{"archive": {"uri": f"s3://tweetbot/archives/{name}.zip"}}],
        "output": {"s3": {"uri": "s3://tweetbot/models", "credentialsSecret": {"name": "s3"}}},
    }
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": KIND, "metadata": {"name": name}, "spec": spec}


def build_bare_job(name: str) -> Manifest:
    """Build the Job of a bare client."""
    labels = {MANAGED_BY_LABEL: "bench", BOT_LABEL: name}
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "none", "command": ["true"]}]}
    spec = {"suspend": True, "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "labels": labels}, "spec": spec}


async def _launch(
    api: Api, names: Sequence[str], pace: tuple[float, float], create: Callable[[str], Awaitable[None]]
) -> dict[str, Span]:
    seen: dict[str, float] = {}
    watching = asyncio.create_task(watch_first_jobs(api, seen, await api.get_resource_version(JOBS)))
    try:
        await asyncio.sleep(0.5)  # let the watch start before the first Job
        asked = await _create_at_rate(names, pace, create)
        await _wait_until_seen(asked, seen, watching)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return {name: Span(asked[name], seen[name]) for name in asked}


async def _create_at_rate(
    names: Sequence[str], pace: tuple[float, float], create: Callable[[str], Awaitable[None]]
) -> dict[str, float]:
    """Create one after the other at the rate, and return when each was requested."""
    (rate, within), begun = pace, time.monotonic()
    gate, asked = asyncio.Semaphore(_AT_ONCE), dict[str, float]()

    async def one(number: int, name: str) -> None:
        await asyncio.sleep(begun + number / rate - time.monotonic())
        async with gate:
            if time.monotonic() - begun <= within:
                asked[name] = time.monotonic()
                await create(name)

    await asyncio.gather(*(one(number, name) for number, name in enumerate(names)))
    return asked


async def watch_first_jobs(api: Api, seen: dict[str, float], since: str) -> None:
    """Record for ever when the first Job of each TweetBot was seen."""
    async for event in api.watch(JOBS, {"resourceVersion": since}):
        if event["type"] == "ADDED":
            name = (event["object"]["metadata"].get("labels") or {}).get(BOT_LABEL, "")
            seen.setdefault(name, time.monotonic())


async def _wait_until_seen(asked: dict[str, float], seen: dict[str, float], watching: asyncio.Task[None]) -> None:
    known, since = len(seen), time.monotonic()
    while not asked.keys() <= seen.keys():
        await asyncio.sleep(0.05)
        if watching.done():
            watching.result()
        if len(seen) > known:
            known, since = len(seen), time.monotonic()
        if time.monotonic() - since > _TIMEOUT:
            raise TimeoutError(f"{len(asked.keys() - seen.keys())} of {len(asked)} TweetBots have no Job")
