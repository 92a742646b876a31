"""What a training tells while it runs, and what it hands back."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from tweetbot_trainer.training.processors import Processor


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training stands after a step; `epoch` is 1.5 half-way through the second, `eval_loss` the latest."""

    step: int
    total_steps: int
    epoch: float
    train_loss: float
    eval_loss: float | None
    eta_seconds: float

    @property
    def percent(self) -> int:
        """Return the share of steps done, 0 to 100."""
        return 100 * self.step // self.total_steps


@dataclass(frozen=True, slots=True)
class MetricsRow:
    """One line of metrics.jsonl: a step's training figures, or the validation loss after an epoch (nats a token)."""

    step: int
    epoch: float
    train_loss: float | None = None
    learning_rate: float | None = None
    tokens_per_second: float | None = None
    eval_loss: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the figures that the row has."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Hooks:
    """How the outside takes part: `stop` is asked before each step, the others are told after it."""

    stop: Callable[[], bool] = lambda: False
    progress: Callable[[Progress], None] = lambda progress: None
    record: Callable[[MetricsRow], None] = lambda row: None


@dataclass(frozen=True, slots=True)
class TrainingOutcome:
    """Figures of a finished training: losses in nats a token over the first and last steps, label tokens, seconds.

    `epochs` were begun, and the weights are those after `best_epoch`; evaluation counts in `seconds` alone.
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
