"""TODO."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class TrainingProgress:
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
class LogEntry:
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
