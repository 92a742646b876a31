"""The Lease that says which replica acts. Its times are for people; no decision reads them."""

from dataclasses import dataclass
from datetime import datetime

from tweetbot_operator.client.events import EventSpec, build_event
from tweetbot_operator.client.requests import ApiRequests
from tweetbot_operator.types.objects import Manifest

_API_VERSION = "coordination.k8s.io/v1"


@dataclass(frozen=True, slots=True)
class Lease:
    """One version of the Lease; two are equal exactly if nobody has written in between."""

    holder: str
    """Identity of the replica that acts; empty after a release."""
    seconds: int
    """Time without a renewal after which it is free, set by the holder."""
    transitions: int = 0
    """How often it has changed hands."""
    acquired: str = ""
    renewed: str = ""
    resource_version: str = ""
    """Empty until it is stored."""


class LeaseClient:
    """Reads and writes one Lease. Raises Unavailable if the API server does not answer as it should."""

    def __init__(self, api: ApiRequests, namespace: str, name: str) -> None:
        self._api, self._namespace, self._name = api, namespace, name
        self._collection = f"/apis/{_API_VERSION}/namespaces/{namespace}/leases"

    async def read(self) -> Lease:
        """Read the Lease. Raises NotFound."""
        return parse_lease(await self._api.get(f"{self._collection}/{self._name}"))

    async def write(self, lease: Lease) -> Lease:
        """Create it or replace exactly this version; return it as stored. Raises AlreadyExists, Conflict, NotFound."""
        body = self._build_manifest(lease)
        if lease.resource_version:
            return parse_lease(await self._api.put(f"{self._collection}/{self._name}", body))
        return parse_lease(await self._api.post(self._collection, body))

    async def post_event(self, reason: str, message: str, now: datetime) -> None:
        """Post an Event about the Lease. Raises Rejected."""
        regarding = {"apiVersion": _API_VERSION, "kind": "Lease", "namespace": self._namespace, "name": self._name}
        metadata = {"generateName": f"{self._name}-", "namespace": self._namespace}
        event = build_event(EventSpec("Normal", reason, message), metadata, regarding, "Elect", now)
        await self._api.post(f"/api/v1/namespaces/{self._namespace}/events", event)

    def _build_manifest(self, lease: Lease) -> Manifest:
        metadata = {"name": self._name, "namespace": self._namespace, "resourceVersion": lease.resource_version}
        times = {"acquireTime": lease.acquired, "renewTime": lease.renewed}
        return {
            "apiVersion": _API_VERSION,
            "kind": "Lease",
            "metadata": {key: value for key, value in metadata.items() if value},
            "spec": {
                "holderIdentity": lease.holder,
                "leaseDurationSeconds": lease.seconds,
                "leaseTransitions": lease.transitions,
                **{key: value for key, value in times.items() if value},
            },
        }


def parse_lease(manifest: Manifest) -> Lease:
    """Parse a Lease; one that somebody has emptied has no holder."""
    spec = manifest.get("spec") or {}
    return Lease(
        holder=spec.get("holderIdentity") or "",
        seconds=spec.get("leaseDurationSeconds") or 0,
        transitions=spec.get("leaseTransitions") or 0,
        acquired=spec.get("acquireTime") or "",
        renewed=spec.get("renewTime") or "",
        resource_version=manifest["metadata"]["resourceVersion"],
    )
