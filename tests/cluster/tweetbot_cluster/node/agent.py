"""The process node's agent: a watch over the Pods bound to this node, and one worker for each."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from pathlib import Path
from typing import Any

from tweetbot_cluster.node.api import NodeApi, Refused, Unreachable, persistently
from tweetbot_cluster.node.pod.containers import Container
from tweetbot_cluster.node.pod.worker import Node, PodWorker
from tweetbot_cluster.node_server import remove

Document = dict[str, Any]
PAUSE = 0.5  # seconds before a watch that broke begins again


class Agent:
    """Keeps one worker per Pod uid."""

    def __init__(self, api: NodeApi, node: Node) -> None:
        self._api = api
        self._node = node
        self._workers: dict[str, tuple[PodWorker, asyncio.Task[None]]] = {}
        self._clearing: set[asyncio.Task[None]] = set()
        self._collection = f"/api/v1/pods?fieldSelector=spec.nodeName%3D{node.name}"

    async def run(self) -> None:
        """List and watch for ever; a broken or expired watch begins again with a list."""
        while True:
            listing = await persistently(lambda: self._api.get(self._collection))
            self._take_stock(listing["items"])
            with contextlib.suppress(Unreachable, Refused):
                await self._follow(listing["metadata"]["resourceVersion"])
            await asyncio.sleep(PAUSE)

    async def _follow(self, version: str) -> None:
        """Watch until the server forgets the version (410), which ends the watch with an ERROR event."""
        while True:
            async for event in self._api.watch(self._collection, version):
                if event["type"] == "ERROR":
                    return
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] == "DELETED":
                    self._vanished(event["object"]["metadata"]["uid"])
                elif event["type"] != "BOOKMARK":
                    self._seen(event["object"])

    def _take_stock(self, pods: list[Document]) -> None:
        for pod in pods:
            self._seen(pod)
        present = {pod["metadata"]["uid"] for pod in pods}
        folders = {folder.name for folder in self._node.pods.iterdir()}
        for uid in (folders | set(self._workers)) - present:
            self._vanished(uid)

    def _seen(self, pod: Document) -> None:
        uid = pod["metadata"]["uid"]
        if uid in self._workers:
            self._workers[uid][0].update(pod)
        else:
            worker = PodWorker(pod, self._node)
            self._workers[uid] = (worker, asyncio.create_task(self._work(worker)))

    async def _work(self, worker: PodWorker) -> None:
        try:
            await worker.run()
        except Exception:  # noqa: BLE001 - one Pod's fault must not end the others' node; it stays visible in the log
            traceback.print_exc()

    def _vanished(self, uid: str) -> None:
        """End what is left of a Pod that is gone from the API server, then remove its folder."""
        worker, task = self._workers.pop(uid, (None, None))
        if worker and task:
            worker.vanish()
            task.cancel()
        clearing = asyncio.create_task(_clear(self._node.pods / uid))
        self._clearing.add(clearing)
        clearing.add_done_callback(self._clearing.discard)


async def _clear(folder: Path) -> None:
    """End a Pod's processes and remove its folder."""
    for each in folder.glob("containers/*"):
        container = Container(each)
        container.kill()
        await container.wait()
    remove(folder)
