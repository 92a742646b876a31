"""What a training reports while it runs, where it keeps checkpoints, and what it returns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tweetbot_trainer.learning.training.device import Device
from tweetbot_trainer.learning.training.metrics import LogEntry, TrainingProgress
from tweetbot_trainer.learning.training.state import Checkpoint

#: Returns why a training cannot continue from a checkpoint, or None.
FindIncompatibility = Callable[[Checkpoint], str | None]


class Checkpoints(Protocol):
    """Stores a training's checkpoints, and finds those of earlier attempts."""

    def load_newest(self, device: Device, find_incompatibility: FindIncompatibility) -> Checkpoint | None:
        """Return this training's newest intact and compatible checkpoint, or None."""

    def is_due(self) -> bool:
        """Tell whether it is time for another checkpoint; asked after each step."""

    def save(self, checkpoint: Checkpoint, *, last: bool = False) -> None:
        """Keep a checkpoint; `last` before the process ends. Never raises: the training continues without it."""


class _NoCheckpoints:
    def load_newest(self, device: Device, find_incompatibility: FindIncompatibility) -> Checkpoint | None:
        return None

    def is_due(self) -> bool:
        return False

    def save(self, checkpoint: Checkpoint, *, last: bool = False) -> None: ...


@dataclass(frozen=True, slots=True)
class Callbacks:
    """How the caller takes part in a training: `should_training_stop` is asked before each step.

    `on_device` gets what the training computes with, before the first step; `on_resume` the log entries of earlier
    attempts; `on_reduce` the new limit, in positions per micro-batch, after a GPU ran out of memory; `on_recompute` is
    called before a training that recomputes activations.
    """

    should_training_stop: Callable[[], bool] = lambda: False
    on_progress: Callable[[TrainingProgress], None] = lambda progress: None
    on_log: Callable[[LogEntry], None] = lambda entry: None
    on_device: Callable[[Device], None] = lambda device: None
    on_resume: Callable[[Sequence[LogEntry]], None] = lambda entries: None
    on_reduce: Callable[[int], None] = lambda positions: None
    on_recompute: Callable[[], None] = lambda: None
    checkpoints: Checkpoints = field(default_factory=_NoCheckpoints)


@dataclass(frozen=True, slots=True)
class TrainOutput:
    """The figures of a finished training: losses in nats per token, over the first and the last steps.

    `epochs` were begun, and the weights are those after `best_epoch`. `tokens` are labels; `seconds` include the
    evaluations, `tokens_per_second` does not. `reduced_to` is the limit of GradientAccumulator if it was lowered;
    `recomputed` tells whether activations were dropped and computed again.
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
    recomputed: bool = False
