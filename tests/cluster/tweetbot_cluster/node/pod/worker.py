"""The life of one Pod on this node: volumes, containers in order, status, and its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tweetbot_cluster.node.api import NodeApi, Refused, Unreachable, persistently
from tweetbot_cluster.node.events import PodEvents
from tweetbot_cluster.node.images import ImageMissing, search_path
from tweetbot_cluster.node.pod.container_start import Surroundings, launch_of
from tweetbot_cluster.node.pod.environment import ConfigError
from tweetbot_cluster.node.pod.folder import PodFolder
from tweetbot_cluster.node.pod.sidecars import REAPING, Sidecars
from tweetbot_cluster.node.pod.status import Running, State, Terminated, Verdict, Waiting, is_sidecar, pod_status
from tweetbot_cluster.node.pod.supervisor import Exit, now
from tweetbot_cluster.node.pod.termination import termination_message
from tweetbot_cluster.node.pod.volumes import MountFailed, set_up_volume
from tweetbot_cluster.node.refusals import refusal

Document = dict[str, Any]
FINAL = ("Succeeded", "Failed")
RETRY = (0.5, 1.0, 2.0)  # seconds between attempts at what a person may mend; the last one is repeated


@dataclass(frozen=True, slots=True)
class Node:
    """What every Pod's worker needs of its node."""

    name: str
    api: NodeApi
    pods: Path
    logs: Path
    surroundings: Surroundings


class PodWorker:
    """Runs one Pod to its end and removes it from the API server when it is deleted."""

    def __init__(self, pod: Document, node: Node) -> None:
        self.pod = pod
        self._node = node
        self._path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        self._folder = PodFolder(node.pods / pod["metadata"]["uid"], node.logs, pod)
        self._events = PodEvents(node.api, pod, node.name)
        self._init: list[Document] = pod["spec"].get("initContainers", [])
        self._main: list[Document] = pod["spec"]["containers"]
        self._states: dict[str, State] = {each["name"]: Waiting() for each in (*self._init, *self._main)}
        self._sidecars = Sidecars(self._folder, self._states, self._run, self._wait_for)
        self._began = pod.get("status", {}).get("startTime") or now()
        self._verdict: Verdict | None = None
        self._deleting = asyncio.Event()
        self._ending = False
        self._publishing = asyncio.Lock()
        self.update(pod)

    def update(self, pod: Document) -> None:
        """Take note of a newer state of the object."""
        self.pod = pod
        if pod["metadata"].get("deletionTimestamp"):
            self._deleting.set()

    def vanish(self) -> None:
        """Take note that the object is gone: nobody may wait for its processes any more."""
        self._deleting.set()
        self._kill()

    async def run(self) -> None:
        """Live until the object is gone."""
        if self.pod.get("status", {}).get("phase") not in FINAL:
            await self._live()
        await self._deleting.wait()
        await self._remove()

    async def _live(self) -> None:
        work = asyncio.create_task(self._work())
        deletion = asyncio.create_task(self._deleting.wait())
        try:
            await asyncio.wait({work, deletion}, timeout=self._seconds_left(), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self._verdict = self._verdict_of_end()
                await self._stop(work)
            await work
        except asyncio.CancelledError:
            if asyncio.current_task().cancelling():  # type: ignore[union-attr] # a coroutine runs in a task
                raise
        finally:
            work.cancel()
            deletion.cancel()
            self._sidecars.abandon()
        await self._publish()

    def _seconds_left(self) -> float | None:
        """Return what is left of activeDeadlineSeconds, which counts from the Pod's start on the node."""
        limit = self.pod["spec"].get("activeDeadlineSeconds")
        if limit is None:
            return None
        began = datetime.fromisoformat(self._began)
        return float(max(0.0, limit - (datetime.now(UTC) - began).total_seconds()))

    def _verdict_of_end(self) -> Verdict | None:
        if not self._deleting.is_set():
            return Verdict(
                "Failed", "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
            )
        # A Pod deleted before its containers ran would stay Pending for ever; the kubelet calls it Failed.
        unstarted = any(
            isinstance(self._states[each["name"]], Waiting) for each in self._containers() if not is_sidecar(each)
        )
        return Verdict("Failed") if unstarted else None

    async def _stop(self, work: asyncio.Task[None]) -> None:
        """End what runs: SIGTERM, and SIGKILL after the grace period; with nothing running the work is given up.

        Sidecars end after the others, which is the work's last part.
        """
        self._ending = self._sidecars.ending = True
        running = [each for each in self._containers() if isinstance(self._states[each["name"]], Running)]
        running = [each for each in running if not is_sidecar(each)] or running
        for each in running:
            self._folder.container(each).terminate()
        if running:
            await asyncio.wait({work}, timeout=self._grace())
        self._kill()
        if running:
            await asyncio.wait({work}, timeout=REAPING)
        work.cancel()

    def _grace(self) -> float:
        metadata, spec = self.pod["metadata"], self.pod["spec"]
        return float(metadata.get("deletionGracePeriodSeconds", spec.get("terminationGracePeriodSeconds", 30)))

    def _kill(self) -> None:
        for each in self._containers():
            self._folder.container(each).kill()

    def _containers(self) -> list[Document]:
        return [*self._init, *self._main]

    async def _work(self) -> None:
        """Prepare, run init containers one by one, then the containers together, to the end of all of them."""
        if why := refusal(self.pod):
            self._verdict = Verdict("Failed", "ProcessNodeRefused", why)
            await self._events.warn("Failed", why)
            return
        self._folder.create()
        if not any(self._folder.container(each).launched for each in self._containers()):
            await self._publish()
            await self._set_up_volumes()
        await self._run_in_order()
        await self._sidecars.end(self._grace())

    async def _run_in_order(self) -> None:
        for each in self._init:
            if is_sidecar(each):
                await self._sidecars.start(each)
            elif await self._run(each):
                return
            if self._ending:
                return
        await asyncio.gather(*(self._run(each) for each in self._main))

    async def _set_up_volumes(self) -> None:
        for volume in self.pod["spec"].get("volumes", []):
            attempt = 0
            while True:
                try:
                    await set_up_volume(self._node.api, self.pod, volume, self._folder.volume(volume["name"]))
                    break
                except MountFailed as error:
                    await self._events.warn("FailedMount", str(error))
                except Unreachable:
                    pass
                attempt = await _pause(attempt)

    async def _run(self, container: Document) -> int:
        """Run one container to its end, or take up one that an earlier agent started; answers its exit code."""
        process = self._folder.container(container)
        if not process.launched:
            await self._launch(container)
        began = await process.started()
        if isinstance(began, str):
            self._states[container["name"]] = Running(began)
            await self._publish()
        ended = await process.wait()
        state = self._terminated(container, ended)
        self._states[container["name"]] = state
        if any(not isinstance(each, Terminated) for each in self._states.values()):
            await self._publish()
        return state.exit.code

    async def _launch(self, container: Document) -> None:
        """Launch the container as soon as its image, Secrets and ConfigMaps allow it."""
        await self._find_image(container)
        attempt = 0
        while True:
            try:
                launch = await launch_of(
                    self._node.api, self.pod, container, self._folder, self._node.surroundings
                )  # fmt: skip
                break
            except ConfigError as error:
                await self._wait_for(container, "CreateContainerConfigError", str(error))
                await self._events.warn("Failed", f"Error: {error}")
            except Unreachable:
                pass
            attempt = await _pause(attempt)
        self._folder.termination_log(container).touch()
        self._folder.log(container).touch()
        self._folder.container(container).launch(launch)

    async def _find_image(self, container: Document) -> None:
        """Wait for ever, as the kubelet does, when the image is in no table: only a deletion ends that."""
        try:
            search_path(container["image"], self._node.surroundings.images)
        except ImageMissing as error:
            await self._events.warn("Failed", f'Failed to pull image "{container["image"]}": {error}')
            await self._wait_for(container, "ErrImagePull", str(error))
            await asyncio.sleep(RETRY[-1])
            waiting = f'Back-off pulling image "{container["image"]}"'
            await self._events.say("BackOff", waiting)
            await self._wait_for(container, "ImagePullBackOff", f"{waiting}: {error}")
            await asyncio.Event().wait()

    async def _wait_for(self, container: Document, reason: str, message: str) -> None:
        state = Waiting(reason, message)
        if self._states[container["name"]] != state:
            self._states[container["name"]] = state
            await self._publish()

    def _terminated(self, container: Document, ended: Exit | None) -> Terminated:
        if ended is None:
            lost = "The container could not be located when the pod was terminated"
            return Terminated(Exit(137, self._began, now()), lost, lost=True)
        message = ended.error or termination_message(
            self._folder.termination_log(container),
            self._folder.log(container),
            policy=container.get("terminationMessagePolicy", "File"),
            failed=ended.code != 0,
        )
        return Terminated(ended, message)

    async def _publish(self) -> None:
        """Patch the status; what the API server refuses for good (the Pod is gone or another one) is not repeated."""
        try:
            async with self._publishing:  # one at a time, so that an older status never overtakes a newer one
                await persistently(lambda: self._node.api.patch(f"{self._path}/status", self._status_patch()))
        except Refused as error:
            if error.status not in (404, 409):
                print(f"{self._path}: status refused: {error}", flush=True)

    def _status_patch(self) -> Document:
        status = pod_status(
            self.pod,
            self._states,
            started_at=self._began,
            now=now(),
            verdict=self._verdict,
            restarts=self._sidecars.restarts,
        )
        return {"metadata": {"uid": self.pod["metadata"]["uid"]}, "status": status}

    async def _remove(self) -> None:
        """Delete the object for good, now that nothing of it runs; finalizers may keep it for a while."""
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.pod["metadata"]["uid"]}}
        try:
            await persistently(lambda: self._node.api.delete(self._path, options))
        except Refused as error:
            if error.status not in (404, 409):
                print(f"{self._path}: deletion refused: {error}", flush=True)


async def _pause(attempt: int) -> int:
    await asyncio.sleep(RETRY[min(attempt, len(RETRY) - 1)])
    return attempt + 1
