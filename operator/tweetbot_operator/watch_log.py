"""Counts the watches that kopf had to begin anew. kopf tells it in its log alone, at DEBUG; the lines go no further."""

import logging
import re

from tweetbot_operator.metrics import WATCH_RESTARTS

#: kopf's own words (kopf/_cogs/clients/watching.py), by what they mean: 410 Gone, or a stream that fell silent.
_CAUSES = {
    "Expired": re.compile(r"Restarting the watch-stream for (\w+)"),
    "Silent": re.compile(r"Watch-stream for (\w+)\S* .*is inactive, reconnecting"),
}


class WatchLog(logging.Filter):
    """Reads the lines of kopf's watching; lets pass what would be seen without it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Count the line if it tells of a restart."""
        if record.levelno > logging.DEBUG:
            return True
        for cause, words in _CAUSES.items():
            if found := words.match(record.getMessage()):
                WATCH_RESTARTS.labels(resource=found[1], cause=cause).inc()
        return False


def count_watch_restarts() -> None:
    """Listen to kopf from now on."""
    logger = logging.getLogger("kopf._cogs.clients.watching")
    logger.setLevel(logging.DEBUG)
    logger.addFilter(WatchLog())
