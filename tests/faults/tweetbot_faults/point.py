"""What the harness plays: points, each one fault at one place of one workload, and how it ended."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

#: Where a point is played: the real reconciler on a cluster in memory; the operator's process on a real API server;
#: the trainer's publication on a real S3 server; a case of the test suite.
Level = Literal["memory", "live", "bucket", "suite"]


@dataclass(frozen=True)
class Violation:
    """An oracle that does not hold, and what it saw."""

    oracle: str
    seen: str

    def __str__(self) -> str:
        return f"{self.oracle}: {self.seen}"


class NeverCame(Exception):
    """The write at which a point strikes did not come in this play, and nothing was played."""


@dataclass(frozen=True)
class Point:
    """One fault at one place. `play` answers the violations; any exception but NeverCame is a violation, too."""

    id: str
    row: int
    level: Level
    play: Callable[[], list[Violation]] = field(compare=False, repr=False)
    faults: int = 1
    """Faults that are played in it."""


@dataclass(frozen=True)
class Verdict:
    """How a point ended."""

    id: str
    row: int
    level: Level
    survived: bool
    seconds: float
    seen: tuple[str, ...] = ()
    faults: int = 1
    played: bool = True

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "seen": list(self.seen)}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Verdict":
        return cls(**{**content, "seen": tuple(content["seen"])})
