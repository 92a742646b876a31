"""The states of the Job of a run's stage, each of which asks for another step, and what is said of them."""

from dataclasses import dataclass
from datetime import datetime

from tweetbot_contract.result import Figures, PrepareSucceeded, TrainSucceeded
from tweetbot_contract.status import CurrentRun, ModelStatus, Phase
from tweetbot_contract.status.tasks import ForgetStatus, PinStatus
from tweetbot_operator.types.objects import JobView, PodView


@dataclass(frozen=True, slots=True)
class JobMissing:
    """It does not exist yet: create it when its time has come."""


@dataclass(frozen=True, slots=True)
class Terminating:
    """It is being deleted; its name is free once its last Pod is gone."""

    lost: bool
    """Whether it was complete: then its result is lost, as it was not read before."""


@dataclass(frozen=True, slots=True)
class Outdated:
    """It has another execution, or failed in an earlier retry: delete it."""


@dataclass(frozen=True, slots=True)
class StartProblem:
    """Why a Pod does not start or end. Until `stalled`, it may pass by itself."""

    reason: str
    message: str
    stalled: bool


@dataclass(frozen=True, slots=True)
class PinUpdate:
    """What has become of spec.pin, and what is served where that changes in this pass."""

    pin: PinStatus | None = None
    problem: StartProblem | None = None
    """What keeps its Job from starting."""
    served: TrainSucceeded | None = None
    """The result whose version is served now, of the pin's Job or of the run; None if what was served stays."""
    model: ModelStatus | None = None
    """Its model."""

    @property
    def pending(self) -> bool:
        """Whether latest.json is not yet where spec.pin wants it."""
        return self.pin is not None and self.pin.outcome != "Succeeded"


@dataclass(frozen=True, slots=True)
class ForgetUpdate:
    """What has become of a request to forget posts."""

    request: ForgetStatus
    wait: StartProblem | None = None
    """What has to come before the erasure, or keeps its Job from running."""
    overdue: bool = False
    """Whether the time is over in which the posts have to be forgotten."""


@dataclass(frozen=True, slots=True)
class RunUpdate:
    """A run after its stage's state, and the results that came with it."""

    run: CurrentRun
    prepared: PrepareSucceeded | None = None
    trained: TrainSucceeded | None = None
    pin: PinUpdate | None = None
    """What has become of spec.pin; None where there is and was none."""
    forget: ForgetUpdate | None = None
    """What has become of the request to forget posts; None where there is none."""
    degraded: str | None = None
    """Why the running stage tracks less than the spec asks for; None if it does not say so."""


@dataclass(frozen=True, slots=True)
class Active:
    """Its Pod waits to start or runs."""

    attempt: int
    start_problem: StartProblem | None = None
    evicted: bool = False
    look_up: PodView | JobView | None = None
    """A Pod, or a Job without one, that has waited long: its Events say why."""
    requeue_at: datetime | None = None
    """When a deadline or the next look is due although nothing happens."""


@dataclass(frozen=True, slots=True)
class Suspended:
    """It is suspended: its queue has not admitted it, or has evicted it."""

    job: JobView
    attempt: int
    cause: str = ""
    """Kueue's message, where the operator may read it."""
    unserved: bool = False
    """Whether there is no Kueue that could admit it."""
    ask: bool = False
    """Whether it is time to read it."""
    requeue_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ResultPending:
    """It has finished and the cache has no result: list its Pods live."""

    job: JobView


@dataclass(frozen=True, slots=True)
class ResultLost:
    """It has finished and its Pods are gone with the result: delete it and run the stage again."""


@dataclass(frozen=True, slots=True)
class PrepareComplete:
    """The dataset is ready, perhaps with a model to adopt."""

    result: PrepareSucceeded


@dataclass(frozen=True, slots=True)
class TrainComplete:
    """The model is published."""

    result: TrainSucceeded


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """The trainer failed, may try again, and other containers keep its Pod: the next attempt needs another Job."""

    attempt: int
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class RetryableFailure:
    """A temporary fault used up the attempts: try again after a pause, on other nodes than `avoid` if there are any."""

    reason: str
    message: str
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The run has failed for good, perhaps with a model that was not published."""

    reason: str
    message: str
    figures: Figures | None = None


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
    | AttemptFailed
    | RetryableFailure
    | Failed
)


@dataclass(frozen=True, slots=True)
class Summary:
    """What Ready, Stalled, Progressing and phase say together.

    `Reconciling` is not needed: until the operator has acted on a generation, `observedGeneration` differs from it, and
    kstatus reads that as InProgress.
    """

    phase: Phase
    reason: str
    message: str
    progressing: bool = True
    stalled: bool = False
    alarm: StartProblem | None = None
    """What Ready and Stalled say where that is not the run's state."""


@dataclass(frozen=True, slots=True)
class DesiredCondition:
    """A condition without its transition time."""

    type: str
    holds: bool
    reason: str
    message: str
    generation: int


Desired = tuple[DesiredCondition, ...]
