"""The real form of the door: which paths, which selectors, which preconditions."""

import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from tweetbot_contract.handover import GROUP, KIND, MANAGED_BY, MANAGED_BY_LABEL, VERSION
from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.client.errors import Conflict, Invalid, NotFound, Rejected
from tweetbot_operator.client.events import EventLister, get_last_seen
from tweetbot_operator.client.interface import Kind, ObjectMeta
from tweetbot_operator.client.parse import parse_cached_bot, parse_job, parse_pod, parse_time
from tweetbot_operator.client.requests import METADATA_LIST, ApiRequests
from tweetbot_operator.telemetry.logs import with_fields
from tweetbot_operator.types.objects import CachedTweetBot, JobView, Manifest, PodView
from tweetbot_operator.types.times import make_printable

#: Conditions that say why a Workload has no place: what it waits for now, else why it had to give its place back.
_TELLING = ("QuotaReserved", "Evicted")


def find_workload_message(workloads: list[Manifest]) -> str:
    """Return what the newest Workload of a Job complains of; empty where Kueue has made none, or says nothing."""
    if not workloads:
        return ""
    newest = max(workloads, key=lambda each: str(each["metadata"]["creationTimestamp"]))
    conditions = {each["type"]: each for each in (newest.get("status") or {}).get("conditions") or ()}
    words = [_get_condition_message(conditions[type_], type_) for type_ in _TELLING if type_ in conditions]
    return next(filter(None, words), "")


def _get_condition_message(condition: Manifest, type_: str) -> str:
    """A quota is missing while its condition is False; an eviction stands while its is True."""
    applies = condition["status"] == ("True" if type_ == "Evicted" else "False")
    return make_printable(str(condition.get("message", "")), 700) if applies else ""


LOG = logging.getLogger(__name__)
FIELD_MANAGER = "tweetbot-operator"
#: Jobs and Pods are selected by the server: other people's never cross the wire.
OURS = f"{MANAGED_BY_LABEL}={MANAGED_BY}"
_PREFIX = {"tweetbots": f"/apis/{GROUP}/{VERSION}", "jobs": "/apis/batch/v1", "pods": "/api/v1"}
_PARSERS: dict[Kind, Callable[[dict[str, Any]], CachedTweetBot | JobView | PodView]] = {
    "tweetbots": parse_cached_bot,
    "jobs": parse_job,
    "pods": parse_pod,
}


class KubernetesCluster:
    """A Cluster on a Kubernetes API server."""

    def __init__(self, api: ApiRequests, namespaces: tuple[str, ...] = (), kueue_version: str = "") -> None:
        """`namespaces` bounds what is listed; none is all. `kueue_version` is that of the Workloads."""
        self._api, self._namespaces, self._kueue = api, namespaces, f"/apis/kueue.x-k8s.io/{kueue_version}"
        self._events = EventLister(api)

    async def get_bot(self, namespace: str, name: str) -> CachedTweetBot:
        """Read a TweetBot. Raises Missing."""
        return parse_cached_bot(await self._api.get(_build_path("tweetbots", namespace, name)))

    async def get_job(self, namespace: str, name: str) -> JobView:
        """Read a Job. Raises Missing."""
        return parse_job(await self._api.get(_build_path("jobs", namespace, name)))

    async def get_pod(self, namespace: str, name: str) -> PodView:
        """Read a Pod. Raises Missing."""
        return parse_pod(await self._api.get(_build_path("pods", namespace, name)))

    async def list_pods(self, job: JobView) -> tuple[PodView, ...]:
        """List the Pods that a Job controls, by the label that the Job controller itself writes."""
        query = {"labelSelector": f"batch.kubernetes.io/controller-uid={job.uid}"}
        found = await self._api.get(_build_path("pods", job.namespace), query)
        return tuple(pod for item in found["items"] if (pod := parse_pod(item)).controller_uid == job.uid)

    async def list_mount_failures(self, pod: PodView) -> tuple[str, ...]:
        """List what a Pod's FailedMount Events say, newest last."""
        events = await self._events.list_events(pod.namespace, pod.uid, "FailedMount")
        return tuple(str(item.get("note", "")) for item in events)

    async def list_creation_failures(self, job: JobView, since: datetime) -> tuple[str, ...]:
        """List what a Job's FailedCreate Events say that were seen after a moment, newest last.

        Anybody may write an Event, and one of the old form need not say when.
        """
        events = await self._events.list_events(job.namespace, job.uid, "FailedCreate")
        dated = [(seen, item) for item in events if (seen := get_last_seen(item))]
        return tuple(str(item.get("note", "")) for seen, item in dated if parse_time(seen) >= since)

    async def get_workload_message(self, job: JobView) -> str:
        """Read what Kueue's Workload of a Job says; no such kind, or no right to read it, is silence."""
        query = {"labelSelector": f"kueue.x-k8s.io/job-uid={job.uid}"}
        try:
            found = await self._api.get(f"{self._kueue}/namespaces/{job.namespace}/workloads", query)
        except (NotFound, Rejected) as fault:
            LOG.warning("Kueue's Workloads cannot be read", extra=with_fields(fault=str(fault)))
            return ""
        return find_workload_message(found["items"])

    async def create_job(self, manifest: Manifest) -> JobView:
        """Create a Job by POST: applying would adopt a stranger's of that name. Raises AlreadyExists, Refused."""
        return parse_job(await self._api.post(_build_path("jobs", manifest["metadata"]["namespace"]), manifest))

    async def delete_job(self, job: JobView) -> JobView | None:
        """Delete this very Job in the foreground; answers it as it ends, None if it is gone. Raises Conflict."""
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
        """Apply the whole status, fenced by the resource version. Raises Conflict, Missing, Refused."""
        metadata = {"name": bot.name, "namespace": bot.namespace, "resourceVersion": bot.resource_version}
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": KIND, "metadata": metadata, "status": status}
        path = _build_path("tweetbots", bot.namespace, bot.name) + "/status"
        return parse_cached_bot(await self._api.apply(path, body, FIELD_MANAGER))

    async def reset_status(self, bot: CachedTweetBot) -> CachedTweetBot:
        """Blank the status: to apply one would leave what others have written. Raises Conflict, Missing, Refused."""
        return await self._patch(bot, "/status", {"path": "/status", "value": TweetBotStatus().to_dict()})

    async def set_finalizers(self, bot: CachedTweetBot, finalizers: tuple[str, ...]) -> CachedTweetBot:
        """Replace the finalizers, which `/status` cannot. Raises Conflict, Missing, Refused."""
        return await self._patch(bot, "", {"path": "/metadata/finalizers", "value": list(finalizers)})

    async def _patch(self, bot: CachedTweetBot, subresource: str, change: Manifest) -> CachedTweetBot:
        """Change one field of this very form of a TweetBot; the tests fence it.

        A policy's refusal and a test that does not hold are both a 422: only the TweetBot itself tells which it was.
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

    async def create_event(self, manifest: Manifest) -> None:
        """Create an Event. Raises AlreadyExists, Refused."""
        await self._api.post(f"/apis/events.k8s.io/v1/namespaces/{manifest['metadata']['namespace']}/events", manifest)

    async def list_all(self, kind: Kind) -> AsyncIterator[CachedTweetBot | JobView | PodView]:
        """List all objects of a kind that concern us. Raises Missing where the API server does not know the kind."""
        for path in self._build_collection_paths(kind):
            async for item in self._api.list_items(path, _build_selector(kind)):
                yield _PARSERS[kind](item)

    async def list_metadata(self, kind: Kind) -> AsyncIterator[ObjectMeta]:
        """List the same by their metadata only."""
        for path in self._build_collection_paths(kind):
            async for item in self._api.list_items(path, _build_selector(kind), METADATA_LIST):
                metadata = item["metadata"]
                yield ObjectMeta(metadata["namespace"], metadata["name"], metadata["uid"], metadata["resourceVersion"])

    def _build_collection_paths(self, kind: Kind) -> list[str]:
        return [_build_path(kind, namespace) for namespace in self._namespaces] or [f"{_PREFIX[kind]}/{kind}"]


def _build_path(kind: Kind, namespace: str, name: str = "") -> str:
    return f"{_PREFIX[kind]}/namespaces/{namespace}/{kind}" + (f"/{name}" if name else "")


def _build_selector(kind: Kind) -> dict[str, str]:
    return {} if kind == "tweetbots" else {"labelSelector": OURS}
