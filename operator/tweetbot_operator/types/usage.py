"""What runs have used of a class's budgets, summed so that a check costs no walk over all of them.

Times are Unix times in whole seconds, money is in tenths of a US cent.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tweetbot_contract.platform_class.budgets import Budget

#: What a budget bounds, by the names of its fields.
UsageKind = Literal["gpuSeconds", "xUSD", "runs"]
USAGE_KINDS: tuple[UsageKind, ...] = ("gpuSeconds", "xUSD", "runs")


@dataclass(frozen=True, slots=True)
class RunUse:
    """What one run has used, as far as it is known."""

    bot: str
    """Name of its TweetBot."""
    run_id: str
    began_at: int
    ended_at: int | None
    """When it ended; None while it is active."""
    starts: int = 0
    gpu_seconds: int = 0
    x_price: int = 0
    expected_gpu_seconds: int = 0
    expected_x_price: int = 0


class Series:
    """Amounts in the order of their times. They usually come in that order, and then cost nothing to add."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._sums = [0]

    def add(self, time: int, amount: int) -> None:
        """Add an amount."""
        place = bisect_right(self._times, time)
        self._times.insert(place, time)
        self._sums.insert(place + 1, self._sums[place])
        for index in range(place + 1, len(self._sums)):
            self._sums[index] += amount

    def sum_after(self, time: int) -> int:
        """Return the sum of the amounts after a time."""
        return self._sums[-1] - self._sums[bisect_right(self._times, time)]


class Account:
    """What the runs of one class have used in one namespace, in sums."""

    def __init__(self, uses: Iterable[RunUse] = ()) -> None:
        self._ended = {kind: Series() for kind in USAGE_KINDS}
        """What runs used, by the time of their end; of runs how often they began, by the time of the begin."""
        self._active = dict.fromkeys(USAGE_KINDS, 0)
        self._amounts: dict[UsageKind, list[int]] = {kind: [] for kind in USAGE_KINDS}
        for use in sorted(uses, key=lambda use: use.began_at):
            self.add(use)

    def add(self, use: RunUse) -> None:
        """Add a run that the account does not have."""
        self._ended["runs"].add(use.began_at, use.starts)
        if use.ended_at is None:
            self._hold(use, 1)
        else:
            self._close(use, use.ended_at)

    def go_on(self, known: RunUse, use: RunUse) -> bool:
        """Replace an active run by what it has become; answers False where the account must be built again."""
        if known.ended_at is not None or (known.began_at, known.starts) != (use.began_at, use.starts):
            return False
        self._hold(known, -1)
        if use.ended_at is None:
            self._hold(use, 1)
        else:
            self._close(use, use.ended_at)
        return True

    def _hold(self, use: RunUse, sign: int) -> None:
        self._active["gpuSeconds"] += sign * max(use.gpu_seconds, use.expected_gpu_seconds)
        self._active["xUSD"] += sign * max(use.x_price, use.expected_x_price)

    def _close(self, use: RunUse, ended_at: int) -> None:
        amounts: tuple[tuple[UsageKind, int], ...] = (("gpuSeconds", use.gpu_seconds), ("xUSD", use.x_price))
        for kind, amount in amounts:
            if amount:
                self._ended[kind].add(ended_at, amount)
                insort(self._amounts[kind], amount)

    def count(self, kind: UsageKind, seconds: int, at: int, now: int) -> int:
        """Return how much counts at a time, of this many seconds before it, if all active runs ended now.

        Active runs count with what they have used or are expected to use, whichever is more.
        """
        return self._ended[kind].sum_after(at - seconds) + (self._active[kind] if now > at - seconds else 0)

    def get_median(self, kind: UsageKind) -> int:
        """Return what a run used that has ended and used some, as the median of all."""
        amounts = self._amounts[kind]
        return amounts[len(amounts) // 2] if amounts else 0


@dataclass(frozen=True, slots=True)
class ClassAccounts:
    """The budgets of a class as it is now, and what counts against them."""

    budgets: tuple[Budget, ...]
    own: Account
    """That of the TweetBot's namespace."""
    every: tuple[Account, ...]
    """Those of all namespaces."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a run is expected to use."""

    gpu_seconds: int = 0
    x_price: int = 0

    def get(self, kind: UsageKind) -> int:
        """Return the amount of one kind."""
        return {"gpuSeconds": self.gpu_seconds, "xUSD": self.x_price, "runs": 1}[kind]


@dataclass(frozen=True, slots=True)
class BudgetWait:
    """Which budget a run does not fit, in a sentence, and when it will."""

    message: str
    fits_at: datetime | None
    """None if the run alone needs more than the budget allows."""
