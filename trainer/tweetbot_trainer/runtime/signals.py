"""SIGTERM as a request. Nothing but the standard library is imported here: the handler must stand before torch loads.

PID 1 gets no default action for SIGTERM, so without a handler a Pod would use up its whole grace period.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether somebody asked this process to end. Stages look at it where nothing is half done."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def requested(self) -> bool:
        """Tell whether the process was asked to end."""
        return self._event.is_set()

    def request(self) -> None:
        """Ask the process to end; asking twice changes nothing."""
        self._event.set()

    def check(self) -> None:
        """Raise Stopped when the process was asked to end."""
        if self.requested:
            from tweetbot_contract import reasons
            from tweetbot_trainer.runtime.errors import StageStopped

            raise StageStopped(reasons.STOPPED, "the process was asked to end; nothing was published")

    def pause(self, seconds: float) -> None:
        """Sleep, but not through a request to end: that raises Stopped at once."""
        self._event.wait(seconds)
        self.check()


@contextmanager
def handle_sigterm() -> Iterator[StopRequest]:
    """Give a request that SIGTERM makes; main thread only. The former handler is back afterwards."""
    stop = StopRequest()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.request()

    before = signal.signal(signal.SIGTERM, on_signal)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)
