"""Writes the result of a stage, or its failure, to the termination log."""

import errno
import re
import traceback
from pathlib import Path

from tweetbot_contract import reasons, result
from tweetbot_contract.data_table import REASON_LIMIT
from tweetbot_contract.handover import ExitCode
from tweetbot_contract.reasons import Reason
from tweetbot_trainer.runtime.errors import GateFailed, StageError, TemporaryError

#: Exit code of an unexpected error: the operator retries it, and counts it as an attempt (design §4).
UNEXPECTED = 1
#: Disk full, quota used up, file too large.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_GPU_MEMORY_ERROR = "OutOfMemoryError"
_OS_ERROR = re.compile(r"\(os error (\d+)\)")


def write_result(outcome: result.TrainerResult, termination_log: Path) -> None:
    """Write the result in one write: the file is a mount, so it cannot be replaced by renaming."""
    message = result.encode(outcome)
    with termination_log.open("wb", buffering=0) as file:
        file.write(message)


def describe_failure(error: BaseException) -> tuple[result.StageFailed, int]:
    """Return the failure that describes anything that was raised, and its exit code.

    The text of an unexpected error stays in the Pod's log, as it may quote a post or a secret.
    """
    match error:
        case GateFailed():
            failure = _build_failure(error.reason, error.message)
            return failure.model_copy(update={"figures": error.figures}), int(error.exit_code)
        case StageError():
            failure = _build_failure(error.reason, error.message)
            return failure.model_copy(update={"billed": error.billed}), int(error.exit_code)
        case KeyboardInterrupt():
            return _build_failure(reasons.STOPPED, "the process was interrupted"), int(ExitCode.STOPPED)
        case Exception() if _find_errno(error) in _FULL:
            message = "the disk is full: give the node more ephemeral storage"
            return describe_failure(TemporaryError(reasons.DISK_FULL, message))
        case MemoryError() | RuntimeError() if _is_out_of_memory(error):
            advice = "the memory is used up: raise spec.resources.memory"
            if type(error).__name__ == _GPU_MEMORY_ERROR:
                advice = "the GPU's memory is used up: ask for a larger GPU"
            return _build_failure(reasons.OUT_OF_MEMORY, advice), UNEXPECTED
        case _:
            text = f"{type(error).__name__} {_locate_error(error)}. {reasons.TRAINER_BUG.advice}"
            return _build_failure(reasons.TRAINER_BUG, text), UNEXPECTED


def _build_failure(reason: Reason, message: str) -> result.StageFailed:
    line = " ".join(message.split())
    return result.StageFailed(reason=str(reason), message=line[:REASON_LIMIT])


def _find_errno(error: BaseException) -> int | None:
    """Return the errno; safetensors and tokenizers are written in Rust and have it only in the text."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _OS_ERROR.search(_get_text(error))
    return int(found[1]) if found else None


def _get_text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # an exception class of a library may fail to describe itself
        return ""


def _is_out_of_memory(error: BaseException) -> bool:
    """Recognize errors of torch by class name (GPU) or text (CPU), without importing torch."""
    names = {"MemoryError", _GPU_MEMORY_ERROR}
    return type(error).__name__ in names or "can't allocate memory" in _get_text(error)


def _locate_error(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "at an unknown place"
