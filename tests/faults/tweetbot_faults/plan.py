"""The laboratories, in the order in which they are played."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from tweetbot_faults.bucket.points import play_bucket
from tweetbot_faults.live.points import play_live
from tweetbot_faults.memory.plan import plan_memory
from tweetbot_faults.point import Verdict
from tweetbot_faults.runner import Select, play_in_processes
from tweetbot_faults.suite.points import play_integrations, play_units


@dataclass(frozen=True)
class Lab:
    """One level. It plans its points, has those selected that are to be played, and plays them until a deadline."""

    name: str
    play: Callable[[Select, int, float], Iterator[Verdict]]


LABS = (
    Lab("memory", partial(play_in_processes, plan_memory)),
    Lab("bucket", play_bucket),
    Lab("live", play_live),
    Lab("suite", play_units),
    Lab("suite", play_integrations),
)
