"""The figures of a training while it runs. Imports no torch: reporting progress does not need it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """How far a training is after a step; `epoch` is 1.5 half-way through the second, losses are in nats per token.

    `eval_loss` is the latest validation loss.
    """

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
class LogEntry:
    """A line of metrics.jsonl: a step's training figures, or the validation loss after an epoch, in nats per token."""

    step: int
    epoch: float
    train_loss: float | None = None
    learning_rate: float | None = None
    tokens_per_second: float | None = None
    eval_loss: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the figures that are set."""
        return {name: value for name, value in asdict(self).items() if value is not None}
