"""The row for a slot: limits hold, the oldest of the namespace with the fewest comes first, nobody starves."""

import random
from dataclasses import dataclass, replace
from typing import Any

import pytest

from builders.operator import NOON
from tweetbot_contract.status import Condition
from tweetbot_operator.decisions.conditions import summarize_queued
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.reconciler.limits import ConcurrencyLimiter, ConcurrencyLimits
from tweetbot_operator.types.objects import CachedTweetBot, JobView, Key, QueuePosition


@dataclass
class Row:
    """A turnstile over a cache that the test fills, and whom it has called."""

    turnstile: ConcurrencyLimiter
    cache: Cache
    called: list[Key]
    version: int = 0

    def stored(self, key: str) -> CachedTweetBot:
        namespace, name = key.split("/")
        bot = self.cache.get_bot((namespace, name))
        return bot or CachedTweetBot(namespace, name, f"uid-{key}", "0", b"{}", run_id="run")

    def put(self, key: str, **changes: Any) -> CachedTweetBot:
        """Show the cache a TweetBot with a run."""
        self.version += 1
        bot = replace(self.stored(key), resource_version=str(self.version), **changes)
        self.cache.bots.put(bot)
        return bot

    def queue(self, key: str, since: str = "12:00") -> None:
        self.put(key, queued_since=since)

    def job(self, key: str, name: str = "prepare", **changes: Any) -> None:
        """Show the cache a Job of that TweetBot."""
        bot = self.stored(key)
        self.version += 1
        job = JobView(bot.namespace, name, f"{bot.uid}-{name}", "", bot.uid, bot.name, "run", name, "", "", NOON)
        self.cache.jobs.put(replace(job, resource_version=str(self.version), **changes))

    def begin(self, key: str) -> bool:
        """Do what a pass does that wants a Job; answers whether it got one."""
        bot = self.stored(key)
        if not self.turnstile.reserve(bot):
            return False
        self.job(key)
        self.put(key, queued_since="")
        self.turnstile.unreserve(bot)
        return True

    def end(self, key: str) -> None:
        """End the run and its Job."""
        self.job(key, finished_condition="Complete")
        self.put(key, run_id="", queued_since="")


def a_row(total: int = 0, per_namespace: int = 0, cache: Cache | None = None) -> Row:
    called: list[Key] = []
    cache = cache or Cache()
    return Row(ConcurrencyLimiter(cache, ConcurrencyLimits(total, per_namespace), called.append), cache, called)


def test_without_limits_everybody_begins() -> None:
    row = a_row()
    assert all(row.begin(f"a/{number}") for number in range(100))


def test_a_namespace_gets_no_more_than_its_limit_and_the_next_one_its_own() -> None:
    row = a_row(per_namespace=2)
    assert [row.begin(f"a/{number}") for number in range(3)] == [True, True, False]
    assert row.begin("b/0")


def test_all_together_get_no_more_than_the_limit() -> None:
    row = a_row(total=2)
    assert [row.begin(key) for key in ("a/0", "b/0", "c/0")] == [True, True, False]


def test_a_place_names_the_limit_and_those_before() -> None:
    row = a_row(per_namespace=1)
    row.begin("a/0")
    row.queue("a/1", "12:01")
    row.queue("a/2", "12:02")
    place = QueuePosition("At most 1 runs of a namespace are active at once", 2)
    assert row.turnstile.get_position(row.stored("a/3")) == place
    assert a_row(total=1).turnstile.get_position(row.stored("a/3")) is None


def test_the_oldest_run_is_called_when_a_slot_is_free() -> None:
    row = a_row(total=1)
    row.begin("a/0")
    row.queue("a/young", "12:05")
    row.queue("a/old", "12:01")
    row.end("a/0")
    assert row.called == [("a", "old")]
    assert not row.begin("a/young")
    assert row.begin("a/old")


def test_a_newcomer_stands_behind_those_who_wait() -> None:
    row = a_row(total=1)
    row.begin("a/0")
    row.queue("a/1", "12:01")
    row.end("a/0")
    assert not row.begin("a/newcomer")
    assert row.begin("a/1")


def test_the_namespace_with_the_fewest_comes_first() -> None:
    row = a_row(total=3)
    for key in ("a/0", "a/1", "b/0"):
        row.begin(key)
    row.queue("a/2", "12:00")
    row.queue("b/1", "12:09")
    row.queue("c/0", "12:09")
    row.end("a/0")
    assert row.called == [("c", "0")]


def test_a_run_between_its_stages_keeps_its_slot() -> None:
    row = a_row(total=1)
    row.begin("a/0")
    row.job("a/0", finished_condition="Complete")
    assert not row.begin("a/1")
    assert row.turnstile.get_position(row.stored("a/0")) is None


def test_a_run_that_waits_to_retry_gives_its_slot_to_others() -> None:
    row = a_row(total=1)
    row.begin("a/0")
    row.job("a/0", finished_condition="Failed")
    assert row.begin("a/1")
    assert not row.begin("a/0")


def test_a_job_that_is_being_deleted_holds_its_slot_until_it_is_gone() -> None:
    row = a_row(total=1)
    row.begin("a/0")
    row.put("a/0", run_id="")
    row.queue("a/1")
    assert not row.begin("a/1")
    row.cache.jobs.delete("uid-a/0-prepare")
    assert row.called == [("a", "1")]


def test_a_slot_that_is_being_taken_is_given_to_nobody_else() -> None:
    row = a_row(total=1)
    first = row.stored("a/0")
    assert row.turnstile.reserve(first)
    assert not row.turnstile.reserve(row.stored("b/0"))
    row.turnstile.unreserve(first)  # the API server refused the Job
    assert row.turnstile.reserve(row.stored("b/0"))


def test_one_whose_passes_fail_keeps_nobody_from_their_turn() -> None:
    row = a_row(total=1)
    row.begin("a/0")
    row.queue("a/poison", "12:00")
    row.queue("b/1", "12:01")
    row.end("a/0")
    row.turnstile.step_aside(row.stored("a/poison"))
    assert row.called[-1] == ("b", "1")
    assert row.begin("b/1")
    row.turnstile.look(row.stored("a/poison"))
    row.end("b/1")
    assert row.called[-1] == ("a", "poison")


def test_a_deleted_bot_leaves_its_place_to_the_next() -> None:
    row = a_row(total=1)
    row.begin("a/0")
    row.queue("a/1", "12:01")
    row.queue("a/2", "12:02")
    row.cache.bots.delete("uid-a/1")
    row.end("a/0")
    assert row.called == [("a", "2")]


def test_a_restart_finds_the_same_row_in_the_same_order() -> None:
    row = a_row(total=2)
    for key in ("a/0", "b/0"):
        row.begin(key)
    for number in range(9):
        row.queue(f"{'abc'[number % 3]}/{number + 10}", f"12:{30 - number}")
    again = a_row(total=2)
    again.version = row.version
    for job in row.cache.jobs.list_all():
        again.cache.jobs.put(job)
    for bot in reversed(row.cache.bots.list_all()):
        again.cache.bots.put(bot)
    orders = []
    for each in (row, again):
        each.called.clear()
        each.end("a/0")
        orders.append(list(each.called))
    assert orders[0] == orders[1]
    assert len(orders[0]) == 1


def serve(row: Row, active: list[str]) -> list[str]:
    """Make the passes that were asked for; answers who began, in order."""
    began = []
    while row.called:
        key = "/".join(row.called.pop(0))
        if key not in active:
            assert row.begin(key)
            active.append(key)
            began.append(key)
    assert len(active) <= 4
    assert max((sum(key[0] == namespace for key in active) for namespace in "abcde"), default=0) <= 2
    return began


@pytest.mark.parametrize("seed", range(20))
def test_nobody_starves_and_no_limit_is_passed(seed: int) -> None:
    """Every run that waits begins in the end, however many newcomers there are, and each namespace's oldest first."""
    dice = random.Random(seed)
    row = a_row(total=4, per_namespace=2)
    active: list[str] = []
    began: list[str] = []
    for number in range(60):
        key = f"{dice.choice('abcde')}/{number:03}"
        if row.begin(key):
            active.append(key)
        else:
            row.queue(key, f"12:{number:03}")
        if dice.random() < 0.3:
            row.end(active.pop(dice.randrange(len(active))))
        began += serve(row, active)
    while active:
        row.end(active.pop(dice.randrange(len(active))))
        began += serve(row, active)
    assert row.turnstile._waiting == {}
    for namespace in "abcde":
        mine = [key for key in began if key.startswith(namespace)]
        assert mine == sorted(mine)


def test_the_number_that_a_status_gives_is_kept_while_the_run_waits() -> None:
    first = summarize_queued(QueuePosition("At most 1 runs are active at once", 7), None)
    cause = "Waiting for a free slot. At most 1 runs are active at once. "
    assert first.message == cause + "When it joined, 7 of its namespace were before it."
    former = Condition(
        type="Progressing",
        status="True",
        reason=first.reason,
        message=first.message,
        last_transition_time="2026-01-01T12:00:00Z",
        observed_generation=1,
    )
    assert summarize_queued(QueuePosition("At most 1 runs are active at once", 3), former) == first
    assert "At most 2" in summarize_queued(QueuePosition("At most 2 runs are active at once", 3), former).message
    assert (first.phase, first.stalled, first.progressing) == ("Queued", False, True)


def test_a_job_elsewhere_that_claims_a_tweetbot_takes_no_slot_whichever_is_seen_first() -> None:
    for order in ((False, True), (True, False)):
        row = a_row(per_namespace=1)
        for bot_comes in order:
            if bot_comes:
                row.put("a/gull")
            else:
                row.job("a/gull", namespace="b")
        assert row.begin("b/tern")
        assert row.begin("a/gull")
        assert not row.begin("a/auk")


def test_jobs_of_invented_controllers_take_no_slot() -> None:
    row = a_row(total=2, per_namespace=1)
    for number in range(9):
        row.job(f"a/invented-{number}")
    assert row.begin("a/gull")
    assert row.begin("b/tern")
    assert not row.begin("c/auk")


def test_a_tweetbot_that_is_gone_frees_its_slot_before_its_job_is_gone_as_well() -> None:
    row = a_row(total=1)
    row.begin("a/gull")
    row.queue("b/tern")
    row.cache.bots.delete("uid-a/gull")
    assert row.called == [("b", "tern")]
    assert row.begin("b/tern")
    row.job("a/gull", deleting=True)
    row.cache.jobs.delete("uid-a/gull-prepare")
    assert not row.begin("c/auk")
