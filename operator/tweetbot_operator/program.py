"""Reads the settings, configures the logs, runs until SIGTERM."""

import asyncio
import logging
import os
import sys

from tweetbot_operator.logs import configure
from tweetbot_operator.operator import operate
from tweetbot_operator.settings import InvalidSettings, OperatorSettings, settings_from
from tweetbot_operator.watches import CannotStart, end_on_signals

LOG = logging.getLogger(__name__)


def run() -> int:
    """Run the operator; answers the exit code: 0 after SIGTERM, 1 when it cannot go on, 2 for bad settings."""
    try:
        settings = settings_from(os.environ)
    except InvalidSettings as fault:
        sys.stderr.write(f"tweetbot-operator: {fault}\n")
        return 2
    configure(settings.log_level)
    try:
        asyncio.run(_until_stopped(settings))
    except CannotStart as fault:
        LOG.error(str(fault))
        return 1
    except Exception:  # the one place where a fault of ours ends the process, with its traceback logged
        LOG.exception("the operator cannot go on")
        return 1
    return 0


async def _until_stopped(settings: OperatorSettings) -> None:
    stop = asyncio.Event()
    end_on_signals(stop)
    await operate(settings, stop)
