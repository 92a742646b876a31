"""The type of a reason; reasons.py lists them all."""

from dataclasses import dataclass
from typing import Literal

#: Who must act: nobody, the author of the TweetBot, or the team that runs the cluster or service.
Actor = Literal["Nobody", "Author", "Platform"]


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason: what it means and what to do about it."""

    name: str
    meaning: str
    actor: Actor
    advice: str

    def __str__(self) -> str:
        """Return the name, as a condition shows it."""
        return self.name
