"""Native sidecars of a Pod: init containers that run on beside the containers, and are started again if they end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tweetbot_cluster.node.pod.folder import PodFolder
from tweetbot_cluster.node.pod.status import Restarts, Running, State, Terminated

Document = dict[str, Any]
PAUSES = (0.5, 1.0, 2.0)  # seconds before a sidecar is started again; the kubelet's are 10 s and more
STARTED = 0.2  # seconds that a sidecar must have run before the next container starts
REAPING = 5.0  # seconds for the end of killed processes to be seen


class Sidecars:
    """Keeps one Pod's sidecars up; `run` runs a container to its end, `wait_for` shows why one waits."""

    def __init__(
        self,
        folder: PodFolder,
        states: Mapping[str, State],
        run: Callable[[Document], Awaitable[int]],
        wait_for: Callable[[Document, str, str], Awaitable[None]],
    ) -> None:
        self.restarts: dict[str, Restarts] = {}
        self.ending = False
        self._folder, self._states, self._run, self._wait_for = folder, states, run, wait_for
        self._kept: list[tuple[Document, asyncio.Task[None]]] = []

    async def start(self, sidecar: Document) -> None:
        """Start a sidecar, and wait until it has started; one that ends at once never does."""
        self._kept.append((sidecar, asyncio.create_task(self._keep(sidecar))))
        while not self.ending:
            before = self._states[sidecar["name"]]
            await asyncio.sleep(STARTED)
            if isinstance(before, Running) and self._states[sidecar["name"]] == before:
                return

    async def _keep(self, sidecar: Document) -> None:
        name: str = sidecar["name"]
        for count in range(1, 1000):
            await self._run(sidecar)
            ended = self._states[name]
            if self.ending or not isinstance(ended, Terminated):
                return
            self.restarts[name] = Restarts(count, ended)
            await self._wait_for(sidecar, "CrashLoopBackOff", f"back-off restarting failed container={name}")
            await asyncio.sleep(PAUSES[min(count, len(PAUSES)) - 1])
            self._folder.container(sidecar).forget()

    async def end(self, grace: float) -> None:
        """End them in the reverse of their order, now that the containers have ended."""
        self.ending = True
        for sidecar, task in reversed(self._kept):
            if self._runs(sidecar):
                self._folder.container(sidecar).terminate()
                await asyncio.wait({task}, timeout=grace)
                self._folder.container(sidecar).kill()
                await asyncio.wait({task}, timeout=REAPING)
            task.cancel()

    def abandon(self) -> None:
        """Look after them no longer; their processes go on."""
        for _, task in self._kept:
            task.cancel()

    def _runs(self, sidecar: Document) -> bool:
        return isinstance(self._states[sidecar["name"]], Running)
