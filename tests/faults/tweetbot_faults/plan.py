"""The laboratories, in the order in which they are played, with the points of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from tweetbot_faults.live.points import choose_places, play_live
from tweetbot_faults.memory.plan import plan_memory
from tweetbot_faults.point import Verdict
from tweetbot_faults.runner import play_in_processes


@dataclass(frozen=True)
class Lab:
    """One level: its points by id, of which a seed may choose some, and how they are played."""

    name: str
    choose: Callable[[int], list[str]]
    play: Callable[[list[str], float], Iterator[Verdict]]


def _choose_memory(seed: int) -> list[str]:
    return [point.id for point in plan_memory()]


LABS = (
    Lab("memory", _choose_memory, partial(play_in_processes, plan_memory)),
    Lab("live", choose_places, play_live),
)
