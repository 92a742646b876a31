"""A run's place in the row for a slot → what its TweetBot says while it waits."""

from dataclasses import dataclass

from tweetbot_contract.reasons import QUEUED
from tweetbot_contract.status import Condition
from tweetbot_operator.standing import Standing


@dataclass(frozen=True, slots=True)
class Place:
    """What holds a run back, and how many of its namespace come before it."""

    limit: str
    before: int


def queued_standing(place: Place, former: Condition | None) -> Standing:
    """Return the row of a run that waits. The number is that of its joining: to follow it would write for ever."""
    cause = f"{QUEUED.meaning} {place.limit}. "
    if former and former.reason == QUEUED.name and former.message.startswith(cause):
        return Standing("Queued", QUEUED.name, former.message)
    return Standing("Queued", QUEUED.name, f"{cause}When it joined, {place.before} of its namespace were before it.")
