"""The one door to the API server, as reconciling needs it: views come out, manifests of Jobs and statuses go in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from tweetbot_operator.types.objects import CachedTweetBot, JobView, Manifest, PodView

Kind = Literal["tweetbots", "jobs", "pods"]
KINDS: tuple[Kind, ...] = ("tweetbots", "jobs", "pods")


@dataclass(frozen=True, slots=True)
class ObjectMeta:
    """What a metadata-only LIST shows of an object."""

    namespace: str
    name: str
    uid: str
    resource_version: str


class Cluster(Protocol):
    """Every method raises Unavailable when the API server does not answer as it should."""

    async def get_bot(self, namespace: str, name: str) -> CachedTweetBot:
        """Read a TweetBot. Raises Missing."""

    async def get_job(self, namespace: str, name: str) -> JobView:
        """Read a Job. Raises Missing."""

    async def get_pod(self, namespace: str, name: str) -> PodView:
        """Read a Pod. Raises Missing."""

    async def list_pods(self, job: JobView) -> tuple[PodView, ...]:
        """List the Pods that a Job controls."""

    async def list_mount_failures(self, pod: PodView) -> tuple[str, ...]:
        """List what a Pod's FailedMount Events say, newest last."""

    async def list_creation_failures(self, job: JobView, since: datetime) -> tuple[str, ...]:
        """List what a Job's FailedCreate Events say that were seen after a moment, newest last."""

    async def get_workload_message(self, job: JobView) -> str:
        """Read what Kueue says about a Job that waits in a queue of its; empty if it says nothing."""

    async def create_job(self, manifest: Manifest) -> JobView:
        """Create a Job. Raises AlreadyExists, Refused."""

    async def delete_job(self, job: JobView) -> JobView | None:
        """Delete this very Job in the foreground; answers it as it ends, None if it is gone. Raises Conflict."""

    async def apply_status(self, bot: CachedTweetBot, status: Manifest) -> CachedTweetBot:
        """Apply the whole status, planned from this form of the TweetBot. Raises Conflict, Missing, Refused."""

    async def reset_status(self, bot: CachedTweetBot) -> CachedTweetBot:
        """Blank the status, whoever wrote its fields, of this form of it. Raises Conflict, Missing, Refused."""

    async def set_finalizers(self, bot: CachedTweetBot, finalizers: tuple[str, ...]) -> CachedTweetBot:
        """Replace a TweetBot's finalizers, planned from this form of it. Raises Conflict, Missing, Refused."""

    async def create_event(self, manifest: Manifest) -> None:
        """Create an Event. Raises AlreadyExists, Refused."""

    def list_all(self, kind: Kind) -> AsyncIterator[CachedTweetBot | JobView | PodView]:
        """List all objects of a kind that concern us. Raises Missing where the API server does not know the kind."""

    def list_metadata(self, kind: Kind) -> AsyncIterator[ObjectMeta]:
        """List the same by their metadata only."""
