"""The Lease that says which replica acts, and the door to it. Its times are for people; no decision reads them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tweetbot_operator.client.requests import ApiRequests
from tweetbot_operator.types.objects import Manifest

_API_VERSION = "coordination.k8s.io/v1"
#: Where the holder takes reports of progress.
_ADDRESS = "tweetbot.dev/progress-address"
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class Lease:
    """One form of the Lease; two forms are equal exactly when nobody has written in between."""

    holder: str
    """Who acts; empty when it was given back."""
    seconds: int
    """How long the holder may go without renewing it, as the holder itself said."""
    transitions: int = 0
    """How often it has changed hands."""
    acquired: str = ""
    renewed: str = ""
    resource_version: str = ""
    """Empty for one that is not stored yet."""
    address: str = ""
    """Where the holder takes reports of progress; empty if it takes none."""


class LeaseClient(Protocol):
    """Every method raises Unavailable when the API server does not answer as it should."""

    async def read(self) -> Lease:
        """Read the Lease. Raises Missing."""

    async def write(self, lease: Lease) -> Lease:
        """Create or replace exactly this form of it; answers it as stored. Raises AlreadyExists, Conflict, Missing."""

    async def post_event(self, reason: str, message: str, now: datetime) -> None:
        """Post an Event about the Lease. Raises Refused."""


class KubernetesLease:
    """A Lease on a Kubernetes API server."""

    def __init__(self, api: ApiRequests, namespace: str, name: str) -> None:
        self._api, self._namespace, self._name = api, namespace, name
        self._collection = f"/apis/{_API_VERSION}/namespaces/{namespace}/leases"

    async def read(self) -> Lease:
        """Read the Lease. Raises Missing."""
        return parse_lease(await self._api.get(f"{self._collection}/{self._name}"))

    async def write(self, lease: Lease) -> Lease:
        """Create it, or replace it if it still is as it was read. Raises AlreadyExists, Conflict, Missing."""
        body = self._build_manifest(lease)
        if lease.resource_version:
            return parse_lease(await self._api.put(f"{self._collection}/{self._name}", body))
        return parse_lease(await self._api.post(self._collection, body))

    async def post_event(self, reason: str, message: str, now: datetime) -> None:
        """Post an Event about the Lease. Raises Refused."""
        regarding = {"apiVersion": _API_VERSION, "kind": "Lease", "namespace": self._namespace, "name": self._name}
        event = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"generateName": f"{self._name}-", "namespace": self._namespace},
            "eventTime": now.strftime(_TIME),
            "type": "Normal",
            "reason": reason,
            "action": "Elect",
            "note": message,
            "regarding": regarding,
            "reportingController": "tweetbot.dev/operator",
            "reportingInstance": "tweetbot-operator",
        }
        await self._api.post(f"/apis/events.k8s.io/v1/namespaces/{self._namespace}/events", event)

    def _build_manifest(self, lease: Lease) -> Manifest:
        metadata = {"name": self._name, "namespace": self._namespace, "resourceVersion": lease.resource_version}
        annotations = {"annotations": {_ADDRESS: lease.address}} if lease.address else {}
        times = {"acquireTime": lease.acquired, "renewTime": lease.renewed}
        return {
            "apiVersion": _API_VERSION,
            "kind": "Lease",
            "metadata": {key: value for key, value in metadata.items() if value} | annotations,
            "spec": {
                "holderIdentity": lease.holder,
                "leaseDurationSeconds": lease.seconds,
                "leaseTransitions": lease.transitions,
                **{key: value for key, value in times.items() if value},
            },
        }


def parse_lease(manifest: Manifest) -> Lease:
    """Return the Lease of a manifest; one that a stranger has emptied has no holder."""
    spec = manifest.get("spec") or {}
    return Lease(
        holder=spec.get("holderIdentity") or "",
        seconds=spec.get("leaseDurationSeconds") or 0,
        transitions=spec.get("leaseTransitions") or 0,
        acquired=spec.get("acquireTime") or "",
        renewed=spec.get("renewTime") or "",
        resource_version=manifest["metadata"]["resourceVersion"],
        address=(manifest["metadata"].get("annotations") or {}).get(_ADDRESS, ""),
    )


def format_micro_time(moment: datetime) -> str:
    """Return a moment as a Lease writes it, with microseconds."""
    return moment.strftime(_TIME)
