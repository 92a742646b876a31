"""Damaged records: a source leaves out a few of them and counts them; too many end the run."""

from tweetbot_contract import reasons
from tweetbot_contract.data_table import DataWarning
from tweetbot_trainer.runtime.errors import SpecRefused

#: Percent of a source's records that may be damaged: as many as may be missing where the spec says nothing.
MAX_DAMAGED_PERCENT = 5
#: As many may be damaged in a source of any size: 5 % of the sixty posts that a dataset needs at least.
ALWAYS_ALLOWED = 3
#: After as many damaged records without a good one a source is not read on.
FIRST = 100
_FAULT_LENGTH = 200


class DamageCount:
    """The damaged records of a source, and where the first one is.

    `prefix` begins refusals, `advice` ends them; `what` names the records.
    """

    def __init__(self, index: int, *, advice: str, prefix: str = "", what: str = "records") -> None:
        self._index, self._advice, self._prefix, self._what = index, advice, prefix, what
        self._first = ""
        self.good = self.damaged = 0

    def add_good(self) -> None:
        """Count a record that can be read, whatever becomes of it."""
        self.good += 1

    def add_damaged(self, place: str, fault: object) -> None:
        """Count a damaged record. Raises SpecRefused (SourceUnreadable) if none of the first records can be read."""
        self._first = self._first or f"{place}: {str(fault)[:_FAULT_LENGTH]}"
        self.damaged += 1
        if self.damaged >= FIRST and not self.good:
            self.check()

    def check(self) -> None:
        """Raise SpecRefused (SourceUnreadable) if too many records are damaged; called after the last one."""
        if not self.damaged or (self.good and self.damaged <= max(ALWAYS_ALLOWED, self._limit)):
            return
        limit = f"; at most {MAX_DAMAGED_PERCENT} % may be" if self.good else ""
        message = f"{self._prefix}{self._say_count()} cannot be read{limit}. The first is {self._first}; {self._advice}"
        raise SpecRefused(reasons.SOURCE_UNREADABLE, message)

    def build_warnings(self) -> tuple[DataWarning, ...]:
        """Return a warning if records were left out."""
        if not self.damaged:
            return ()
        was = "was" if self.damaged == 1 else "were"
        message = (
            f"sources[{self._index}]: {self._say_count()} cannot be read and {was} left out. "
            f"The first is {self._first}. To have them, mend them in the file."
        )
        return (DataWarning(reason=reasons.POSTS_UNREADABLE.name, message=message),)

    @property
    def _limit(self) -> int:
        return (self.good + self.damaged) * MAX_DAMAGED_PERCENT // 100

    def _say_count(self) -> str:
        return f"{self.damaged} of {self.good + self.damaged} {self._what}"
