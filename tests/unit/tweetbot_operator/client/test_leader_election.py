"""The election: one replica acts at a time, another takes over in time, and an outage ends nobody."""

import asyncio
import os
from dataclasses import replace
from itertools import repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tweetbot_fakes.kubernetes.lease import Election
from tweetbot_operator.client.errors import Conflict, Rejected, Unavailable
from tweetbot_operator.client.leader_election import Leadership, exit_now
from tweetbot_operator.client.lease import Lease
from tweetbot_operator.telemetry.metrics import LEADER, LEASE_TRANSITIONS
from tweetbot_operator.types.times import format_micro_time


@pytest.fixture
def election() -> Election:
    return Election()


async def test_the_first_takes_the_lease_at_once_and_says_so(election: Election) -> None:
    election.enter("one")
    assert LEADER._value.get() == 0
    await election.run(0)
    assert election.acting == ["one"]
    assert election.client.events == ["LeaderElection: one became leader"]
    assert LEADER._value.get() == 1


async def test_the_second_stands_by_while_the_first_renews(election: Election) -> None:
    election.enter("one")
    election.enter("two")
    await election.run(600)
    assert election.acting == ["one"]
    assert election.client.lease
    assert election.client.lease.transitions == 0


async def test_a_dead_leader_is_replaced_within_a_lease_and_a_retry(election: Election) -> None:
    first = election.enter("one")
    election.enter("two")
    await election.run(60)
    first.stopped = True
    await election.run(20)
    assert election.acting == ["two"]
    assert election.client.lease
    assert election.client.lease.transitions == 1


async def test_a_read_that_fails_delays_no_takeover(election: Election) -> None:
    first = election.enter("one")
    election.enter("two")
    await election.run(60)
    first.stopped = True
    await election.run(12)
    election.client.faults = [Unavailable("503")]
    await election.run(8)
    assert election.acting == ["two"]


@pytest.mark.parametrize("skew", [-86400.0, 0.0, 86400.0])
async def test_no_wall_clock_has_to_be_right(election: Election, skew: float) -> None:
    first = election.enter("one")
    election.enter("two", skew)
    await election.run(300)
    assert election.acting == ["one"]
    first.stopped = True
    await election.run(20)
    assert election.acting == ["two"]


async def test_a_released_lease_is_taken_at_the_next_retry(election: Election) -> None:
    first = election.enter("one")
    election.enter("two")
    await election.run(60)
    await first.elector.release()
    first.stopped = True
    assert (election.acting, LEADER._value.get()) == ([], 0)
    assert election.client.lease
    released = election.client.lease
    assert (released.holder, released.seconds, released.renewed) == ("", 1, format_micro_time(first.elector._now()))
    await election.run(2.4)
    assert election.acting == ["two"]


async def test_a_leader_that_does_not_know_what_became_of_its_last_write_releases_nothing(election: Election) -> None:
    first = election.enter("one")
    await election.run(1)
    election.client.faults = [Unavailable("503")]
    await first.elector.try_acquire_or_renew()
    await first.elector.release()
    assert election.client.lease
    assert election.client.lease.holder == "one"


async def test_the_lease_says_since_when_it_is_whose_and_how_often_it_changed_hands(election: Election) -> None:
    first = election.enter("one")
    election.enter("two")
    await election.run(60)
    assert election.client.lease
    assert election.client.lease.acquired < election.client.lease.renewed
    first.stopped = True
    began = format_micro_time(first.elector._now())
    await election.run(60)
    assert began < election.client.lease.acquired < election.client.lease.renewed
    assert LEASE_TRANSITIONS._value.get() == 1


async def test_a_release_that_fails_is_no_error(election: Election) -> None:
    first = election.enter("one")
    await election.run(1)
    election.client.faults = [Unavailable("503")]
    await first.elector.release()
    assert election.acting == []


@pytest.mark.parametrize("holder", ["one", "two", "a replica that is gone", ""])
async def test_a_lease_from_a_backup_is_noticed_by_all_and_makes_no_second_leader(
    election: Election, holder: str
) -> None:
    first, second = election.enter("one"), election.enter("two")
    await election.run(30)
    assert election.client.lease
    backup = replace(election.client.lease, holder=holder)
    await election.run(30)
    election.client.restore(backup)
    await election.run(5)
    assert [first.restores, second.restores] == [1, 1]
    await election.run(40)
    assert election.acting == (["one"] if holder in ("one", "") else ["two"])
    assert [first.restores, second.restores] == [1, 1]


async def test_a_lease_that_was_deleted_and_made_again_is_no_restore(election: Election) -> None:
    first = election.enter("one")
    await election.run(30)
    election.client.lease = None
    await election.run(30)
    assert (election.acting, first.restores) == (["one"], 0)


async def test_a_standby_releases_nothing(election: Election) -> None:
    election.enter("one")
    second = election.enter("two")
    await election.run(10)
    await second.elector.release()
    assert election.client.lease
    assert election.client.lease.holder == "one"
    await election.run(60)
    assert election.acting == ["one"]


@pytest.mark.parametrize("outage", [10.0, 90.0, 600.0])
async def test_an_outage_ends_nobody_and_one_acts_soon_after(election: Election, outage: float) -> None:
    replicas = [election.enter("one"), election.enter("two")]
    await election.run(60)
    over = election.time + outage
    election.client.away = lambda: election.time < over
    await election.run(outage)
    assert election.acting in ([], ["one"])
    await election.run(5)
    assert len(election.acting) == 1
    assert [replica.ended for replica in replicas] == ["", ""]


async def test_a_leader_that_cannot_renew_acts_no_longer_than_it_may(election: Election) -> None:
    first = election.enter("one")
    await election.run(60)
    election.client.away = lambda: True
    await election.run(11)
    assert not first.acts
    assert not first.elector.leading.is_set()
    assert first.changes == [True, False]


async def test_what_it_began_ends_before_another_may_take_over(election: Election) -> None:
    first = election.enter("one")
    await election.run(0)
    election.time = 9.9
    assert first.elector.get_write_timeout() == pytest.approx(5.1)
    election.time = 10.0
    assert first.elector.get_write_timeout() == 0


async def test_a_process_that_was_stopped_acts_no_more_and_ends(election: Election) -> None:
    first = election.enter("one")
    election.enter("two")
    await election.run(60)
    first.stopped = True
    await election.run(90)
    assert election.acting == ["two"]
    first.stopped = False
    assert not first.acts
    await election.run(1)
    assert "was stopped for longer" in first.ended


async def test_a_leader_that_sees_another_in_its_place_ends(election: Election) -> None:
    first = election.enter("one")
    await election.run(1)
    assert election.client.lease
    election.client.lease = Lease("thief", 15, resource_version="99")
    await election.run(3)
    assert "thief" in first.ended


async def test_a_lost_answer_to_a_renewal_costs_nothing(election: Election) -> None:
    first = election.enter("one")
    await election.run(1)
    election.client.loses_answers = 1
    await election.run(9)
    assert election.acting == ["one"]
    assert first.ended == ""


async def test_a_lost_answer_to_the_first_write_costs_one_retry(election: Election) -> None:
    election.client.loses_answers = 1
    election.enter("one")
    await election.run(3)
    assert election.acting == ["one"]


async def test_a_deleted_lease_is_created_again(election: Election) -> None:
    election.enter("one")
    await election.run(1)
    election.client.lease = None
    await election.run(3)
    assert election.acting == ["one"]
    assert election.client.lease


async def test_a_strangers_annotation_is_no_renewal(election: Election) -> None:
    first = election.enter("one")
    election.enter("two")
    await election.run(60)
    first.stopped = True
    for _ in range(20):
        election.client.annotate()
        await election.run(1)
    assert election.acting == ["two"]


async def test_a_strangers_annotation_costs_the_leader_nothing(election: Election) -> None:
    election.enter("one")
    for _ in range(30):
        await election.run(1)
        election.client.annotate()
    assert election.acting == ["one"]


async def test_without_rights_to_the_lease_nobody_acts_and_it_is_logged_once(
    election: Election, caplog: pytest.LogCaptureFixture
) -> None:
    election.client.faults = [Rejected("leases.coordination.k8s.io is forbidden")] * 100
    election.enter("one")
    await election.run(60)
    assert election.acting == []
    (told,) = caplog.records
    assert told.levelname == "WARNING"
    assert vars(told)["fields"] == {"fault": "Rejected: leases.coordination.k8s.io is forbidden"}


async def test_a_different_fault_is_logged_too(election: Election, caplog: pytest.LogCaptureFixture) -> None:
    election.client.faults = [*repeat(Rejected("cannot get leases"), 10), *repeat(Rejected("cannot create leases"), 90)]
    election.enter("one")
    await election.run(60)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


async def test_a_fault_that_comes_back_is_logged_again_and_a_faster_replica_is_no_fault(
    election: Election, caplog: pytest.LogCaptureFixture
) -> None:
    election.enter("one")
    for fault in (Unavailable("503"), Unavailable("503"), Conflict("it has been modified")):
        election.client.faults = [fault]
        await election.run(10)
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "the lease cannot be read or written"
    ] * 2


async def test_a_request_that_hangs_is_given_up(election: Election) -> None:
    first = election.enter("one")
    read = election.client.read

    async def hang() -> Lease:
        election.client.read = read  # type: ignore[method-assign]
        await asyncio.Event().wait()
        raise AssertionError

    election.client.read = hang  # type: ignore[method-assign]
    first.elector._config = type(first.elector._config)("one", renew_deadline=0.02)
    await election.run(3)
    assert first.elector.leading.is_set()


async def test_a_bug_in_the_election_ends_the_process(election: Election) -> None:
    first = election.enter("one")
    election.client.faults = [KeyError("a bug of ours")]  # type: ignore[list-item]
    await first.elector.run()
    assert "KeyError" in first.ended


def test_without_an_election_everything_may_be_done() -> None:
    LEADER.set(0)
    alone = Leadership()
    assert alone.leading.is_set()
    assert (alone.get_write_timeout(), LEADER._value.get()) == (float("inf"), 1)


HAPPENINGS = st.tuples(st.sampled_from(["stop", "go", "away", "back", "lose", "annotate", "enter"]), st.integers(0, 2))


@settings(max_examples=150)
@given(st.lists(st.tuples(HAPPENINGS, st.floats(0.1, 40)), max_size=25))
async def test_whatever_happens_two_never_act_at_once(story: list[tuple[tuple[str, int], float]]) -> None:
    """`Election.step` asserts it after every look; here it is only made to happen."""
    election = Election()
    away = False
    election.client.away = lambda: away
    for name in ("one", "two", "three"):
        election.enter(name)
    for (happening, number), seconds in story:
        match happening:
            case "stop" | "go":
                election.replicas[number].stopped = happening == "stop"
            case "away" | "back":
                away = happening == "away"
            case "lose":
                election.client.loses_answers = number
            case "annotate" if election.client.lease:
                election.client.annotate()
            case "enter":
                election.enter(f"new-{len(election.replicas)}")
        await election.run(seconds)
    away = False
    election.enter("last")
    await election.run(60)
    assert len(election.acting) == 1


def test_a_process_that_has_lost_its_lease_ends_at_once_and_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    exit_now("the lease is another's")
    assert codes == [1]
