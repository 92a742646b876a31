"""Counts for the data table, post by post: nothing is kept of what was counted."""

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from tweetbot_contract.result import DataTable

_KEPT = "kept"


class Countable(Protocol):
    """What is counted of a cleaned post; `CleanedPost` has it."""

    @property
    def reason(self) -> str | None: ...  # noqa: D102
    @property
    def redacted(self) -> bool: ...  # noqa: D102


class DropCounts:
    """What came, what was dropped for which reason, what stayed."""

    def __init__(self) -> None:
        self._reasons: Counter[str] = Counter()
        self._redacted = 0

    def add(self, one: Countable) -> None:
        """Count a cleaned post."""
        self._reasons[one.reason or _KEPT] += 1
        self._redacted += one.reason is None and one.redacted

    def build_table(self) -> DataTable:
        """Return the data table of what was counted so far."""
        drops = {name: self._reasons[name] for name in DataTable.DROPS}
        return DataTable(downloaded=self._reasons.total(), kept=self._reasons[_KEPT], redacted=self._redacted, **drops)


def count_posts(cleaned: Iterable[Countable]) -> DataTable:
    """Return the data table of cleaned posts."""
    counts = DropCounts()
    for one in cleaned:
        counts.add(one)
    return counts.build_table()
