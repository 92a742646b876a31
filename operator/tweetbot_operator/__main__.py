"""`tweetbot-operator`: the program. Nothing heavy is imported before it can be told to end."""

import asyncio
import logging
import os
import signal
import sys

from tweetbot_operator.informers.watches import CannotStart, end_on_signals
from tweetbot_operator.manager import operate
from tweetbot_operator.settings import InvalidSettings, OperatorSettings, settings_from
from tweetbot_operator.telemetry.logs import configure


def main() -> int:
    """Run the operator and return its exit code.

    Until its loop listens, SIGTERM ends it at once: PID 1 gets no default action, and imports take a second or more.
    """
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))

    return run()


if __name__ == "__main__":
    sys.exit(main())


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
