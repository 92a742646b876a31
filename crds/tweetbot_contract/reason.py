"""What a reason is; reasons.py has them all."""

from dataclasses import dataclass
from typing import Literal

#: Who must act: nobody (it goes on by itself), the TweetBot's author, or whoever runs the cluster or the service.
Actor = Literal["Nobody", "Author", "Platform"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: what it means and what to do."""

    name: str
    meaning: str
    actor: Actor
    advice: str

    def __str__(self) -> str:
        """Return the name as it stands in a condition."""
        return self.name
