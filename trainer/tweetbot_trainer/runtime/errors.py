"""The ways in which a stage can fail, by who must act; the operator decides by the exit code.

StageError
├── SpecRefused       10  the manifest or the data must change
├── NotAuthorized     11  a token, key or permission must change
├── TooLittleData     12  more posts are needed
├── TrainingDiverged  13  the hyperparameters must change
├── GateFailed        14  the model or its gates must change
├── TemporaryError    75  an outside service is unavailable; retrying helps
└── StageStopped     143  the Pod was asked to stop; another Pod starts the stage again
"""

from typing import ClassVar

from tweetbot_contract.handover import ExitCode
from tweetbot_contract.reasons import Reason
from tweetbot_contract.result import Bill, Figures


class StageError(Exception):
    """A stage cannot finish. The message says what to do, and contains no secret."""

    exit_code: ClassVar[ExitCode]

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason, self.message = reason, message
        self.billed: Bill | None = None
        """Number of posts that the run has paid for until then."""


class SpecRefused(StageError):
    """The manifest, or something that it refers to, cannot be used; retrying cannot help."""

    exit_code = ExitCode.REFUSED


class NotAuthorized(StageError):
    """A service refuses the credentials."""

    exit_code = ExitCode.NOT_AUTHORIZED


class TooLittleData(StageError):
    """There are too few posts to train on."""

    exit_code = ExitCode.TOO_LITTLE_DATA


class TrainingDiverged(StageError):
    """The loss is no longer a number."""

    exit_code = ExitCode.DIVERGED


class GateFailed(StageError):
    """The trained model misses a gate, or it cannot be measured whether it does; `figures` are the model's."""

    exit_code = ExitCode.GATE_FAILED

    def __init__(self, reason: Reason, message: str, figures: Figures | None = None) -> None:
        super().__init__(reason, message)
        self.figures = figures


class TemporaryError(StageError):
    """An outside service is unavailable; retrying helps, after `retry_after` seconds if that is known."""

    exit_code = ExitCode.TEMPORARY

    def __init__(self, reason: Reason, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason, message)
        self.retry_after = retry_after


class StageStopped(StageError):
    """The process was asked to stop; nothing is published."""

    exit_code = ExitCode.STOPPED
