"""A sample of `make faults` in memory and of its planted bugs: each point survives, and each bug is caught."""

from functools import cache

import pytest

from tweetbot_faults.memory.plan import plan_memory
from tweetbot_faults.point import Point
from tweetbot_faults.teeth.operator_bugs import BUGS as OPERATOR_BUGS
from tweetbot_faults.teeth.operator_bugs import Play
from tweetbot_faults.teeth.trainer_bugs import BUGS as TRAINER_BUGS
from tweetbot_faults.teeth.trainer_bugs import HONEST

#: Every write of two workloads with every fault is played, and each seventieth of all points.
CHOSEN = ("memory/write/succeed/", "memory/write/erase/")
#: A training takes its seconds: `make faults` plays it.
QUICK = [bug for bug in (*OPERATOR_BUGS, *TRAINER_BUGS) if bug[1] != "O16"]


@cache
def choose_points() -> tuple[Point, ...]:
    """Plan in the tests and not where they are collected, which each process of pytest does."""
    chosen = [point for point in plan_memory() if point.id.startswith(CHOSEN)]
    return (*chosen, *plan_memory()[::70])


@pytest.mark.parametrize("share", range(2))
def test_the_points_of_the_sample_are_survived(share: int) -> None:
    assert len(choose_points()) > 100
    assert {point.id: seen for point in choose_points()[share::2] if (seen := point.play())} == {}


@pytest.mark.parametrize(("bug", "oracle", "play"), QUICK, ids=[bug[0] for bug in QUICK])
def test_a_planted_bug_is_found_by_its_oracle(bug: str, oracle: str, play: Play) -> None:
    assert oracle in {violation.oracle for violation in play()}


@pytest.mark.parametrize("name", [name for name in HONEST if name != "a killed training"])
def test_the_trainer_as_it_is_has_no_such_bug(name: str) -> None:
    assert HONEST[name]() == []
