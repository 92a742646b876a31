"""Log lines: one JSON object each, on stderr, with the TweetBot concerned."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError

_LOG_CONTEXT: ContextVar[dict[str, str] | None] = ContextVar("log_context", default=None)


class JsonFormatter(logging.Formatter):
    """Writes time, level, logger and message; the context's namespace, name and run; then the line's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; JSON escapes line breaks, so a message cannot forge a second one."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **(_LOG_CONTEXT.get() or {}),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class ClientErrorFilter(logging.Filter):
    """Drops aiohttp's lines about broken requests and connections, e.g. of a port scan or a Pod that dies."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is about anything else."""
        fault = record.exc_info[1] if record.exc_info else None
        return not isinstance(fault, HttpProcessingError | RequestPayloadError | ConnectionError)


def configure_logging(level: str) -> None:
    """Log to stderr as JSON; only warnings of other libraries, as kopf would log each event at INFO."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("tweetbot_operator").setLevel(level)
    logging.getLogger("kopf").setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(ClientErrorFilter())


def with_fields(**fields: str | int | float | None) -> dict[str, dict[str, Any]]:
    """Return the `extra` argument for a line with these fields; None is left out."""
    return {"fields": {name: value for name, value in fields.items() if value is not None}}


@contextmanager
def open_log_context(**fields: str) -> Iterator[None]:
    """Add fields to every line logged inside."""
    token = _LOG_CONTEXT.set({**(_LOG_CONTEXT.get() or {}), **fields})
    try:
        yield
    finally:
        _LOG_CONTEXT.reset(token)


def add_to_log_context(**fields: str) -> None:
    """Add fields to the lines of the current context."""
    _LOG_CONTEXT.set({**(_LOG_CONTEXT.get() or {}), **fields})
