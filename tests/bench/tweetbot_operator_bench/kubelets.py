"""The nodes of a fleet, simulated by one process: every trainer Pod succeeds with a trainer's termination message.

`python -m tweetbot_operator_bench.kubelets KUBECONFIG` ends all Pods; with `--hold-training` trainings keep running.
No scheduler is needed: the API server accepts the status of a Pod that is bound to no node.
"""

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from tweetbot_contract.handover import MANAGED_BY, MANAGED_BY_LABEL, STAGE_LABEL
from tweetbot_contract.result import (
    DatasetResult,
    DataTable,
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


def build_pod_status(stage: str, now: str, *, running: bool = False) -> Manifest:
    """Build the status of a Pod of this stage that runs, or has succeeded."""
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
    return {"phase": phase, "startTime": now, "containerStatuses": [container]}


class Kubelets:
    """Updates Pods in the order in which they appear, several at once."""

    def __init__(self, api: Api, *, hold_training: bool) -> None:
        self._api, self._hold = api, hold_training
        self._queue: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()

    async def run(self) -> None:
        """Update Pods for ever."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_AT_ONCE):
                tasks.create_task(self._update_pods())
            query = {"labelSelector": f"{MANAGED_BY_LABEL}={MANAGED_BY}", "fieldSelector": "status.phase=Pending"}
            async for event in self._api.watch(_PODS, query):
                metadata = event["object"]["metadata"]
                if event["type"] == "ADDED" and "deletionTimestamp" not in metadata:
                    stage = metadata["labels"][STAGE_LABEL]
                    self._queue.put_nowait((metadata["namespace"], metadata["name"], stage))

    async def _update_pods(self) -> None:
        while True:
            namespace, name, stage = await self._queue.get()
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            status = build_pod_status(stage, now, running=self._hold and stage == "train")
            try:
                await self._api.patch_status(f"/api/v1/namespaces/{namespace}/pods/{name}", status)
            except aiohttp.ClientResponseError as fault:
                if fault.status not in (404, 409):  # deleted meanwhile
                    raise


async def _run_kubelets(kubeconfig: Path, *, hold_training: bool) -> None:
    async with connect(kubeconfig) as api:
        await Kubelets(api, hold_training=hold_training).run()


def main() -> None:
    """Run until terminated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kubeconfig", type=Path)
    parser.add_argument("--hold-training", action="store_true")
    asked = parser.parse_args()
    asyncio.run(_run_kubelets(asked.kubeconfig, hold_training=asked.hold_training))


if __name__ == "__main__":
    main()
