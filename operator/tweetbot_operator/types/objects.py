"""Jobs and Pods as far as decisions need them: small, frozen, without the manifests they were read from."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

#: Namespace and name of a TweetBot; what the queue holds.
Key = tuple[str, str]
#: An object of the API as JSON.
Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CachedTweetBot:
    """A TweetBot as the cache keeps it: parsed only when its turn comes, as bytes take a tenth of the objects' room."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    document: bytes
    run_id: str = ""
    """Id of a run that has not ended, is not suspended and has met no fault; else empty."""
    queued_since: str = ""
    """When that run was recorded, if its status says that it waits for its turn; else empty."""

    @property
    def index_key(self) -> Key:
        """What it is looked up by."""
        return (self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class JobView:
    """One batch/v1 Job."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    owner_uid: str
    """uid of the controller; empty if it has none."""
    bot: str
    """The TweetBot's name as the label says."""
    run_id: str
    stage: str
    execution: str
    creation_key: str
    """Which creation of the Job this is (`handover.ROUND_ANNOTATION`)."""
    created_at: datetime
    started_at: datetime | None = None
    """When the Job controller began with it, or began again after a suspension; None while it is suspended."""
    suspended: bool = False
    """Whether it may have no Pods: by its queue, or by somebody who suspended it or set `parallelism: 0`."""
    spec_edited: bool = False
    """Whether it ever was edited after its creation: Kueue edits it first when it admits it."""
    queue: str = ""
    """The Kueue LocalQueue that it waits in, or has passed."""
    deleting: bool = False
    failed_pods: int = 0
    finished_condition: Literal["", "Complete", "Failed"] = ""
    reason: str = ""
    message: str = ""
    finished_at: datetime | None = None
    bot_uid: str = ""
    """The TweetBot's uid as the label says."""

    @property
    def index_key(self) -> Hashable:
        """What it is looked up by: its controller's uid, or what a Job without one, as a cleanup is, claims.

        The namespace as well: who has learned a uid of another tenant's may claim it in a namespace of their own.
        """
        return (self.namespace, self.owner_uid or self.bot_uid)

    @property
    def finished(self) -> bool:
        """Whether the Job has ended, well or not."""
        return self.finished_condition != ""


@dataclass(frozen=True, slots=True)
class PodView:
    """One Pod of a Job of ours."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    controller_uid: str
    """uid of the Job that controls it; empty if none does."""
    bot: str
    """The TweetBot's name as the label says."""
    bot_uid: str
    created_at: datetime
    phase: str = "Pending"
    deleting_at: datetime | None = None
    """When its grace period ends, once it is being deleted."""
    scheduled_at: datetime | None = None
    unschedulable: str = ""
    """The scheduler's words, while it finds no node."""
    disrupted: bool = False
    """Evicted or preempted (condition DisruptionTarget): not the trainer's fault."""
    eviction: str = ""
    """The kubelet's words, if it evicted the Pod."""
    waiting: str = ""
    """The container's waiting reason, e.g. ImagePullBackOff."""
    waiting_message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    out_of_memory: bool = False
    message: str = ""
    """The termination message."""
    gpu: str = ""
    """The extended resource that its container holds, e.g. nvidia.com/gpu; empty if none."""
    start_error: str = ""
    """The runtime's words, if it could not start the container: there is no log then."""

    @property
    def index_key(self) -> Hashable:
        """What it is looked up by, in its own namespace alone as a Job is."""
        return (self.namespace, self.bot_uid)

    @property
    def ended(self) -> bool:
        """Whether its containers have ended for good."""
        return self.phase in ("Succeeded", "Failed")
