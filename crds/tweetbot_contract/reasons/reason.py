"""What a reason of a condition, a run or a termination message is."""

from dataclasses import dataclass
from typing import Literal

#: Who must act: nobody, the author of the TweetBot, or the team that runs the cluster or service.
Actor = Literal["Nobody", "Author", "Platform"]
RETRAIN = "set the annotation tweetbot.dev/retrain-at"


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason: what it means and what to do about it."""

    name: str
    meaning: str
    advice: str = "Nothing to do: the run continues by itself."
    actor: Actor = "Nobody"

    def __str__(self) -> str:
        """Return the name, as a condition shows it."""
        return self.name


def ask_author(name: str, meaning: str, advice: str) -> Reason:
    """Return a reason that the TweetBot's author must act upon."""
    return Reason(name, meaning, advice, "Author")


def ask_platform(name: str, meaning: str, advice: str) -> Reason:
    """Return a reason that the team of the cluster or service must act upon."""
    return Reason(name, meaning, advice, "Platform")
