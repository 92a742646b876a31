"""The nodes of a fleet, simulated by one process: every trainer Pod succeeds with a trainer's termination message.

`python -m tweetbot_operator_bench.kubelets KUBECONFIG` ends all Pods; with `--train-seconds` trainings keep running,
each at its own address, where it serves its progress.
No scheduler is needed: the API server accepts the status of a Pod that is bound to no node.
"""

import argparse
import asyncio
import itertools
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import aiohttp
from aiohttp import web

from tweetbot_contract.data_table import DataTable
from tweetbot_contract.handover import MANAGED_BY, MANAGED_BY_LABEL, RUN_LABEL, STAGE_LABEL
from tweetbot_contract.progress import PROGRESS_PATH, PROGRESS_PORT, ProgressReport
from tweetbot_contract.result import (
    DatasetResult,
    Metrics,
    PrepareSucceeded,
    PublishedModel,
    Sample,
    TrainSucceeded,
    encode,
)
from tweetbot_operator_bench.api import Api, Manifest, connect

_PODS = "/api/v1/pods"
_AT_ONCE = 8
_DIGEST = "d" * 64
_TABLE = DataTable(downloaded=2000, retweets=300, short=200, kept=1500)
_PREPARED = PrepareSucceeded(
    dataset=DatasetResult(digest=_DIGEST, uri=f"s3://tweetbot/datasets/{_DIGEST}", table=_TABLE)
)
_TRAINED = TrainSucceeded(
    model=PublishedModel(
        name="default-bench-19e1db609cef938e",
        uri="s3://tweetbot/models/default/bench/models/19e1db609cef938e/model",
        digest=_DIGEST,
        size_bytes=3_800_000,
        published_at="2026-01-01T12:00:00Z",
    ),
    metrics=Metrics(
        eval_loss=2.5, perplexity=12.2, bits_per_byte=1.1, train_loss=2.0, tokens_per_second=900, train_seconds=13
    ),
    samples=tuple(Sample(prompt="My dream is", text="My dream is " + 6 * "a long walk by the sea ") for _ in range(5)),
)
MESSAGES = {"prepare": encode(_PREPARED).decode(), "train": encode(_TRAINED).decode()}


class Trainings:
    """Trainings of `seconds` each (0: none), asked for their progress at their own addresses of the loopback."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._free = (f"127.66.{number // 250}.{number % 250 + 1}" for number in itertools.count())
        self._running: dict[str, tuple[float, str, str]] = {}

    async def start(self, pod_uid: str, run_id: str) -> str:
        """Begin one and return its address."""
        address = next(self._free)
        self._running[address] = (time.monotonic(), pod_uid, run_id)
        await web.TCPSite(self._runner, address, PROGRESS_PORT).start()
        return address

    async def __aenter__(self) -> Self:
        """Set up the server, which listens where trainings start."""
        app = web.Application()
        app.router.add_get(PROGRESS_PATH, self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        assert request.transport
        begun, pod_uid, run_id = self._running[request.transport.get_extra_info("sockname")[0]]
        done = min((time.monotonic() - begun) / self.seconds, 0.99)
        report = ProgressReport(
            run_id=run_id,
            stage="Train",
            pod_uid=pod_uid,
            percent=int(100 * done),
            step=int(1000 * done),
            total_steps=1000,
            eta_seconds=int((1 - done) * self.seconds),
            train_loss=3 - done,
        )
        return web.Response(body=report.encode(), content_type="application/json")


def build_pod_status(stage: str, now: str, *, ip: str = "") -> Manifest:
    """Build the status of a Pod of this stage that runs at an address, or has succeeded."""
    running = bool(ip)
    ended = {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now, "message": MESSAGES[stage]}
    container = {
        "name": "trainer",
        "image": "tweetbot-trainer",
        "imageID": "",
        "ready": running,
        "restartCount": 0,
        "state": {"running": {"startedAt": now}} if running else {"terminated": ended},
    }
    phase = "Running" if running else "Succeeded"
    address = {"podIP": ip, "podIPs": [{"ip": ip}]} if ip else {}
    return {"phase": phase, "startTime": now, "containerStatuses": [container], **address}


class Kubelets:
    """Updates Pods in the order in which they appear, several at once."""

    def __init__(self, api: Api, trainings: Trainings) -> None:
        self._api, self._trainings = api, trainings
        self._queue: asyncio.Queue[Manifest] = asyncio.Queue()

    async def run(self) -> None:
        """Update Pods for ever."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_AT_ONCE):
                tasks.create_task(self._update_pods())
            query = {"labelSelector": f"{MANAGED_BY_LABEL}={MANAGED_BY}", "fieldSelector": "status.phase=Pending"}
            async for event in self._api.watch(_PODS, query):
                metadata = event["object"]["metadata"]
                if event["type"] == "ADDED" and "deletionTimestamp" not in metadata:
                    self._queue.put_nowait(metadata)

    async def _update_pods(self) -> None:
        while True:
            pod = await self._queue.get()
            stage, now = pod["labels"][STAGE_LABEL], datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            holds = stage == "train" and self._trainings.seconds
            ip = await self._trainings.start(pod["uid"], pod["labels"][RUN_LABEL]) if holds else ""
            path = f"/api/v1/namespaces/{pod['namespace']}/pods/{pod['name']}"
            try:
                await self._api.patch_status(path, build_pod_status(stage, now, ip=ip))
            except aiohttp.ClientResponseError as fault:
                if fault.status not in (404, 409):  # deleted meanwhile
                    raise


async def _run_kubelets(kubeconfig: Path, train_seconds: float) -> None:
    async with connect(kubeconfig) as api, Trainings(train_seconds) as trainings:
        await Kubelets(api, trainings).run()


def main() -> None:
    """Run until terminated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kubeconfig", type=Path)
    parser.add_argument("--train-seconds", type=float, default=0, help="how long a training takes; 0: no time")
    asked = parser.parse_args()
    asyncio.run(_run_kubelets(asked.kubeconfig, asked.train_seconds))


if __name__ == "__main__":
    main()
