"""How long a process waits for services that are away or that limit its requests."""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tweetbot_contract.reasons import Reason
from tweetbot_trainer.runtime.errors import TemporaryError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.progress import StageProgress

T = TypeVar("T")
#: Seconds: the first pause, and the longest. Doubling in between spares a server that is coming back.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 60.0
#: The longest for storage and model hub, so that what is back is found soon (decision 71); X would count the requests.
LONGEST_STORAGE_PAUSE = 15.0
#: Shorter waits are not worth a request: without this bound, rounding could leave a budget that is never used up.
SHORTEST_WAIT = 0.001
#: What a server asks for at least, so that a wrong clock makes no storm of requests.
SHORTEST_RETRY_AFTER = 2.0
#: Seconds between two log lines about the same wait.
REPORT_SECONDS = 60.0


def _add_jitter(pause: float) -> float:
    return pause * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, guards nothing


@dataclass(slots=True)
class RetryBudget:
    """The seconds that one process may lose to absent services, over all its requests together.

    Replacement Pods follow within seconds, so a short budget would use up a run's attempts in a minute's outage
    (design §9): 10 minutes for train, 30 for prepare. `now` is wall-clock time, in which servers name their resets.
    """

    seconds: float
    log: Log | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    add_jitter: Callable[[float], float] = _add_jitter
    progress: StageProgress = field(default_factory=StageProgress)
    """Shows what is waited for until it answers or the request fails."""
    impatient_for: frozenset[Reason | type[TemporaryError]] = frozenset()
    """Reasons and kinds of errors that end a request at once, as waiting is not worth it yet."""
    longest_pause: float = LONGEST_PAUSE
    beside: bool = False
    """Whether the stage goes on while these requests wait."""
    ends_at: float = math.inf
    """When waiting ends at the latest, by `clock`."""

    def call(self, request: Callable[[], T], silence: TemporaryError | None = None) -> T:
        """Return the request's answer, asking again while it raises TemporaryError and the budget lasts.

        A wait that the server names (`retry_after`) and that is longer than the budget is not begun. `silence` says
        what a request means that is not answered for long; None for one that moves much data and so may take long.
        """
        try:
            if silence:
                self.progress.begin_request(silence.reason.name, silence.message, beside=self.beside)
            return self._call_until_answered(request)
        finally:
            self.progress.end_wait()

    def limit(self, seconds: float) -> None:
        """Wait no longer than this from now, also in a thread that waits already."""
        self.ends_at = self.clock() + seconds

    def _call_until_answered(self, request: Callable[[], T]) -> T:
        pause = FIRST_PAUSE
        while True:
            begun = self.clock()
            try:
                return request()
            except TemporaryError as error:
                self.seconds -= self.clock() - begun
                left = min(self.seconds, self.ends_at - self.clock())
                if error.retry_after is None:
                    seconds = min(self.add_jitter(pause), left)
                    pause = min(2 * pause, self.longest_pause)
                else:
                    seconds = max(error.retry_after, SHORTEST_RETRY_AFTER)
                impatient = not self.impatient_for.isdisjoint((error.reason, type(error)))
                if impatient or not SHORTEST_WAIT <= seconds <= left:
                    raise
                self.seconds -= seconds
                self.progress.begin_wait(error.reason.name, error.message, beside=self.beside)
                self._wait(seconds, error)

    def _wait(self, seconds: float, error: TemporaryError) -> None:
        while seconds > 0:
            if self.log:
                self.log.warning("service.retry", message=error.message, secondsLeft=round(seconds, 1))
            self.sleep(min(seconds, REPORT_SECONDS))
            seconds -= REPORT_SECONDS
