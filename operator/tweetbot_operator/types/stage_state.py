"""What has become of the Job of a run's stage, as alternatives that each ask for something else."""

from dataclasses import dataclass
from datetime import datetime

from tweetbot_contract.result import PrepareSucceeded, TrainSucceeded
from tweetbot_operator.types.objects import JobView, PodView


@dataclass(frozen=True, slots=True)
class JobMissing:
    """There is none: create it when its time has come."""


@dataclass(frozen=True, slots=True)
class Terminating:
    """It is being deleted; its name is free when its last Pod is gone."""

    lost: bool
    """Whether it had been complete: then its result was lost, or it would have been read."""


@dataclass(frozen=True, slots=True)
class Outdated:
    """It was made for another execution, or is an earlier round's failure: delete it."""


@dataclass(frozen=True, slots=True)
class StartProblem:
    """Why a Pod does not start or end. Until `stalled` it may well pass by itself."""

    reason: str
    message: str
    stalled: bool


@dataclass(frozen=True, slots=True)
class Active:
    """It waits for a node or runs."""

    attempt: int
    start_problem: StartProblem | None = None
    evicted: bool = False
    look_up: PodView | JobView | None = None
    """A Pod that has waited for long, or a Job that has for a Pod: the API server's Events know why."""
    requeue_at: datetime | None = None
    """When something is due although nothing happens: a deadline, another look."""


@dataclass(frozen=True, slots=True)
class Suspended:
    """It is suspended, which is its queue's business: it has not been admitted, or had to give its place back."""

    job: JobView
    attempt: int
    cause: str = ""
    """The queue's own words, where the operator may read them."""
    ask: bool = False
    """Whether it is time to read them."""
    requeue_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ResultPending:
    """It has ended and the cache holds no result: ask the API server for its Pods."""

    job: JobView


@dataclass(frozen=True, slots=True)
class ResultLost:
    """It has ended and its Pods are gone, result and all: delete it and ask the stage again."""


@dataclass(frozen=True, slots=True)
class PrepareComplete:
    """The dataset stands, and perhaps a model to adopt."""

    result: PrepareSucceeded


@dataclass(frozen=True, slots=True)
class TrainComplete:
    """The model is published."""

    result: TrainSucceeded


@dataclass(frozen=True, slots=True)
class RetryableFailure:
    """A temporary fault used up the attempts: another round after a pause."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The run has failed for good."""

    reason: str
    message: str


StageState = (
    JobMissing
    | Terminating
    | Outdated
    | Active
    | Suspended
    | ResultPending
    | ResultLost
    | PrepareComplete
    | TrainComplete
    | RetryableFailure
    | Failed
)
