"""How fast Jobs are created: each creation has a moment of its own, in the order in which they were asked for."""

from collections.abc import Callable

from tweetbot_operator.types.objects import Key


class RequeueAfter(Exception):
    """The pass goes on in so many seconds; nothing is wrong."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.3f} s to wait")
        self.seconds = seconds


class RateLimiter:
    """Hands out moments, so many a second; who comes before its moment is told how long it has to wait."""

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        """`clock` is monotonic, in seconds; `per_second` 0 is no limit."""
        self._distance = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._next = 0.0
        self._moments: dict[Key, float] = {}

    def reserve(self, key: Key) -> float:
        """Return 0 when the creation may happen now, else the seconds until its moment, which stays reserved."""
        now = self._clock()
        if not self._distance:
            return 0.0
        if key not in self._moments:
            moment = self._moments[key] = max(self._next, now)
            self._next = moment + self._distance
        if self._moments[key] > now:
            return self._moments[key] - now
        del self._moments[key]
        return 0.0

    def forget(self, key: Key) -> None:
        """Give up the moment of a TweetBot that is gone."""
        self._moments.pop(key, None)
