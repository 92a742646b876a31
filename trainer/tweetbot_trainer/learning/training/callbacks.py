"""What a training tells while it runs, and what it hands back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tweetbot_trainer.learning.training.device import Device

if TYPE_CHECKING:
    from tweetbot_trainer.learning.training.state import Checkpoint


from tweetbot_trainer.learning.training.metrics import LogEntry, TrainingProgress

#: Returns why a training cannot go on from a state, or None.
FindIncompatibility = Callable[["Checkpoint"], str | None]


class Checkpoints(Protocol):
    """Where a training leaves its state, and finds what an attempt before it left."""

    def load_newest(self, device: Device, find_incompatibility: FindIncompatibility) -> "Checkpoint | None":
        """Return the newest whole state of this training that has no misfit, or None."""

    def is_due(self) -> bool:
        """Tell whether it is time for another one; asked after each step."""

    def save(self, checkpoint: "Checkpoint", *, last: bool = False) -> None:
        """Keep a state, `last` before the process ends. Never raises: a training goes on without."""


class NoCheckpoints:
    """A training that begins anew each time."""

    def load_newest(self, device: Device, find_incompatibility: FindIncompatibility) -> "Checkpoint | None":
        """Return none."""
        return None

    def is_due(self) -> bool:
        """Never."""
        return False

    def save(self, checkpoint: "Checkpoint", *, last: bool = False) -> None:
        """Keep nothing."""


NO_CHECKPOINTS: Checkpoints = NoCheckpoints()


@dataclass(frozen=True, slots=True)
class Callbacks:
    """How the outside takes part: `stop` is asked before each step, the others are told after it.

    A training that goes on from a checkpoint first tells `resumed` the rows that were recorded before; one that ran out
    of a GPU's memory and goes on in smaller passes tells `on_reduce` their positions.
    """

    should_training_stop: Callable[[], bool] = lambda: False
    on_progress: Callable[[TrainingProgress], None] = lambda progress: None
    on_log: Callable[[LogEntry], None] = lambda row: None
    on_resume: Callable[[Sequence[LogEntry]], None] = lambda rows: None
    on_reduce: Callable[[int], None] = lambda positions: None
    checkpoints: Checkpoints = NO_CHECKPOINTS


@dataclass(frozen=True, slots=True)
class TrainOutput:
    """Figures of a finished training: losses in nats a token over the first and last steps, label tokens, seconds.

    `epochs` were begun, and the weights are those after `best_epoch`; evaluation counts in `seconds` alone.
    `reduced_to` is set where a GPU's memory was too small at first: the positions per pass from then on.
    """

    steps: int
    epochs: int
    best_epoch: int
    first_train_loss: float
    train_loss: float
    tokens: int
    tokens_per_second: float
    seconds: float
    device: Device
    log_history: tuple[LogEntry, ...]
    reduced_to: int | None = None
