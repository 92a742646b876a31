"""Each oracle finds what it is for, and nothing in a play that went well."""

import asyncio
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from tweetbot_faults.evidence import Change, Evidence
from tweetbot_faults.memory.play import learn
from tweetbot_faults.memory.workloads import WORKLOADS
from tweetbot_faults.memory.world import World
from tweetbot_faults.oracles import CANARY, ORACLES, find_other_counts, judge

ALL = tuple(ORACLES)


@pytest.fixture
def seen() -> Evidence:
    """What a run that went well has left."""
    return deepcopy(learn("succeed").evidence)


def names_of(seen: Evidence) -> set[str]:
    return {violation.oracle for violation in judge(seen, learn("succeed").evidence, ALL)}


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_play_without_a_fault_violates_nothing(workload: str) -> None:
    world = World()
    asyncio.run(WORKLOADS[workload](world))
    seen = asyncio.run(world.close())
    assert judge(seen, learn(workload).evidence, ALL) == []


def test_another_end_is_found(seen: Evidence) -> None:
    seen.left("tweetbots")[0]["status"]["phase"] = "Failed"
    assert {"O1", "O14", "O15"} == names_of(seen)


def test_a_second_creation_is_found(seen: Evidence) -> None:
    created = next(each for each in seen.of("jobs", "operator") if each.verb == "create")
    seen.changes.append(created)
    assert "O2" in names_of(seen)


def test_a_missing_creation_is_found(seen: Evidence) -> None:
    created = next(each for each in seen.of("jobs", "operator") if each.verb == "create")
    seen.changes.remove(created)
    assert "O2" in names_of(seen)


def test_a_deletion_too_many_is_found_and_one_less_is_not(seen: Evidence) -> None:
    """The garbage collector may have been first."""
    created = next(each for each in seen.of("jobs", "operator") if each.verb == "create")
    reference = learn("succeed").evidence
    once = replace(reference, changes=[*reference.changes, replace(created, verb="delete")])
    assert [*find_other_counts(reference, once)] == []
    assert len([*find_other_counts(once, reference)]) == 1


def test_unrest_is_found(seen: Evidence) -> None:
    seen.late_writes = 1
    assert names_of(seen) == {"O3"}


def test_two_jobs_at_a_time_are_found(seen: Evidence) -> None:
    first = next(each for each in seen.of("jobs", "operator") if each.verb == "create")
    other = deepcopy(first.object)
    other["metadata"]["uid"] = "another"
    seen.changes.insert(seen.changes.index(first) + 1, Change("world", "create", "jobs", other))
    assert names_of(seen) == {"O4"}


def test_a_child_of_a_tweetbot_that_is_gone_is_found(seen: Evidence) -> None:
    created = next(each for each in seen.of("jobs", "operator") if each.verb == "create")
    created.object["metadata"]["ownerReferences"][0]["uid"] = "gone"
    assert "O5" in names_of(seen)


def test_a_status_that_goes_back_is_found(seen: Evidence) -> None:
    seen.changes.append(next(seen.of("tweetbots", "operator")))
    assert "O6" in names_of(seen)


def test_a_model_that_no_pod_has_named_by_then_is_found(seen: Evidence) -> None:
    seen.changes = [each for each in seen.changes if each.kind != "pods"]
    assert names_of(seen) == {"O7"}


def test_a_lost_edit_is_found(seen: Evidence) -> None:
    seen.wishes["team-a", "gull"]["labels"] = {"team": "harbour"}
    assert names_of(seen) == {"O9"}


def test_a_write_elsewhere_is_found(seen: Evidence) -> None:
    created = next(each for each in seen.of("jobs", "operator") if each.verb == "create")
    stray: Any = deepcopy(created.object)
    stray["metadata"]["namespace"] = "team-b"
    seen.changes.append(Change("operator", "update", "jobs", stray, cause="team-a"))
    assert "O10" in names_of(seen)


def test_a_planted_secret_is_found(seen: Evidence) -> None:
    seen.texts["Events"] = f"failed with {CANARY}"
    assert names_of(seen) == {"O11"}


def test_a_fault_of_the_process_is_found(seen: Evidence) -> None:
    seen.process.append("it is not healthy")
    assert names_of(seen) == {"O12"}


def test_a_storm_of_writes_is_found(seen: Evidence) -> None:
    seen.changes += [next(seen.of("tweetbots", "operator"))] * 40
    assert "O13" in names_of(seen)
