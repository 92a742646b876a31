"""The plan is made from the trace, is the same each time, and names rows and tests that exist."""

import pytest

from tweetbot_faults.bucket import points as bucket
from tweetbot_faults.live import away
from tweetbot_faults.live import points as live
from tweetbot_faults.live.points import Place, choose_places, list_places
from tweetbot_faults.memory.plan import plan_memory
from tweetbot_faults.memory.play import learn
from tweetbot_faults.memory.points import _find_intervals
from tweetbot_faults.memory.workloads import WORKLOADS
from tweetbot_faults.point import Point, Violation
from tweetbot_faults.rows import ROWS
from tweetbot_faults.runner import play_point
from tweetbot_faults.suite.cases import INTEGRATION, UNIT, Case
from tweetbot_faults.suite.points import list_tests


def test_every_point_has_an_id_of_its_own_and_a_row() -> None:
    ids = [point.id for point in plan_memory()]
    assert len(set(ids)) == len(ids)
    assert {point.row for point in plan_memory()} <= {row.number for row in ROWS}


def test_every_write_of_every_workload_is_struck() -> None:
    struck = {tuple(point.id.split("/")[2:4]) for point in plan_memory() if point.id.startswith("memory/write/")}
    assert len(struck) == sum(len(learn(name).faulty.writes) for name in WORKLOADS)


def test_an_interval_reaches_from_each_event_of_an_object_to_its_last() -> None:
    keys = [("jobs", "1"), ("pods", "2"), ("jobs", "1"), ("jobs", "1")]
    assert list(_find_intervals(keys)) == [(0, 3), (2, 3)]


def test_a_few_seeds_reach_every_place() -> None:
    places = list_places({"succeed": 7})
    assert {place for seed in range(15) for place in choose_places(places, seed)} == set(places)
    assert choose_places(places, 3) == choose_places(places, 3)
    assert Place("succeed", 0, "409") in places


def test_every_case_of_the_suite_names_tests_that_exist() -> None:
    assert len(list_tests((*UNIT, *INTEGRATION))) > len((*UNIT, *INTEGRATION))
    with pytest.raises(LookupError, match="row 1: no test"):
        list_tests([Case(1, "unit/tweetbot_faults/test_plan.py", "nobody_is_called_so")])


def test_whatever_a_point_raises_is_its_verdict() -> None:
    def fail() -> list[Violation]:
        raise KeyError("gone")

    verdict = play_point(Point("memory/x", 1, "memory", fail))
    assert not verdict.survived
    assert verdict.seen[0].startswith("harness: KeyError")


def test_every_row_that_is_not_played_says_why() -> None:
    elsewhere = {*live.ROWS.values(), *(row for row, _ in bucket.FAULTS.values()), bucket.RACE_ROW, bucket.SECOND_ROW}
    elsewhere |= {*away.SERVERS.values(), away.CRD_ROW}
    played = {point.row for point in plan_memory()} | {case.row for case in (*UNIT, *INTEGRATION)} | elsewhere
    assert [row.number for row in ROWS if not row.missing and row.number not in played] == []
