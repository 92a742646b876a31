"""The one door to the API server, as reconciling needs it: views come out, manifests of Jobs and statuses go in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from tweetbot_operator.types.objects import JobView, PodView, StoredBot

Manifest = dict[str, Any]
Kind = Literal["tweetbots", "jobs", "pods"]
KINDS: tuple[Kind, ...] = ("tweetbots", "jobs", "pods")


@dataclass(frozen=True, slots=True)
class Trace:
    """What a metadata-only LIST shows of an object."""

    namespace: str
    name: str
    uid: str
    resource_version: str


class Cluster(Protocol):
    """Every method raises ClusterBusy when the API server does not answer as it should."""

    async def bot(self, namespace: str, name: str) -> StoredBot:
        """Read a TweetBot. Raises Missing."""

    async def job(self, namespace: str, name: str) -> JobView:
        """Read a Job. Raises Missing."""

    async def pod(self, namespace: str, name: str) -> PodView:
        """Read a Pod. Raises Missing."""

    async def pods_of(self, job: JobView) -> tuple[PodView, ...]:
        """List the Pods that a Job controls."""

    async def mount_failures_of(self, pod: PodView) -> tuple[str, ...]:
        """List what a Pod's FailedMount Events say, newest last."""

    async def creation_failures_of(self, job: JobView, since: datetime) -> tuple[str, ...]:
        """List what a Job's FailedCreate Events say that were seen after a moment, newest last."""

    async def queue_words_of(self, job: JobView) -> str:
        """Read what Kueue says about a Job that waits in a queue of its; empty if it says nothing."""

    async def create_job(self, manifest: Manifest) -> JobView:
        """Create a Job. Raises NameTaken, Refused."""

    async def delete_job(self, job: JobView) -> JobView | None:
        """Delete this very Job in the foreground; answers it as it ends, None if it is gone. Raises Conflict."""

    async def apply_status(self, bot: StoredBot, status: Manifest) -> StoredBot:
        """Apply the whole status, planned from this form of the TweetBot. Raises Conflict, Missing, Refused."""

    async def forget_status(self, bot: StoredBot) -> StoredBot:
        """Blank the status, whoever wrote its fields, of this form of it. Raises Conflict, Missing, Refused."""

    async def set_finalizers(self, bot: StoredBot, finalizers: tuple[str, ...]) -> StoredBot:
        """Replace a TweetBot's finalizers, planned from this form of it. Raises Conflict, Missing, Refused."""

    async def create_event(self, manifest: Manifest) -> None:
        """Create an Event. Raises NameTaken, Refused."""

    def everything(self, kind: Kind) -> AsyncIterator[StoredBot | JobView | PodView]:
        """List all objects of a kind that concern us. Raises Missing where the API server does not know the kind."""

    def traces(self, kind: Kind) -> AsyncIterator[Trace]:
        """List the same by their metadata only."""
