"""Turns SIGTERM into a request to stop. It imports only the standard library: the handler is set before torch loads.

PID 1 has no default action for SIGTERM: without a handler, a Pod would use up its whole grace period.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether this process was asked to stop. Stages check it where no write is half done."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def requested(self) -> bool:
        """Tell whether the process was asked to stop."""
        return self._event.is_set()

    def request(self) -> None:
        """Ask the process to stop."""
        self._event.set()

    def check(self) -> None:
        """Raise StageStopped if the process was asked to stop."""
        if self.requested:
            from tweetbot_contract import reasons
            from tweetbot_trainer.runtime.errors import StageStopped

            raise StageStopped(reasons.STOPPED, "the process was asked to stop; nothing was published")

    def pause(self, seconds: float) -> None:
        """Sleep; a request to stop ends the sleep and raises StageStopped."""
        self._event.wait(seconds)
        self.check()


@contextmanager
def handle_sigterm() -> Iterator[StopRequest]:
    """Yield a StopRequest that SIGTERM sets, and restore the former handler afterwards. For the main thread only."""
    stop = StopRequest()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.request()

    before = signal.signal(signal.SIGTERM, on_signal)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)
