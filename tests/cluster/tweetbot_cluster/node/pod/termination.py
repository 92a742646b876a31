"""Termination messages: what a container leaves in its file, or the end of its log."""

from __future__ import annotations

from pathlib import Path

MESSAGE_LIMIT = 4096  # bytes; the kubelet keeps the LAST ones of a longer file
LOG_LIMIT = 2048  # bytes of the log that stand in for a missing message
LOG_LINES = 80


def termination_message(file: Path, log: Path, *, policy: str, failed: bool) -> str:
    """Return the message of an ended container under its terminationMessagePolicy."""
    message = _end_of(file, MESSAGE_LIMIT)
    if message or policy != "FallbackToLogsOnError" or not failed:
        return message.decode(errors="replace")
    lines = _end_of(log, LOG_LIMIT).splitlines(keepends=True)[-LOG_LINES:]
    return b"".join(lines).decode(errors="replace")


def _end_of(file: Path, size: int) -> bytes:
    try:
        with file.open("rb") as handle:
            length = handle.seek(0, 2)
            handle.seek(max(0, length - size))
            return handle.read()
    except OSError:
        return b""
