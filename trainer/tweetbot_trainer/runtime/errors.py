"""Every foreseeable way a stage can fail, named after who must act; the exit code is the operator's cue.

StageError
├── SpecRefused       10  the manifest or the data must change
├── NotAuthorized     11  a token, key or permission must change
├── TooLittleData     12  more posts are needed
├── TrainingDiverged  13  the hyperparameters must change
├── GateFailed        14  the model or what is demanded of it must change
├── TemporaryError    75  something outside must change; trying again will help
└── StageStopped     143  the Pod was asked to end; another one starts the stage again
"""

from typing import ClassVar

from tweetbot_contract.handover import ExitCode
from tweetbot_contract.reasons import Reason


class StageError(Exception):
    """A stage cannot give its result. The message says what to do and holds no secret."""

    exit_code: ClassVar[ExitCode]

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason, self.message = reason, message


class SpecRefused(StageError):
    """What the manifest asks for, or what it points at, cannot be used; trying again cannot help."""

    exit_code = ExitCode.REFUSED


class NotAuthorized(StageError):
    """Somebody refuses the credentials."""

    exit_code = ExitCode.NOT_AUTHORIZED


class TooLittleData(StageError):
    """Too few posts are left to train on."""

    exit_code = ExitCode.TOO_LITTLE_DATA


class TrainingDiverged(StageError):
    """The loss is no longer a number."""

    exit_code = ExitCode.DIVERGED


class GateFailed(StageError):
    """The finished model misses what the spec demands of it."""

    exit_code = ExitCode.GATE_FAILED


class TemporaryError(StageError):
    """Something outside is away for now; trying again will help, after `retry_after` seconds if that is known."""

    exit_code = ExitCode.TEMPORARY

    def __init__(self, reason: Reason, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason, message)
        self.retry_after = retry_after


class StageStopped(StageError):
    """The process was asked to end; nothing is published."""

    exit_code = ExitCode.STOPPED
