"""What happens between asking for posts and having them, in the order of the answer."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

#: How every text of a model is marked.
LABEL = "AI-generated"


@dataclass(frozen=True, slots=True)
class Queued:
    """Others are served first; `place` counts those that wait before this one, 0 for the next."""

    place: int


@dataclass(frozen=True, slots=True)
class Posted:
    """The model wrote a post."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """The model wrote something that is not shown: it copies a training post, or leaves no room for a word."""

    reason: Literal["Copy", "TooLong"]


@dataclass(frozen=True, slots=True)
class Done:
    """All posts are written, or the model has nothing new to say. `seconds` of drawing, without the waiting."""

    posts: int
    copies: int
    too_long: int
    seconds: float
    seed: int


Event: TypeAlias = Queued | Posted | Dropped | Done
