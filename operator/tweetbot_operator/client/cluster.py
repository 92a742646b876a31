"""The Cluster on a real API server: paths, selectors, preconditions."""

import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from tweetbot_contract.class_manifest import TweetBotClass, parse_class
from tweetbot_contract.handover import CLASS_PLURAL, GROUP, KIND, MANAGED_BY, MANAGED_BY_LABEL, VERSION
from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.client.errors import Conflict, Invalid, NotFound, Rejected
from tweetbot_operator.client.event_lister import EventLister, get_last_seen, get_reporter
from tweetbot_operator.client.interface import Kind, ObjectMeta
from tweetbot_operator.client.parse import parse_cached_bot, parse_job, parse_pod
from tweetbot_operator.client.requests import METADATA_LIST, ApiRequests
from tweetbot_operator.telemetry.logs import with_fields
from tweetbot_operator.types.objects import CachedTweetBot, JobView, Manifest, PodView
from tweetbot_operator.types.times import make_printable, parse_time, sanitize

LOG = logging.getLogger(__name__)
FIELD_MANAGER = "tweetbot-operator"
#: A Workload's conditions that say why it is not admitted, with the status in which they apply: what it waits for, else
#: why it was evicted.
_WAITING_CONDITIONS = {"QuotaReserved": "False", "Evicted": "True"}
#: The server selects Jobs and Pods: those of others never cross the wire.
OURS = f"{MANAGED_BY_LABEL}={MANAGED_BY}"
#: Of the warnings about Pods those that a Pod's status does not have: the scheduler's and those of images are in it.
_START_FAILURES = ",".join(
    ("type=Warning", *(f"reason!={name}" for name in ("FailedScheduling", "Failed", "BackOff", "Unhealthy")))
)
#: Who starts Pods, by the names under which they report.
_STARTERS = ("kubelet", "attachdetach-controller", "node-controller")
_PREFIX = {"tweetbots": f"/apis/{GROUP}/{VERSION}", "jobs": "/apis/batch/v1", "pods": "/api/v1"}
_CLASSES = f"/apis/{GROUP}/{VERSION}/{CLASS_PLURAL}"
#: API group of Kueue, and the seconds for which it is known whether the cluster has it.
_KUEUE, _KUEUE_SECONDS = "kueue.x-k8s.io", 10.0
_PARSERS: dict[Kind, Callable[[dict[str, Any]], CachedTweetBot | JobView | PodView]] = {
    "tweetbots": parse_cached_bot,
    "jobs": parse_job,
    "pods": parse_pod,
}


class KubernetesCluster:
    """Implements Cluster by requests to a Kubernetes API server."""

    def __init__(self, api: ApiRequests, namespaces: tuple[str, ...] = (), kueue_version: str = "") -> None:
        """`namespaces` are those that are listed, empty: all; `kueue_version` is the API version of Workloads."""
        self._api, self._namespaces, self._kueue_version = api, namespaces, kueue_version
        self._kueue_there, self._kueue_known_until = True, 0.0
        self._events = EventLister(api)

    async def get_bot(self, namespace: str, name: str) -> CachedTweetBot:
        """GET the TweetBot."""
        return parse_cached_bot(await self._api.get(_build_path("tweetbots", namespace, name)))

    async def get_job(self, namespace: str, name: str) -> JobView:
        """GET the Job."""
        return parse_job(await self._api.get(_build_path("jobs", namespace, name)))

    async def get_pod(self, namespace: str, name: str) -> PodView:
        """GET the Pod."""
        return parse_pod(await self._api.get(_build_path("pods", namespace, name)))

    async def list_pods(self, job: JobView) -> tuple[PodView, ...]:
        """Select by the label that the Job controller itself writes."""
        query = {"labelSelector": f"batch.kubernetes.io/controller-uid={job.uid}"}
        found = await self._api.get(_build_path("pods", job.namespace), query)
        return tuple(pod for item in found["items"] if (pod := parse_pod(item)).controller_uid == job.uid)

    async def list_start_failures(self, pod: PodView) -> tuple[str, ...]:
        """Read the notes of the Pod's warnings; policies that only audit warn about Pods, too."""
        events = await self._events.list_events(pod.namespace, pod.uid, _START_FAILURES)
        return tuple(str(item.get("note", "")) for item in events if get_reporter(item) in _STARTERS)

    async def list_creation_failures(self, job: JobView, since: datetime) -> tuple[str, ...]:
        """Leave out Events without a time: anybody may write one, and the old form need not have it."""
        events = await self._events.list_events(job.namespace, job.uid, "reason=FailedCreate")
        dated = [(seen, item) for item in events if (seen := get_last_seen(item))]
        return tuple(str(item.get("note", "")) for seen, item in dated if parse_time(seen) >= since)

    async def get_workload_message(self, job: JobView) -> str | None:
        """Ask first whether there is a Kueue, at most once in _KUEUE_SECONDS."""
        if not await self._has_kueue():
            return None
        if not self._kueue_version:
            return ""
        path = f"/apis/{_KUEUE}/{self._kueue_version}/namespaces/{job.namespace}/workloads"
        try:
            found = await self._api.get(path, {"labelSelector": f"{_KUEUE}/job-uid={job.uid}"})
        except (NotFound, Rejected) as fault:
            LOG.warning("Kueue's Workloads cannot be read", extra=with_fields(fault=str(fault)))
            return f"the operator cannot read why in Kueue's Workloads ({sanitize(str(fault), 300)})"
        return find_workload_message(found["items"])

    async def _has_kueue(self) -> bool:
        """Look into the list of all API groups; where the account may not read it, suppose that there is one."""
        if time.monotonic() >= self._kueue_known_until:
            with suppress(Rejected):
                groups = (await self._api.get("/apis"))["groups"]
                self._kueue_there = any(group["name"] == _KUEUE for group in groups)
            self._kueue_known_until = time.monotonic() + _KUEUE_SECONDS
        return self._kueue_there

    async def watch_classes(self) -> AsyncIterator[tuple[TweetBotClass, ...]]:
        """List, then apply each event to what was listed."""
        listed = await self._api.get(_CLASSES)
        classes = {item["metadata"]["name"]: parse_class(item) for item in listed["items"]}
        yield tuple(classes.values())
        async for event in self._api.watch(_CLASSES, listed["metadata"]["resourceVersion"]):
            if event["type"] == "ERROR":
                return
            name = event["object"]["metadata"].get("name")
            if event["type"] == "DELETED":
                classes.pop(name, None)
            elif event["type"] != "BOOKMARK":
                classes[name] = parse_class(event["object"])
            yield tuple(classes.values())

    async def preview_job(self, manifest: Manifest) -> Manifest:
        """POST it as a dry run, which passes all of admission. Some old webhooks refuse that: nothing is known then."""
        path = _build_path("jobs", manifest["metadata"]["namespace"])
        try:
            return await self._api.post(path, manifest, {"dryRun": "All"})
        except Rejected as fault:
            if "does not support dry run" not in str(fault):
                raise
            return manifest

    async def create_job(self, manifest: Manifest) -> JobView:
        """POST it: applying would take over somebody else's Job of that name."""
        return parse_job(await self._api.post(_build_path("jobs", manifest["metadata"]["namespace"]), manifest))

    async def delete_job(self, job: JobView) -> JobView | None:
        """Delete in the foreground, so that the Job stays until its Pods are gone."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Foreground",
            "preconditions": {"uid": job.uid, "resourceVersion": job.resource_version},
        }
        try:
            answer = await self._api.delete(_build_path("jobs", job.namespace, job.name), options)
        except NotFound:
            return None
        return parse_job(answer) if answer.get("kind") == "Job" else None

    async def apply_status(self, bot: CachedTweetBot, status: Manifest) -> CachedTweetBot:
        """Apply server-side; the resource version makes a stale write fail."""
        metadata = {"name": bot.name, "namespace": bot.namespace, "resourceVersion": bot.resource_version}
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": KIND, "metadata": metadata, "status": status}
        path = _build_path("tweetbots", bot.namespace, bot.name) + "/status"
        return parse_cached_bot(await self._api.apply(path, body, FIELD_MANAGER))

    async def reset_status(self, bot: CachedTweetBot) -> CachedTweetBot:
        """Patch: applying would leave the fields of other managers."""
        return await self._patch(bot, "/status", {"path": "/status", "value": TweetBotStatus().to_dict()})

    async def set_finalizers(self, bot: CachedTweetBot, finalizers: tuple[str, ...]) -> CachedTweetBot:
        """Patch the object itself, as `/status` cannot change finalizers."""
        return await self._patch(bot, "", {"path": "/metadata/finalizers", "value": list(finalizers)})

    async def _patch(self, bot: CachedTweetBot, subresource: str, change: Manifest) -> CachedTweetBot:
        """Change one field; the patch's tests make it fail on any other version of the TweetBot.

        A policy's refusal and a failed test are both a 422: only the TweetBot itself shows which it was.
        """
        operations: list[Manifest] = [
            {"op": "test", "path": "/metadata/uid", "value": bot.uid},
            {"op": "test", "path": "/metadata/resourceVersion", "value": bot.resource_version},
            {"op": "add", **change},
        ]
        try:
            path = _build_path("tweetbots", bot.namespace, bot.name) + subresource
            return parse_cached_bot(await self._api.patch(path, operations))
        except Invalid as fault:
            found = await self.get_bot(bot.namespace, bot.name)
            if (found.uid, found.resource_version) == (bot.uid, bot.resource_version):
                raise
            raise Conflict(str(fault)) from None

    async def get_cluster_uid(self, own_namespace: str) -> str:
        """Return the uid of the namespace kube-system, by which clusters are told apart, or of the operator's own.

        Empty if neither may be read. Raises Unavailable.
        """
        faults = []
        for namespace in filter(None, ("kube-system", own_namespace)):
            try:
                found = await self._api.get(f"/api/v1/namespaces/{namespace}")
            except (NotFound, Rejected) as fault:
                faults.append(str(fault))
            else:
                LOG.info("a namespace's uid stands for the cluster's", extra=with_fields(namespace=namespace))
                return str(found["metadata"]["uid"])
        message = "the cluster has no uid: a TweetBot that is created again must take over its own folder"
        LOG.warning(message, extra=with_fields(fault="; ".join(faults)))
        return ""

    async def create_event(self, manifest: Manifest) -> None:
        """POST it."""
        await self._api.post(f"/api/v1/namespaces/{manifest['metadata']['namespace']}/events", manifest)

    async def list_all(self, kind: Kind) -> AsyncIterator[CachedTweetBot | JobView | PodView]:
        """LIST page by page, namespace by namespace."""
        for path in self._build_collection_paths(kind):
            async for item in self._api.list_items(path, _build_selector(kind)):
                yield _PARSERS[kind](item)

    async def read_version(self, kind: Kind) -> int:
        """LIST the metadata of one object, whosever it is: a selector that fits none would search through all."""
        path = self._build_collection_paths(kind)[0]  # of several namespaces, any shows it
        return int((await self._api.get(path, {"limit": "1"}, METADATA_LIST))["metadata"]["resourceVersion"])

    async def list_metadata(self, kind: Kind) -> AsyncIterator[ObjectMeta]:
        """LIST as PartialObjectMetadata."""
        for path in self._build_collection_paths(kind):
            async for item in self._api.list_items(path, _build_selector(kind), METADATA_LIST):
                metadata = item["metadata"]
                yield ObjectMeta(metadata["namespace"], metadata["name"], metadata["uid"], metadata["resourceVersion"])

    def _build_collection_paths(self, kind: Kind) -> list[str]:
        return [_build_path(kind, namespace) for namespace in self._namespaces] or [f"{_PREFIX[kind]}/{kind}"]


def find_workload_message(workloads: list[Manifest]) -> str:
    """Return why the newest Workload of a Job waits; empty if Kueue has made none, or gives no reason."""
    if not workloads:
        return ""
    newest = max(workloads, key=lambda each: str(each["metadata"]["creationTimestamp"]))
    conditions = {each["type"]: each for each in (newest.get("status") or {}).get("conditions") or ()}
    for name, status in _WAITING_CONDITIONS.items():
        condition = conditions.get(name, {})
        if condition.get("status") == status and (message := make_printable(str(condition.get("message", "")), 700)):
            return message
    return ""


def _build_path(kind: Kind, namespace: str, name: str = "") -> str:
    return f"{_PREFIX[kind]}/namespaces/{namespace}/{kind}" + (f"/{name}" if name else "")


def _build_selector(kind: Kind) -> dict[str, str]:
    return {} if kind == "tweetbots" else {"labelSelector": OURS}
