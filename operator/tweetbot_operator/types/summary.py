"""Where a TweetBot stands: one row of the design's condition table."""

from dataclasses import dataclass

from tweetbot_contract.reasons import QUEUED
from tweetbot_contract.status import Condition, Phase


@dataclass(frozen=True, slots=True)
class Summary:
    """What Ready, Stalled, Progressing and phase say together.

    There is no row for `Reconciling`: until the operator has recorded a generation, `observedGeneration` differs, and
    kstatus reads exactly that as InProgress; from then on it has been acted on.
    """

    phase: Phase
    reason: str
    message: str
    progressing: bool = True
    stalled: bool = False


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """What holds a run back, and how many of its namespace come before it."""

    limit: str
    before: int


def summarize_queued(position: QueuePosition, former: Condition | None) -> Summary:
    """Return the row of a run that waits. The number is that of its joining: to follow it would write for ever."""
    cause = f"{QUEUED.meaning} {position.limit}. "
    if former and former.reason == QUEUED.name and former.message.startswith(cause):
        return Summary("Queued", QUEUED.name, former.message)
    return Summary("Queued", QUEUED.name, f"{cause}When it joined, {position.before} of its namespace were before it.")
