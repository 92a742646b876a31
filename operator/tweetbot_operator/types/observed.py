"""Everything that one decision is made from."""

from dataclasses import dataclass
from datetime import datetime

from tweetbot_contract.manifest import TweetBot
from tweetbot_operator.types.diagnostics import Diagnostics
from tweetbot_operator.types.objects import JobView, PodView
from tweetbot_operator.types.progress import LatestReport
from tweetbot_operator.types.summary import QueuePosition
from tweetbot_operator.types.tweetbot import InvalidTweetBot


@dataclass(frozen=True, slots=True)
class Observed:
    """One TweetBot with its Jobs and Pods, what was found out about them, and the time."""

    bot: TweetBot | InvalidTweetBot
    jobs: tuple[JobView, ...]
    """Those whose controller it is."""
    pods: tuple[PodView, ...]
    """Those that carry its uid, oldest first."""
    diagnostics: Diagnostics
    now: datetime
    cleanups: tuple[JobView, ...] = ()
    """Jobs without a controller that claim to erase its objects."""
    queue_position: QueuePosition | None = None
    """Where a run stands in the row for a slot; None where it may begin."""
    latest_report: LatestReport | None = None
    """What the trainer reported last, if the operator has heard of it since it started."""
