"""JSON lines on stderr, one event per line: `{"time", "level", "event", …}`."""

import json
import sys
import threading
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

Level = Literal["info", "warning", "error"]


class Log:
    """Writes events. Values are encoded as JSON, so no text of a post or server can forge or split a line."""

    def __init__(self, stream: TextIO | None = None, **context: Any) -> None:
        self._stream, self._context, self._lock = stream, context, threading.Lock()

    def info(self, event: str, **fields: Any) -> None:
        """Log something that happened."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Log that something did less than requested."""
        self._write("warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        """Log that the stage fails."""
        self._write("error", event, fields)

    def _write(self, level: Level, event: str, fields: dict[str, Any]) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"time": at, "level": level, "event": event, **self._context, **fields}, default=str)
        stream = self._stream or sys.stderr
        with self._lock:
            stream.write(line + "\n")
            stream.flush()
