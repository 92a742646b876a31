"""Create TweetBots and Jobs at a rate or all at once, and note when a watch shows each one's first Job."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable

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
#: Objects per second, and what ends their creation before all names are used.
Pace = tuple[float, asyncio.Event | None]


async def launch_bots(
    api: Api,
    names: Iterable[str],
    rate: float,
    namespace: str = NAMESPACE,
    *,
    until: asyncio.Event | None = None,
    spec: Manifest | None = None,
) -> dict[str, Span]:
    """Create `rate` TweetBots per second, each with these parts of a `spec`, and wait for the first Job of each.

    Stops creating once `until` is set. Raises TimeoutError if no more Jobs come.
    """

    async def create(name: str) -> None:
        await api.requests.post(f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}", build_bot(name, spec))

    return await _launch(api, names, (rate, until), create, namespace)


async def launch_bare_jobs(
    api: Api, names: Iterable[str], rate: float, namespace: str = NAMESPACE, *, until: asyncio.Event | None = None
) -> dict[str, Span]:
    """Create Jobs directly, which takes any operator at least as long; suspended, so that they have no Pods."""

    async def create(name: str) -> None:
        await api.requests.post(f"/apis/batch/v1/namespaces/{namespace}/jobs", build_bare_job(name))

    return await _launch(api, names, (rate, until), create, namespace)


async def delete_bare_jobs(api: Api, namespace: str = NAMESPACE) -> None:
    """Delete the Jobs of `launch_bare_jobs`."""
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs?labelSelector={MANAGED_BY_LABEL}%3Dbench"
    await api.requests.delete(path, {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"})


def build_bot(name: str, more: Manifest | None = None) -> Manifest:
    """Build a TweetBot with its own handle and archive, as a fleet has them, and `more` parts of its spec."""
    handle = name.replace("-", "_")[-15:]
    spec = {
        "subject": {"handle": handle},
        "sources": [{"archive": {"uri": f"s3://tweetbot/archives/{name}.zip"}}],
        "output": {"s3": {"uri": "s3://tweetbot/models", "credentialsSecret": {"name": "s3"}}},
        **(more or {}),
    }
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": KIND, "metadata": {"name": name}, "spec": spec}


def build_bare_job(name: str) -> Manifest:
    """Build the Job of a bare client."""
    labels = {MANAGED_BY_LABEL: "bench", BOT_LABEL: name}
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "none", "command": ["true"]}]}
    spec = {"suspend": True, "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "labels": labels}, "spec": spec}


async def _launch(
    api: Api, names: Iterable[str], pace: Pace, create: Callable[[str], Awaitable[None]], namespace: str
) -> dict[str, Span]:
    seen: dict[str, float] = {}
    since = await api.get_resource_version(JOBS)
    watching = asyncio.create_task(watch_first_jobs(api, seen, since, namespace))
    try:
        await asyncio.sleep(0.5)  # let the watch start before the first Job
        asked = await _create_at_rate(names, pace, create)
        await _wait_until_seen(asked, seen, watching)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return {name: Span(asked[name], seen[name]) for name in asked}


async def _create_at_rate(
    names: Iterable[str], pace: Pace, create: Callable[[str], Awaitable[None]]
) -> dict[str, float]:
    """Create one after the other at the rate, and return when each was requested."""
    (rate, until), begun = pace, time.monotonic()
    gate, asked = asyncio.Semaphore(_AT_ONCE), dict[str, float]()

    async def one(name: str) -> None:
        async with gate:
            asked[name] = time.monotonic()
            await create(name)

    async with asyncio.TaskGroup() as group:
        for number, name in enumerate(names):
            await asyncio.sleep(begun + number / rate - time.monotonic())
            if until and until.is_set():
                break
            group.create_task(one(name))
    return asked


async def watch_first_jobs(api: Api, seen: dict[str, float], since: str, namespace: str = NAMESPACE) -> None:
    """Record for ever when the first Job of each TweetBot of a namespace was seen."""
    async for event in api.watch(f"/apis/batch/v1/namespaces/{namespace}/jobs", {"resourceVersion": since}):
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
