"""What decisions are made from: small frozen views of TweetBots, Jobs and Pods, and what was asked about them."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from tweetbot_contract.class_manifest import TweetBotClass
from tweetbot_contract.handover import MANAGED_BY
from tweetbot_contract.manifest import BaseTweetBot, TweetBot
from tweetbot_contract.progress import ProgressReport
from tweetbot_contract.reasons import INVALID_SPEC
from tweetbot_operator.settings import OperatorSettings
from tweetbot_operator.types.containers import ContainerView
from tweetbot_operator.types.creations import CreatedJob, CreateFailure, Mutation
from tweetbot_operator.types.usage import ClassAccounts

#: Namespace and name of a TweetBot, as in the work queue.
Key = tuple[str, str]
#: An object of the API as JSON.
Manifest = dict[str, Any]
#: A kubelet's reasons for a container that is about to start, or none.
USUAL_WAITS = ("", "ContainerCreating", "PodInitializing")


@dataclass(frozen=True, slots=True)
class CachedTweetBot:
    """A TweetBot in the cache. It is parsed only in its pass, as bytes take a tenth of the objects' memory."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    document: bytes
    current_run_id: str = ""
    """Id of a run that has not ended and is not suspended, retried or not; else empty."""
    run_id: str = ""
    """Id of the run if it has not ended, is not suspended and was not retried; else empty."""
    queued_since: str = ""
    """When that run was recorded, if its status says that it waits for a slot; else empty."""
    awaits_class: bool = False
    """Whether its status says that its class is missing or does not let it begin."""
    usage: bytes = b""
    """What its status says of runs that have a class: a list of their number, id, end and usage, as JSON."""

    @property
    def index_key(self) -> Key:
        """The key of the index by namespace and name."""
        return (self.namespace, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidTweetBot(BaseTweetBot):
    """A TweetBot whose stored spec breaks a rule, as after an upgrade of the CRD, or that its class does not allow."""

    error: str
    reason: str = INVALID_SPEC.name


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
    """The TweetBot's name, from the label."""
    run_id: str
    stage: str
    execution: str
    creation_key: str  # number of the run and of its retry, e.g. 3-0 (`handover.ROUND_ANNOTATION`)
    created_at: datetime
    first_attempt: int = 1
    """Number of its first attempt: those before it were of Jobs whose Pods other containers kept."""
    started_at: datetime | None = None
    """When the Job controller started it, or resumed it; None while it is suspended."""
    suspended: bool = False
    """Whether it may have no Pods: its queue or somebody else suspended it or set `parallelism: 0`."""
    spec_edited: bool = False
    """Whether its spec was edited after its creation; Kueue edits it on admission."""
    queue: str = ""
    """The Kueue LocalQueue in which it waits or has waited."""
    deleted_at: datetime | None = None
    """When it was deleted; it stays until its Pods are gone and its finalizers are removed."""
    finalizers: tuple[str, ...] = ()
    failed_pods: int = 0
    finished_condition: Literal["", "Complete", "Failed"] = ""
    reason: str = ""
    message: str = ""
    finished_at: datetime | None = None
    bot_uid: str = ""
    mutations: tuple[Mutation, ...] = ()
    """What is not as it was sent."""
    owner_lost: bool = False
    """Whether it had a controller when it was sent, and has none now."""
    managed_by: str = MANAGED_BY

    @property
    def deleting(self) -> bool:
        """Whether it has been deleted and is not gone."""
        return self.deleted_at is not None

    @property
    def watched(self) -> bool:
        """Whether the watch shows it, which selects by this label."""
        return self.managed_by == MANAGED_BY

    @property
    def index_key(self) -> Hashable:
        """The key of the index by TweetBot: the controller's uid, or the label of a Job without one, as a cleanup.

        The namespace is in it, as a tenant may use another tenant's uid in a namespace of their own.
        """
        return (self.namespace, self.owner_uid or self.bot_uid)

    @property
    def finished(self) -> bool:
        """Whether the Job is Complete or Failed."""
        return self.finished_condition != ""


@dataclass(frozen=True, slots=True)
class PodView:
    """One Pod of one of our Jobs. Times, exit code and message are those of the trainer's container."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    controller_uid: str
    """uid of the Job that controls it; empty if none does."""
    bot: str
    bot_uid: str
    created_at: datetime
    run_id: str = ""
    stage: str = ""
    managed_by: str = MANAGED_BY
    mutations: tuple[Mutation, ...] = ()
    """What of its spec is not as it was sent; its labels are compared apart."""
    job: str = ""
    """Name of the Job that controls it."""
    phase: str = "Pending"
    deleting_at: datetime | None = None
    """When its grace period ends, if it is being deleted."""
    scheduled_at: datetime | None = None
    unschedulable: str = ""
    """The scheduler's message while it finds no node."""
    scheduling_gates: tuple[str, ...] = ()
    """Names of the gates that somebody has to open before the scheduler looks at it."""
    sandbox_ready: bool = False
    """Whether its volumes are mounted and its network is up, as kubelets from 1.29 on report."""
    disrupted: bool = False
    """Evicted or preempted (condition DisruptionTarget): not the trainer's fault. Then the condition's reason."""
    disruption: str = ""
    eviction: str = ""
    """The kubelet's message, if it evicted the Pod."""
    end_reason: str = ""
    """Why the kubelet ended or refused the Pod as a whole, e.g. Evicted, and its message."""
    end_message: str = ""
    waiting: str = ""
    """The container's waiting reason, e.g. ImagePullBackOff."""
    waiting_message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    out_of_memory: bool = False
    message: str = ""
    """The termination message."""
    ip: str = ""  # as the kubelet reports it
    image: str = ""
    gpu: str = ""
    """The extended resource of its container, e.g. nvidia.com/gpu; empty if none."""
    node: str = ""  # that it is bound to
    start_error: str = ""
    """The runtime's message, if it could not start the container; then there is no log."""
    held_by: tuple[str, ...] = ()
    """The containers that have not ended although the trainer has: they keep the Pod from ending."""
    unready: ContainerView | None = None
    """The first init container of others that has not ended well, or else one of their containers that cannot start."""

    @property
    def watched(self) -> bool:
        """Whether the watch shows it, which selects by this label."""
        return self.managed_by == MANAGED_BY

    @property
    def index_key(self) -> Hashable:
        """The key of the index by TweetBot, in its own namespace as for a Job."""
        return (self.namespace, self.bot_uid)

    @property
    def controller_key(self) -> Hashable:
        """The key of the index by Job, which holds whatever becomes of the labels."""
        return (self.namespace, self.controller_uid)

    @property
    def ended(self) -> bool:
        """Whether its containers have ended and will not restart."""
        return self.phase in ("Succeeded", "Failed")

    @property
    def done(self) -> bool:
        """Whether the trainer has ended well, and other containers or a deletion hide that from the Job."""
        return self.exit_code == 0 and bool(self.held_by or self.deleting_at or self.phase == "Failed")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the API server's Events, or Kueue, say about a Pod or Job; the message is empty if they say nothing."""

    message: str
    count: int
    next_at: datetime
    unserved: bool = False
    """Whether there is no Kueue that could say anything."""


@dataclass(frozen=True, slots=True)
class FollowedJob:
    """What a request has shown of a Job and its Pods that no watch shows, as they have lost their managed-by label."""

    job: JobView | None
    pods: tuple[PodView, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """What passes have learned about one TweetBot; after a restart of the operator they learn it again."""

    create_failure: CreateFailure | None = None
    task_failure: CreateFailure | None = None
    mounts: Mapping[str, Diagnosis] = field(default_factory=dict)
    """What Events say, by the uid of the Pod or the Job."""
    queues: Mapping[str, Diagnosis] = field(default_factory=dict)
    """What Kueue says about a waiting Job, by the Job's uid."""
    searched: frozenset[str] = frozenset()
    """uids of finished Jobs whose Pods were listed live."""
    followed: Mapping[str, FollowedJob] = field(default_factory=dict)
    """What was read again of Jobs that no watch shows in full, by name."""
    created: Mapping[str, CreatedJob] = field(default_factory=dict)
    """The last creation of each Job, by its name."""
    podless: Mapping[str, datetime] = field(default_factory=dict)
    """Since when a Job that should have a Pod was seen without an active one, by the Job's uid."""
    deletion_seen_at: datetime | None = None
    """When this operator first saw the TweetBot as being deleted."""
    server_fault: str = ""
    """The API server's last error at a write, and how often it came in a row."""
    server_faults: int = 0
    namespace_ending: bool = False
    """Whether a creation was refused because the namespace is being deleted."""

    def get_create_failure(self, job: str, execution: str) -> CreateFailure | None:
        """Return why this Job was not created, if it was tried with this execution."""
        known = (each for each in (self.create_failure, self.task_failure) if each)
        return next((each for each in known if (each.job, each.execution) == (job, execution)), None)


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """The limit that holds a run back, and how many runs of its namespace are before it."""

    limit: str
    before: int


@dataclass(frozen=True, slots=True)
class Observed:
    """One TweetBot with its Jobs and Pods, what was asked about them, and the time."""

    bot: TweetBot | InvalidTweetBot
    jobs: tuple[JobView, ...]
    """Those that it controls."""
    pods: tuple[PodView, ...]
    """Those that carry its uid, oldest first."""
    diagnostics: Diagnostics
    now: datetime
    settings: OperatorSettings
    cleanups: tuple[JobView, ...] = ()
    tasks: tuple[JobView, ...] = ()
    """Jobs beside its stages: those without a controller erase its objects, the others are for spec.pin or forget."""
    queue_position: QueuePosition | None = None
    """A run's place in the operator's queue for a slot; None if it may begin."""
    latest_report: ProgressReport | None = None
    """What the trainer reported last, if the operator has heard of it since it started."""
    classes: tuple[TweetBotClass, ...] = ()
    """Every TweetBotClass of the cluster."""
    accounts: Mapping[str, ClassAccounts] = field(default_factory=dict)
    """What counts against budgets, by the names of the classes that have some."""
    task_report: ProgressReport | None = None
    """What the Job beside the stages reported last, in the same way."""
