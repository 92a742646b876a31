"""What a training tells while it runs, and what it hands back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tweetbot_trainer.learning.training.device import Processor

if TYPE_CHECKING:
    from tweetbot_trainer.learning.training.state import TrainingState


from tweetbot_trainer.learning.training.metrics import MetricsRow, Progress

#: Returns why a training cannot go on from a state, or None.
Misfit = Callable[["TrainingState"], str | None]


class Checkpoints(Protocol):
    """Where a training leaves its state, and finds what an attempt before it left."""

    def newest(self, processor: Processor, misfit: Misfit) -> "TrainingState | None":
        """Return the newest whole state of this training that has no misfit, or None."""

    def due(self) -> bool:
        """Tell whether it is time for another one; asked after each step."""

    def save(self, state: "TrainingState", *, last: bool = False) -> None:
        """Keep a state, `last` before the process ends. Never raises: a training goes on without."""


class NoCheckpoints:
    """A training that begins anew each time."""

    def newest(self, processor: Processor, misfit: Misfit) -> "TrainingState | None":
        """Return none."""
        return None

    def due(self) -> bool:
        """Never."""
        return False

    def save(self, state: "TrainingState", *, last: bool = False) -> None:
        """Keep nothing."""


NO_CHECKPOINTS: Checkpoints = NoCheckpoints()


@dataclass(frozen=True, slots=True)
class Hooks:
    """How the outside takes part: `stop` is asked before each step, the others are told after it.

    A training that goes on from a checkpoint first tells `resumed` the rows that were recorded before; one that ran out
    of a GPU's memory and goes on in smaller passes tells `halved` their positions.
    """

    stop: Callable[[], bool] = lambda: False
    progress: Callable[[Progress], None] = lambda progress: None
    record: Callable[[MetricsRow], None] = lambda row: None
    resumed: Callable[[Sequence[MetricsRow]], None] = lambda rows: None
    halved: Callable[[int], None] = lambda positions: None
    checkpoints: Checkpoints = NO_CHECKPOINTS


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """Figures of a finished training: losses in nats a token over the first and last steps, label tokens, seconds.

    `epochs` were begun, and the weights are those after `best_epoch`; evaluation counts in `seconds` alone. `halved_to`
    is there where a GPU's memory was too small at first: the positions of a pass from then on.
    """

    steps: int
    epochs: int
    best_epoch: int
    first_train_loss: float
    train_loss: float
    tokens: int
    tokens_per_second: float
    seconds: float
    processor: Processor
    rows: tuple[MetricsRow, ...]
    halved_to: int | None = None
