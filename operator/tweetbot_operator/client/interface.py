"""The only way to the API server that reconciling has: views come out, manifests of Jobs and statuses go in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from tweetbot_contract.class_manifest import TweetBotClass
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
        """Read a TweetBot. Raises NotFound."""

    async def get_job(self, namespace: str, name: str) -> JobView:
        """Read a Job. Raises NotFound."""

    async def get_pod(self, namespace: str, name: str) -> PodView:
        """Read a Pod. Raises NotFound."""

    async def list_pods(self, job: JobView) -> tuple[PodView, ...]:
        """List the Pods that a Job controls."""

    async def list_start_failures(self, pod: PodView) -> tuple[str, ...]:
        """List what keeps a Pod from starting and its status does not say, newest last: volumes, network, devices."""

    async def list_creation_failures(self, job: JobView, since: datetime) -> tuple[str, ...]:
        """List the messages of a Job's FailedCreate Events seen since a time, newest last."""

    async def get_workload_message(self, job: JobView) -> str | None:
        """Return why Kueue keeps a Job waiting in its queue; empty if it does not say, None if there is no Kueue."""

    async def preview_job(self, manifest: Manifest) -> Manifest:
        """Return the Job that `create_job` would create. Raises AlreadyExists, Rejected."""

    async def create_job(self, manifest: Manifest) -> JobView:
        """Create a Job. Raises AlreadyExists, Rejected."""

    async def delete_job(self, job: JobView) -> JobView | None:
        """Delete exactly this version of a Job; return it as it ends, or None if it is gone. Raises Conflict."""

    async def apply_status(self, bot: CachedTweetBot, status: Manifest) -> CachedTweetBot:
        """Apply the whole status to exactly this version of a TweetBot. Raises Conflict, NotFound, Rejected."""

    async def reset_status(self, bot: CachedTweetBot) -> CachedTweetBot:
        """Blank the status, no matter who owns its fields. Raises Conflict, NotFound, Rejected."""

    async def set_finalizers(self, bot: CachedTweetBot, finalizers: tuple[str, ...]) -> CachedTweetBot:
        """Replace the finalizers of exactly this version of a TweetBot. Raises Conflict, NotFound, Rejected."""

    async def create_event(self, manifest: Manifest) -> None:
        """Create an Event. Raises AlreadyExists, Rejected."""

    def list_all(self, kind: Kind) -> AsyncIterator[CachedTweetBot | JobView | PodView]:
        """List our objects of a kind. Raises NotFound if the API server does not know the kind."""

    def watch_classes(self) -> AsyncIterator[tuple[TweetBotClass, ...]]:
        """Yield all TweetBotClasses, at once and after each change, until the watch ends. Raises NotFound, Rejected."""

    async def read_version(self, kind: Kind) -> int:
        """Return the resource version of the list of a kind as of now: no older than any object in it ever was."""

    def list_metadata(self, kind: Kind) -> AsyncIterator[ObjectMeta]:
        """List only the metadata of our objects of a kind."""
