"""An API server in memory, behind the operator's own Cluster interface: it records every write and feeds a watch.

It keeps resource versions, refuses stale writes, and ends Jobs only when the test says so: the test plays scheduler,
kubelet and controllers.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tweetbot_contract.handover import MANAGED_BY, MANAGED_BY_LABEL
from tweetbot_contract.status import TweetBotStatus
from tweetbot_fakes.kubernetes.classes import ClassesFake
from tweetbot_fakes.kubernetes.copying import copy_json
from tweetbot_operator.client.errors import AlreadyExists, ApiError, Conflict, NotFound
from tweetbot_operator.client.interface import Kind, ObjectMeta
from tweetbot_operator.client.parse import parse_cached_bot, parse_job, parse_pod
from tweetbot_operator.informers.cache import EventHandler
from tweetbot_operator.types.objects import CachedTweetBot, JobView, PodView

Manifest = dict[str, Any]
VIEWS: dict[Kind, Callable[[Manifest], Any]] = {"tweetbots": parse_cached_bot, "jobs": parse_job, "pods": parse_pod}


@dataclass
class FakeCluster(ClassesFake):
    """Objects by kind, namespace and name; `writes` lists what was asked for, as `verb kind name`."""

    now: Callable[[], datetime]
    objects: dict[tuple[Kind, str, str], Manifest] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    events: list[Manifest] = field(default_factory=list)
    before_list: Callable[[Kind], None] = lambda kind: None
    listed: list[Kind] = field(default_factory=list)
    """Kinds whose metadata were listed, in order."""
    start_failures: dict[str, tuple[str, ...]] = field(default_factory=dict)
    creation_failures: dict[str, tuple[str, ...]] = field(default_factory=dict)
    queue_words: dict[str, str] = field(default_factory=dict)
    has_kueue: bool = True
    faults: dict[str, list[ApiError]] = field(default_factory=dict)
    """Faults to raise at the next calls of a method, one each."""
    after_write: Callable[[str], None] = lambda write: None
    """Called once a write is committed and before it is answered; may raise what a crash raises."""
    foreign: set[str] = field(default_factory=set)
    """Types of conditions that others have applied; ours do not touch them."""
    change_status: Callable[[Manifest], Manifest] = lambda status: status
    """What a mutating policy makes of a status that is applied, or a schema that does not know all its fields."""
    admit: Callable[[Kind, Manifest, bool], Manifest] = lambda kind, manifest, dry_run: manifest
    """Mutating admission of Jobs and Pods; told whether it is a dry run, of which `previews` counts those of Jobs."""
    previews: int = 0
    event_handler: EventHandler | None = None
    """Where the watch leads; None while it is cut."""
    _version: int = 0
    _uids: int = 0

    # ---- the operator's side

    async def get_bot(self, namespace: str, name: str) -> CachedTweetBot:
        return parse_cached_bot(self._read("tweetbots", namespace, name))

    async def get_job(self, namespace: str, name: str) -> JobView:
        return parse_job(self._read("jobs", namespace, name))

    async def get_pod(self, namespace: str, name: str) -> PodView:
        return parse_pod(self._read("pods", namespace, name))

    async def list_pods(self, job: JobView) -> tuple[PodView, ...]:
        self._fault("pods_of")
        pods = [parse_pod(item) for (kind, _, _), item in self.objects.items() if kind == "pods"]
        return tuple(pod for pod in pods if pod.controller_uid == job.uid)

    async def list_start_failures(self, pod: PodView) -> tuple[str, ...]:
        self._fault("start_failures_of")
        return self.start_failures.get(pod.name, ())

    async def list_creation_failures(self, job: JobView, since: datetime) -> tuple[str, ...]:
        self._fault("creation_failures_of")
        return self.creation_failures.get(job.name, ())

    async def get_workload_message(self, job: JobView) -> str | None:
        self._fault("queue_words_of")
        return self.queue_words.get(job.name, "") if self.has_kueue else None

    async def preview_job(self, manifest: Manifest) -> Manifest:
        self._fault("preview_job")
        self.previews += 1
        self._check_name(manifest)
        return self.admit("jobs", manifest, True)

    async def create_job(self, manifest: Manifest) -> JobView:
        self._fault("create_job")
        name = manifest["metadata"]["name"]
        self._check_name(manifest)
        created = self.put("jobs", self.admit("jobs", manifest, False))
        self._committed(f"create job {name}")
        return parse_job(created)

    def _check_name(self, manifest: Manifest) -> None:
        if ("jobs", manifest["metadata"]["namespace"], manifest["metadata"]["name"]) in self.objects:
            raise AlreadyExists(manifest["metadata"]["name"])

    async def delete_job(self, job: JobView) -> JobView | None:
        self._fault("delete_job")
        found = self.objects.get(("jobs", job.namespace, job.name))
        if found is None:
            return None
        metadata = found["metadata"]
        if (metadata["uid"], metadata["resourceVersion"]) != (job.uid, job.resource_version):
            raise Conflict("the precondition does not hold")
        ending = self.put("jobs", {**found, "metadata": {**metadata, "deletionTimestamp": self._stamp()}})
        self._committed(f"delete job {job.name}")
        return parse_job(ending)

    async def apply_status(self, bot: CachedTweetBot, status: Manifest) -> CachedTweetBot:
        self._fault("apply_status")
        found = self._read("tweetbots", bot.namespace, bot.name)
        if found["metadata"]["resourceVersion"] != bot.resource_version:
            raise Conflict("the object has been modified")
        applied = self.change_status(copy_json(status))
        foreign = [each for each in (found.get("status") or {}).get("conditions", ()) if each["type"] in self.foreign]
        changed = {**found, "status": {**applied, "conditions": [*applied["conditions"], *foreign]}}
        written = found if changed == found else self.put("tweetbots", changed)
        self._committed(f"status {bot.name} {status['phase']}")
        return parse_cached_bot(written)

    async def reset_status(self, bot: CachedTweetBot) -> CachedTweetBot:
        self._fault("forget_status")
        found = self._read("tweetbots", bot.namespace, bot.name)
        if found["metadata"]["resourceVersion"] != bot.resource_version:
            raise Conflict("the object has been modified")
        written = self.put("tweetbots", {**found, "status": TweetBotStatus().to_dict()})
        self._committed(f"forget status {bot.name}")
        return parse_cached_bot(written)

    async def set_finalizers(self, bot: CachedTweetBot, finalizers: tuple[str, ...]) -> CachedTweetBot:
        self._fault("set_finalizers")
        found = self._read("tweetbots", bot.namespace, bot.name)
        if found["metadata"]["resourceVersion"] != bot.resource_version:
            raise Conflict("the object has been modified")
        written = self.put("tweetbots", {**found, "metadata": {**found["metadata"], "finalizers": list(finalizers)}})
        self._committed(f"finalizers {bot.name} {len(finalizers)}")
        if "deletionTimestamp" in written["metadata"] and not finalizers:
            self.remove("tweetbots", bot.namespace, bot.name)
        return parse_cached_bot(written)

    async def create_event(self, manifest: Manifest) -> None:
        self._fault("create_event")
        if any(event["metadata"]["name"] == manifest["metadata"]["name"] for event in self.events):
            raise AlreadyExists(manifest["metadata"]["name"])
        self.events.append(manifest)

    async def list_all(self, kind: Kind) -> AsyncIterator[CachedTweetBot | JobView | PodView]:
        self._fault("everything")
        for item in self.objects_of(kind):
            yield item

    async def read_version(self, kind: Kind) -> int:
        self._fault("read_version")
        return self._version

    async def list_metadata(self, kind: Kind) -> AsyncIterator[ObjectMeta]:
        self._fault("traces")
        self.listed.append(kind)
        self.before_list(kind)
        for item in filter(lambda each: _is_selected(kind, each), self._all(kind)):
            metadata = item["metadata"]
            yield ObjectMeta(metadata["namespace"], metadata["name"], metadata["uid"], metadata["resourceVersion"])

    # ---- the rest of the world's side

    def put(self, kind: Kind, manifest: Manifest) -> Manifest:
        """Store an object as its newest version, and show it to the watch."""
        self._version += 1
        stored = copy_json(manifest)
        metadata = stored["metadata"]
        if "uid" not in metadata:
            self._uids += 1
            metadata["uid"] = f"uid-{self._uids}"
        metadata.setdefault("creationTimestamp", self._stamp())
        metadata["resourceVersion"] = str(self._version)
        shown = _is_selected(kind, self.objects.get((kind, metadata["namespace"], metadata["name"]), {"metadata": {}}))
        self.objects[kind, metadata["namespace"], metadata["name"]] = stored
        if self.event_handler and shown and not _is_selected(kind, stored):
            self.event_handler.delete(kind, metadata["uid"], self._version)  # so the watch calls what loses its label
        if self.event_handler and _is_selected(kind, stored):
            self.event_handler.observe_version(kind, VIEWS[kind](stored))
            self.event_handler.put(VIEWS[kind](stored))
        return stored

    def remove(self, kind: Kind, namespace: str, name: str) -> None:
        """Let an object be gone."""
        gone = self.objects.pop((kind, namespace, name))
        self._version += 1
        if self.event_handler:
            self.event_handler.delete(kind, gone["metadata"]["uid"], self._version)

    def edit(self, namespace: str, name: str, **spec: Any) -> None:
        """Edit a TweetBot's spec as kubectl would."""
        found = copy_json(self.objects["tweetbots", namespace, name])
        found["spec"].update(spec)
        found["metadata"]["generation"] += 1
        self.put("tweetbots", found)

    def add_condition(self, namespace: str, name: str, type_: str) -> None:
        """Add a condition to a TweetBot's status as another controller would."""
        found = copy_json(self.objects["tweetbots", namespace, name])
        condition = {"type": type_, "status": "True", "reason": "Seen", "message": "", "observedGeneration": 1}
        found["status"]["conditions"].append({**condition, "lastTransitionTime": self._stamp()})
        self.foreign.add(type_)
        self.put("tweetbots", found)

    def delete_bot(self, namespace: str, name: str) -> None:
        """Delete a TweetBot as kubectl would: it goes at once, or when its finalizers are gone."""
        found = copy_json(self.objects["tweetbots", namespace, name])
        found["metadata"]["deletionTimestamp"] = self._stamp()
        self.put("tweetbots", found)
        if not found["metadata"].get("finalizers"):
            self.remove("tweetbots", namespace, name)

    def annotate(self, namespace: str, name: str, annotations: dict[str, str]) -> None:
        """Set a TweetBot's annotations; the generation stays."""
        found = copy_json(self.objects["tweetbots", namespace, name])
        found["metadata"]["annotations"] = annotations
        self.put("tweetbots", found)

    def status_of(self, namespace: str, name: str) -> TweetBotStatus:
        """Return what a TweetBot's status says."""
        return TweetBotStatus.model_validate(self.objects["tweetbots", namespace, name].get("status") or {})

    def run_pod(self, job_name: str, namespace: str, **status: Any) -> None:
        """Create a Pod of a Job, with this status."""
        job = self.objects["jobs", namespace, job_name]
        number = sum(key[0] == "pods" for key in self.objects)
        labels = job["metadata"]["labels"]
        owner = {"kind": "Job", "name": job_name, "uid": job["metadata"]["uid"], "controller": True}
        metadata = {
            "namespace": namespace,
            "name": f"{job_name}-{number}",
            "labels": labels,
            "ownerReferences": [owner],
        }
        pod = self.admit("pods", {"metadata": metadata, "spec": job["spec"]["template"]["spec"]}, False)
        self.put("pods", {**pod, "status": {"phase": "Running", **status}})

    def end_pod(self, job_name: str, namespace: str, exit_code: int, message: str, **terminated: Any) -> None:
        """Create a Pod of a Job that has ended."""
        state = {"exitCode": exit_code, "message": message, "startedAt": self._stamp(), "finishedAt": self._stamp()}
        container = {"name": "trainer", "state": {"terminated": state | terminated}}
        phase = "Succeeded" if exit_code == 0 else "Failed"
        self.run_pod(job_name, namespace, phase=phase, containerStatuses=[container])

    def end_job(self, job_name: str, namespace: str, verdict: str, *, reason: str = "", failed: int = 0) -> None:
        """Give a Job its last condition."""
        job = copy_json(self.objects["jobs", namespace, job_name])
        condition = {"type": verdict, "status": "True", "reason": reason, "lastTransitionTime": self._stamp()}
        job["status"] = {"conditions": [condition], "failed": failed}
        self.put("jobs", job)

    def collect_garbage(self) -> None:
        """End what is being deleted, Pods first, and what has lost its owner."""
        jobs = [item for item in self._all("jobs") if "deletionTimestamp" in item["metadata"]]
        for job in jobs:
            for pod in self._all("pods"):
                if pod["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"]:
                    self.remove("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
            self.remove("jobs", job["metadata"]["namespace"], job["metadata"]["name"])

    def objects_of(self, kind: Kind) -> list[CachedTweetBot | JobView | PodView]:
        """Return the views of all objects of a kind that the operator selects."""
        return [VIEWS[kind](item) for item in self._all(kind) if _is_selected(kind, item)]

    def names(self, kind: Kind) -> list[str]:
        """Return the names of all objects of a kind."""
        return [item["metadata"]["name"] for item in self._all(kind)]

    def _all(self, kind: Kind) -> list[Manifest]:
        return [item for (of, _, _), item in self.objects.items() if of == kind]

    def _read(self, kind: Kind, namespace: str, name: str) -> Manifest:
        self._fault(f"read_{kind}")
        if (kind, namespace, name) not in self.objects:
            raise NotFound(name)
        return self.objects[kind, namespace, name]

    def _fault(self, method: str) -> None:
        if waiting := self.faults.get(method):
            raise waiting.pop(0)

    def _committed(self, write: str) -> None:
        self.writes.append(write)
        self.after_write(write)

    def _stamp(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_selected(kind: Kind, manifest: Manifest) -> bool:
    labels = manifest["metadata"].get("labels") or {}
    return kind == "tweetbots" or labels.get(MANAGED_BY_LABEL) == MANAGED_BY
