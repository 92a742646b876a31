"""What decisions are made from: Jobs, Pods and answers to questions, small, frozen, without their manifests."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from tweetbot_contract.manifest import BaseTweetBot, TweetBot
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.progress import LatestReport

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


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidTweetBot(BaseTweetBot):
    """A TweetBot whose stored spec breaks a rule, as after an upgrade of the CRD."""

    error: str


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


@dataclass(frozen=True, slots=True)
class CreateFailure:
    """The API server would not have the Job; try again at `retry_at`, or at once when the execution has changed."""

    job: str
    execution: str
    reason: str
    message: str
    count: int
    retry_at: datetime
    temporary: bool = False
    """Whether it is nobody's answer to this Job: whoever should have answered is away."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was said of a Pod's volumes, of a Job's Pods, or of its place in the queue; an empty message is nothing."""

    message: str
    count: int
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Everything learned about one TweetBot."""

    create_failure: CreateFailure | None = None
    mounts: Mapping[str, Diagnosis] = field(default_factory=dict)
    """By the uid of the Pod or the Job."""
    queues: Mapping[str, Diagnosis] = field(default_factory=dict)
    """What Kueue said about a Job that waits, by the Job's uid."""
    searched: frozenset[str] = frozenset()
    """uids of Jobs whose Pods were listed live after they had ended."""
    podless: Mapping[str, datetime] = field(default_factory=dict)
    """Since when Jobs that may have a Pod were seen without one that goes on, by the Job's uid."""

    deletion_seen_at: datetime | None = None
    """When this operator first looked at the TweetBot as one that is being deleted."""

    server_fault: str = ""
    """The API server's last words on a write that it failed at, and how often it has said them in a row."""
    server_faults: int = 0
    namespace_ending: bool = False
    """Whether a creation was refused because the namespace is being deleted."""

    def get_create_failure(self, job: str, execution: str) -> CreateFailure | None:
        """Return the refusal of this very Job, if there was one."""
        failure = self.create_failure
        return failure if failure and (failure.job, failure.execution) == (job, execution) else None


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """What holds a run back, and how many of its namespace come before it."""

    limit: str
    before: int


@dataclass(frozen=True, slots=True)
class Observed:
    """One TweetBot with its Jobs and Pods, the answers to what was asked about them, and the time."""

    bot: TweetBot | InvalidTweetBot
    jobs: tuple[JobView, ...]
    """Those that it controls."""
    pods: tuple[PodView, ...]
    """Those that carry its uid, oldest first."""
    diagnostics: Diagnostics
    now: datetime
    settings: OperatorSettings
    cleanups: tuple[JobView, ...] = ()
    """Jobs without a controller that say they erase its objects."""
    queue_position: QueuePosition | None = None
    """Where a run stands in the operator's queue for a slot; None where it may begin."""
    latest_report: LatestReport | None = None
    """What the trainer reported last, if the operator has heard of it since it started."""
