"""The laboratories, in the order in which they are played, with the points of each."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from tweetbot_faults.memory.plan import plan_memory
from tweetbot_faults.point import Point, Verdict
from tweetbot_faults.runner import play_in_processes


@dataclass(frozen=True)
class Lab:
    """One level: its points by id, of which a seed may choose some, and how they are played."""

    name: str
    choose: Callable[[int], list[str]]
    play: Callable[[list[str], float], Iterator[Verdict]]


def sample(points: Sequence[Point], share: float, seed: int) -> list[str]:
    """Choose a share of the points, of each row at least one, by the seed."""
    chance = random.Random(seed)
    rows: dict[int, list[str]] = {}
    for point in points:
        rows.setdefault(point.row, []).append(point.id)
    return [each for ids in rows.values() for each in chance.sample(ids, max(1, round(share * len(ids))))]


def _choose_memory(seed: int) -> list[str]:
    return [point.id for point in plan_memory()]


LABS = (Lab("memory", _choose_memory, partial(play_in_processes, plan_memory)),)
