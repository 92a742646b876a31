"""Log lines: one JSON object each, on stderr, with the TweetBot that they are about."""

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

_LOG_CONTEXT: ContextVar[dict[str, str] | None] = ContextVar("subject", default=None)


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message; namespace, name and run of the TweetBot in hand; then the line's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a line break inside a message cannot start a second one."""
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
    """Keeps from aiohttp's lines what a sender did wrong: a port scan is no error of ours, nor a Pod that dies."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the line is about anything else than a broken request or connection."""
        fault = record.exc_info[1] if record.exc_info else None
        return not isinstance(fault, HttpProcessingError | RequestPayloadError | ConnectionError)


def configure_logging(level: str) -> None:
    """Send everything to stderr as JSON. kopf tells each event at INFO, which is our own business to tell."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("tweetbot_operator").setLevel(level)
    logging.getLogger("kopf").setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(ClientErrorFilter())


def with_fields(**fields: str | int | float | None) -> dict[str, dict[str, Any]]:
    """Return the `extra` of a line with fields of its own; None is left out."""
    return {"fields": {name: value for name, value in fields.items() if value is not None}}


@contextmanager
def open_log_context(**fields: str) -> Iterator[None]:
    """Put fields on every line inside."""
    token = _LOG_CONTEXT.set({**(_LOG_CONTEXT.get() or {}), **fields})
    try:
        yield
    finally:
        _LOG_CONTEXT.reset(token)


def add_to_log_context(**fields: str) -> None:
    """Put further fields on the lines of the present subject."""
    _LOG_CONTEXT.set({**(_LOG_CONTEXT.get() or {}), **fields})
