"""However a stage ends, the operator gets one word, one line and an exit code."""

import errno
from pathlib import Path

import pytest
from safetensors import SafetensorError

from tweetbot_contract import reasons, result
from tweetbot_contract.data_table import REASON_LIMIT
from tweetbot_contract.handover import ExitCode
from tweetbot_trainer.runtime import errors
from tweetbot_trainer.runtime.termination import UNEXPECTED, describe_failure, write_result

FAILURES = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.StageError)]


@pytest.mark.parametrize("failure", [cls for cls in FAILURES if cls is not errors.StageError])
def test_a_foreseen_failure_keeps_its_reason_message_and_code(failure: type[errors.StageError]) -> None:
    told, code = describe_failure(failure(reasons.SPEC_REFUSED, "write something else"))
    assert (told.reason, told.message, code) == ("SpecRefused", "write something else", failure.exit_code)


def test_a_model_that_misses_a_gate_leaves_its_figures() -> None:
    figures = result.Figures(eval_loss=2, bits_per_byte=0.9, verbatim_rate=0.73)
    told, _ = describe_failure(errors.GateFailed(reasons.GATE_FAILED, "73 % are verbatim", figures))
    assert told.figures == figures


def test_every_failure_stands_in_the_modules_tree() -> None:
    names = [cls.__name__ for cls in FAILURES]
    assert [name for name in names if name not in (errors.__doc__ or "")] == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_temporary(number: int) -> None:
    told, code = describe_failure(OSError(number, "No space left on device"))
    assert (told.reason, code) == ("DiskFull", ExitCode.TEMPORARY)


@pytest.mark.parametrize("kind", [SafetensorError, OSError, Exception])
def test_a_disk_that_a_library_in_rust_finds_full_is_temporary_too(kind: type[Exception]) -> None:
    """Its errors have the number in their text alone, an OSError, too."""
    error = kind("Error while serializing: I/O error: No space left on device (os error 28)")
    told, code = describe_failure(error)
    assert (told.reason, code) == ("DiskFull", ExitCode.TEMPORARY)


class OutOfMemoryError(RuntimeError):
    """Named as torch names it."""


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (MemoryError(), "raise spec.resources.memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "raise spec.resources.memory"),
        (OutOfMemoryError("CUDA out of memory"), "a larger GPU"),
    ],
)
def test_used_up_memory_counts_as_an_attempt_and_says_whose_it_was(error: Exception, advice: str) -> None:
    told, code = describe_failure(error)
    assert (told.reason, code) == ("OutOfMemory", UNEXPECTED)
    assert told.message.endswith(advice)


def test_an_unforeseen_errors_own_text_stays_in_the_log() -> None:
    try:
        raise KeyError("a post that says something private")
    except KeyError as error:
        told, code = describe_failure(error)
    assert (told.reason, code) == ("TrainerBug", UNEXPECTED)
    assert "private" not in told.message
    assert "KeyError at test_termination.py:" in told.message


def test_a_message_is_one_line() -> None:
    told, _ = describe_failure(errors.SpecRefused(reasons.SPEC_REFUSED, "first\nsecond\r\n\tthird"))
    assert told.message == "first second third"


def test_a_long_message_is_cut_to_what_a_status_holds() -> None:
    told, _ = describe_failure(errors.SpecRefused(reasons.SPEC_REFUSED, "é" * 5000))
    assert len(told.message) == REASON_LIMIT


def test_the_last_result_written_is_the_one_that_stands(tmp_path: Path) -> None:
    for message in ("a longer first message", "short"):
        write_result(result.StageFailed(reason="TrainerBug", message=message), tmp_path / "log")
    assert result.decode((tmp_path / "log").read_text(encoding="utf-8")).message == "short"  # type: ignore[union-attr]
