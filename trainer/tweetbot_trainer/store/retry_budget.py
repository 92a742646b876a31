"""How long a service that is away is waited for."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from tweetbot_trainer.runtime.errors import TemporaryError
from tweetbot_trainer.runtime.log import Log

T = TypeVar("T")
#: Seconds: the first pause, and the longest. Doubling in between spares a server that is coming back.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
#: Seconds that are no longer worth a pause: what rounding leaves of a budget would never become nothing.
NOTHING = 0.001


class RetryBudget:
    """The seconds that one process may lose to absent services, storage or model hub, over all its requests together.

    Replacement Pods follow within seconds, so a short budget would use up a run's attempts in a minute's outage
    (design §9): 10 minutes for train, 30 for prepare.
    """

    def __init__(
        self,
        seconds: float,
        *,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        log: Log | None = None,
    ) -> None:
        self._left, self._pause, self._clock, self._log = seconds, pause, clock, log
        self._shorter = FIRST_PAUSE if seconds >= LONGEST_PAUSE else seconds / 100

    def call(self, request: Callable[[], T]) -> T:
        """Return the request's answer, asking again while it raises Temporary and the budget lasts."""
        pause = self._shorter
        while True:
            begun = self._clock()
            try:
                return request()
            except TemporaryError as error:
                if self._left < NOTHING:
                    raise
                self._wait(pause, error)
                pause = min(2 * pause, LONGEST_PAUSE)
                self._left -= self._clock() - begun

    def _wait(self, pause: float, error: TemporaryError) -> None:
        seconds = min(pause * random.uniform(0.5, 1.0), self._left)  # noqa: S311  # spreads load, guards nothing
        if self._log:
            self._log.warning("service.retry", message=error.message, pauseSeconds=round(seconds, 2))
        self._pause(seconds)
