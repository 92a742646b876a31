"""Counts the watches that kopf had to begin anew. kopf tells it in its log alone, at DEBUG; the lines go no further."""

import contextlib
import logging
import re
from collections.abc import Callable, Iterator

from tweetbot_operator.metrics import WATCH_RESTARTS

#: kopf's own words (kopf/_cogs/clients/watching.py), by what they mean: 410 Gone, or a stream that fell silent.
_CAUSES = {
    "Expired": re.compile(r"Restarting the watch-stream for (\w+)"),
    "Silent": re.compile(r"Watch-stream for (\w+)\S* .*is inactive, reconnecting"),
}


class WatchLog(logging.Filter):
    """Reads the lines of kopf's watching; lets pass what would be seen without it."""

    def __init__(self, on_restart: Callable[[], None]) -> None:
        """`on_restart` is called whenever a watch begins anew from a list, which does not tell what is gone."""
        super().__init__()
        self._on_restart = on_restart

    def filter(self, record: logging.LogRecord) -> bool:
        """Count the line if it tells of a restart."""
        if record.levelno > logging.DEBUG:
            return True
        for cause, words in _CAUSES.items():
            if found := words.match(record.getMessage()):
                WATCH_RESTARTS.labels(resource=found[1], cause=cause).inc()
                if cause == "Expired":  # a silent one goes on from where it was
                    self._on_restart()
        return False


@contextlib.contextmanager
def listening_to_watches(on_restart: Callable[[], None]) -> Iterator[None]:
    """Listen to kopf inside."""
    logger, log = logging.getLogger("kopf._cogs.clients.watching"), WatchLog(on_restart)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addFilter(log)
    try:
        yield
    finally:
        logger.removeFilter(log)
        logger.setLevel(level)
