"""How long a source may wait for the world, all its waits together."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

#: Design, section 9: exit 75 comes only after 30 minutes of retries in prepare; a rate-limit window has 15.
BUDGET_SECONDS = 1800.0
#: No wait is shorter, so the budget bounds the number of requests too.
SHORTEST, LONGEST_PAUSE = 2.0, 60.0
#: A long wait says so this often.
BEAT = 60.0


def _ignore(_seconds_left: float) -> None:
    return


@dataclass(slots=True)
class WaitBudget:
    """A budget of seconds to wait in. `now` gives wall-clock seconds, against which servers name their times."""

    seconds: float = BUDGET_SECONDS
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    _pauses: int = field(default=0, init=False)

    def wait(self, seconds: float, *, say: Callable[[float], None] = _ignore) -> bool:
        """Wait so long, SHORTEST at least, and return True; return False at once when the budget is smaller.

        `say` is called with the seconds left at the beginning and after every BEAT.
        """
        seconds = max(seconds, SHORTEST)
        if seconds > self.seconds:
            return False
        self.seconds -= seconds
        while seconds > 0:
            say(seconds)
            self.sleep(min(seconds, BEAT))
            seconds -= BEAT
        return True

    def pause(self) -> bool:
        """Wait for a server that is away, twice as long as the time before, up to LONGEST_PAUSE."""
        self._pauses += 1
        return self.wait(min(SHORTEST * 2 ** min(self._pauses - 1, 10), LONGEST_PAUSE))

    def reset_pause(self) -> None:
        """Note that the server is back, so that its next absence begins with a short pause."""
        self._pauses = 0
