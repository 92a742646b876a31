"""Everything that one decision is made from."""

from dataclasses import dataclass
from datetime import datetime

from tweetbot_contract.manifest import TweetBot
from tweetbot_operator.types.diagnostics import Findings
from tweetbot_operator.types.objects import JobView, PodView
from tweetbot_operator.types.progress import Live
from tweetbot_operator.types.summary import Place
from tweetbot_operator.types.tweetbot import UnreadableBot


@dataclass(frozen=True, slots=True)
class World:
    """One TweetBot with its Jobs and Pods, what was found out about them, and the time."""

    bot: TweetBot | UnreadableBot
    jobs: tuple[JobView, ...]
    """Those whose controller it is."""
    pods: tuple[PodView, ...]
    """Those that carry its uid, oldest first."""
    findings: Findings
    now: datetime
    cleanups: tuple[JobView, ...] = ()
    """Jobs without a controller that claim to erase its objects."""
    place: Place | None = None
    """Where a run stands in the row for a slot; None where it may begin."""
    live: Live | None = None
    """What the trainer reported last, if the operator has heard of it since it started."""
