"""What a reason of a condition, a run or a termination message is."""

from dataclasses import dataclass
from typing import Literal

#: Who must act: nobody, the author of the TweetBot, or the team that runs the cluster or service.
Actor = Literal["Nobody", "Author", "Platform"]
#: Seconds after which a wait is an alert.
LASTING_SECONDS = 900
RETRAIN = "set the annotation tweetbot.dev/retrain-at"
FORCE = "set the annotations tweetbot.dev/retrain-at and tweetbot.dev/force-at to the same new value"


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason: what it means and what to do about it."""

    name: str
    meaning: str
    advice: str = "Nothing to do: the run continues by itself."
    actor: Actor = "Nobody"
    if_it_lasts: Actor | None = None
    """Who must act once a run has waited in it for LASTING_SECONDS, where that is not `actor`."""
    steady: bool = False
    """Whether a TweetBot may stand in it for as long as it likes: it makes headway, rests, or has what it wants."""

    @property
    def lasting_actor(self) -> Actor | None:
        """Who must act where it lasts; None if it is no wait."""
        return None if self.steady else self.if_it_lasts or self.actor

    def __str__(self) -> str:
        """Return the name, as a condition shows it."""
        return self.name


def ask_author(name: str, meaning: str, advice: str, *, steady: bool = False) -> Reason:
    """Return a reason that the TweetBot's author must act upon."""
    return Reason(name, meaning, advice, "Author", steady=steady)


def ask_platform(name: str, meaning: str, advice: str) -> Reason:
    """Return a reason that the team of the cluster or service must act upon."""
    return Reason(name, meaning, advice, "Platform")
