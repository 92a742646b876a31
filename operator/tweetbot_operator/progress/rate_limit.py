"""How often a Pod may report."""

from collections.abc import Callable

from tweetbot_operator.progress.errors import TooMany

#: KubeflowCallback and our trainer report every 5 s, and at their beginning and end at once.
_BURST, _SECONDS_EACH = 4.0, 2.5
#: Pods remembered before the rested ones are forgotten.
_REMEMBERED = 4096


class Limits:
    """A bucket of tokens for each Pod."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` is steady, in seconds."""
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def spend(self, pod: str) -> None:
        """Count a report of the Pod. Raises TooMany."""
        now = self._clock()
        left = self._filled(pod, now)
        if left < 1.0:
            raise TooMany(f"a Pod may report every {_SECONDS_EACH} s")
        if len(self._buckets) >= _REMEMBERED:
            self._buckets = {one: bucket for one, bucket in self._buckets.items() if self._filled(one, now) < _BURST}
        self._buckets[pod] = (left - 1.0, now)

    def _filled(self, pod: str, now: float) -> float:
        left, since = self._buckets.get(pod, (_BURST, now))
        return min(left + (now - since) / _SECONDS_EACH, _BURST)
