"""The limits hold, the oldest run of the namespace with the fewest active ones comes first, and no run starves."""

import random
from dataclasses import dataclass, replace
from typing import Any

import pytest

from builders.operator import NOON
from tweetbot_contract.status import Condition
from tweetbot_operator.decisions.platform.budgets import summarize_queued
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.reconciler.limits import ConcurrencyLimiter, ConcurrencyLimits, RateLimiter
from tweetbot_operator.types.objects import CachedTweetBot, JobView, Key, QueuePosition


@dataclass
class Fleet:
    """A limiter over a cache that the test fills, and the TweetBots that it has enqueued."""

    limiter: ConcurrencyLimiter
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
        if not self.limiter.reserve(bot):
            return False
        self.job(key)
        self.put(key, queued_since="")
        self.limiter.unreserve(bot)
        return True

    def end(self, key: str) -> None:
        """End the run and its Job."""
        self.job(key, finished_condition="Complete")
        self.put(key, run_id="", queued_since="")


def a_fleet(total: int = 0, per_namespace: int = 0, cache: Cache | None = None) -> Fleet:
    called: list[Key] = []
    cache = cache or Cache()
    return Fleet(ConcurrencyLimiter(cache, ConcurrencyLimits(total, per_namespace), called.append), cache, called)


def test_without_limits_every_run_begins() -> None:
    fleet = a_fleet()
    assert all(fleet.begin(f"a/{number}") for number in range(100))


def test_a_namespace_gets_no_more_than_its_limit_and_the_next_one_its_own() -> None:
    fleet = a_fleet(per_namespace=2)
    assert [fleet.begin(f"a/{number}") for number in range(3)] == [True, True, False]
    assert fleet.begin("b/0")


def test_all_together_get_no_more_than_the_limit() -> None:
    fleet = a_fleet(total=2)
    assert [fleet.begin(key) for key in ("a/0", "b/0", "c/0")] == [True, True, False]


def test_a_position_names_the_limit_and_how_many_are_before() -> None:
    fleet = a_fleet(per_namespace=1)
    fleet.begin("a/0")
    fleet.queue("a/1", "12:01")
    fleet.queue("a/2", "12:02")
    place = QueuePosition("The limit of active runs in a namespace is 1", 2)
    assert fleet.limiter.get_position(fleet.stored("a/3")) == place
    assert a_fleet(total=1).limiter.get_position(fleet.stored("a/3")) is None


def test_the_oldest_run_is_called_when_a_slot_is_free() -> None:
    fleet = a_fleet(total=1)
    fleet.begin("a/0")
    fleet.queue("a/young", "12:05")
    fleet.queue("a/old", "12:01")
    fleet.end("a/0")
    assert fleet.called == [("a", "old")]
    assert not fleet.begin("a/young")
    assert fleet.begin("a/old")


def test_a_newcomer_is_behind_the_runs_that_wait() -> None:
    fleet = a_fleet(total=1)
    fleet.begin("a/0")
    fleet.queue("a/1", "12:01")
    fleet.end("a/0")
    assert not fleet.begin("a/newcomer")
    assert fleet.begin("a/1")


def test_the_namespace_with_the_fewest_comes_first() -> None:
    fleet = a_fleet(total=3)
    for key in ("a/0", "a/1", "b/0"):
        fleet.begin(key)
    fleet.queue("a/2", "12:00")
    fleet.queue("b/1", "12:09")
    fleet.queue("c/0", "12:09")
    fleet.end("a/0")
    assert fleet.called == [("c", "0")]


def test_a_run_between_its_stages_keeps_its_slot() -> None:
    fleet = a_fleet(total=1)
    fleet.begin("a/0")
    fleet.job("a/0", finished_condition="Complete")
    assert not fleet.begin("a/1")
    assert fleet.limiter.get_position(fleet.stored("a/0")) is None


def test_a_run_that_waits_to_retry_gives_its_slot_to_others() -> None:
    fleet = a_fleet(total=1)
    fleet.begin("a/0")
    fleet.job("a/0", finished_condition="Failed")
    assert fleet.begin("a/1")
    assert not fleet.begin("a/0")


def test_a_job_that_is_being_deleted_holds_its_slot_until_it_is_gone() -> None:
    fleet = a_fleet(total=1)
    fleet.begin("a/0")
    fleet.put("a/0", run_id="")
    fleet.queue("a/1")
    assert not fleet.begin("a/1")
    fleet.cache.jobs.delete("uid-a/0-prepare")
    assert fleet.called == [("a", "1")]


def test_a_reserved_slot_is_given_to_no_other_run() -> None:
    fleet = a_fleet(total=1)
    first = fleet.stored("a/0")
    assert fleet.limiter.reserve(first)
    assert not fleet.limiter.reserve(fleet.stored("b/0"))
    fleet.limiter.unreserve(first)  # the API server refused the Job
    assert fleet.limiter.reserve(fleet.stored("b/0"))


def test_a_job_that_was_refused_gives_its_slot_back_to_its_namespace_once() -> None:
    fleet = a_fleet(per_namespace=1)
    refused = fleet.stored("a/0")
    assert fleet.limiter.reserve(refused)
    fleet.limiter.unreserve(refused)
    assert [fleet.begin(f"a/{number}") for number in (1, 2)] == [True, False]


def test_a_job_that_was_refused_lets_the_next_run_be_called() -> None:
    fleet = a_fleet(total=1)
    refused = fleet.stored("a/0")
    fleet.limiter.reserve(refused)
    fleet.queue("b/1")
    fleet.limiter.unreserve(refused)
    assert fleet.called == [("b", "1")]


def test_the_next_stage_of_a_run_takes_no_second_slot() -> None:
    fleet = a_fleet(total=2)
    fleet.begin("a/0")
    assert fleet.limiter.reserve(fleet.stored("a/0"))
    assert fleet.begin("b/0")


def test_slots_that_are_free_together_go_to_different_namespaces() -> None:
    fleet = a_fleet(total=2)
    for key in ("x/0", "y/0"):
        fleet.begin(key)
    for key, since in (("a/1", "12:01"), ("a/2", "12:02"), ("b/1", "12:09")):
        fleet.queue(key, since)
    for key in ("x/0", "y/0"):
        fleet.end(key)
    assert fleet.called[-2:] == [("a", "1"), ("b", "1")]


def test_slots_that_are_free_together_fill_a_namespace_up_to_its_limit() -> None:
    fleet = a_fleet(total=3, per_namespace=2)
    for key in ("x/0", "y/0", "z/0"):
        fleet.begin(key)
    for key in ("a/1", "a/2", "a/3"):
        fleet.queue(key, f"12:0{key[-1]}")
    fleet.called.clear()
    for key in ("x/0", "y/0", "z/0"):
        fleet.end(key)
    assert fleet.called[-2:] == [("a", "1"), ("a", "2")]


def test_a_run_whose_passes_fail_blocks_no_other() -> None:
    fleet = a_fleet(total=1)
    fleet.begin("a/0")
    fleet.queue("a/poison", "12:00")
    fleet.queue("b/1", "12:01")
    fleet.end("a/0")
    fleet.limiter.step_aside(fleet.stored("a/poison"))
    assert fleet.called[-1] == ("b", "1")
    assert fleet.begin("b/1")
    fleet.limiter.look(fleet.stored("a/poison"))
    fleet.end("b/1")
    assert fleet.called[-1] == ("a", "poison")


def test_a_deleted_bot_leaves_its_place_to_the_next() -> None:
    fleet = a_fleet(total=1)
    fleet.begin("a/0")
    fleet.queue("a/1", "12:01")
    fleet.queue("a/2", "12:02")
    fleet.cache.bots.delete("uid-a/1")
    fleet.end("a/0")
    assert fleet.called == [("a", "2")]


def test_a_restart_finds_the_same_queue_in_the_same_order() -> None:
    fleet = a_fleet(total=2)
    for key in ("a/0", "b/0"):
        fleet.begin(key)
    for number in range(9):
        fleet.queue(f"{'abc'[number % 3]}/{number + 10}", f"12:{30 - number}")
    again = a_fleet(total=2)
    again.version = fleet.version
    for job in fleet.cache.jobs.list_all():
        again.cache.jobs.put(job)
    for bot in reversed(fleet.cache.bots.list_all()):
        again.cache.bots.put(bot)
    orders = []
    for each in (fleet, again):
        each.called.clear()
        each.end("a/0")
        orders.append(list(each.called))
    assert orders[0] == orders[1]
    assert len(orders[0]) == 1


def serve(fleet: Fleet, active: list[str]) -> list[str]:
    """Make the passes that were asked for; answers who began, in order."""
    began = []
    while fleet.called:
        key = "/".join(fleet.called.pop(0))
        if key not in active:
            assert fleet.begin(key)
            active.append(key)
            began.append(key)
    assert len(active) <= 4
    assert max((sum(key[0] == namespace for key in active) for namespace in "abcde"), default=0) <= 2
    return began


@pytest.mark.parametrize("seed", range(20))
def test_nobody_starves_and_no_limit_is_passed(seed: int) -> None:
    """Every run that waits begins in the end, however many newcomers there are, and each namespace's oldest first."""
    dice = random.Random(seed)
    fleet = a_fleet(total=4, per_namespace=2)
    active: list[str] = []
    began: list[str] = []
    for number in range(60):
        key = f"{dice.choice('abcde')}/{number:03}"
        if fleet.begin(key):
            active.append(key)
        else:
            fleet.queue(key, f"12:{number:03}")
        if dice.random() < 0.3:
            fleet.end(active.pop(dice.randrange(len(active))))
        began += serve(fleet, active)
    while active:
        fleet.end(active.pop(dice.randrange(len(active))))
        began += serve(fleet, active)
    assert fleet.limiter._waiting == {}
    for namespace in "abcde":
        mine = [key for key in began if key.startswith(namespace)]
        assert mine == sorted(mine)


def test_the_number_that_a_status_gives_is_kept_while_the_run_waits() -> None:
    first = summarize_queued(QueuePosition("The limit of active runs is 1", 7), None)
    cause = "Waiting for a free slot. The limit of active runs is 1. "
    assert first.message == cause + "When it joined, 7 of its namespace were before it."
    former = Condition(
        type="Progressing",
        status="True",
        reason=first.reason,
        message=first.message,
        last_transition_time="2026-01-01T12:00:00Z",
        observed_generation=1,
    )
    assert summarize_queued(QueuePosition("The limit of active runs is 1", 3), former) == first
    assert "runs is 2" in summarize_queued(QueuePosition("The limit of active runs is 2", 3), former).message
    assert (first.phase, first.stalled, first.progressing) == ("Queued", False, True)


def test_a_job_elsewhere_that_names_a_tweetbot_takes_no_slot() -> None:
    for order in ((False, True), (True, False)):
        fleet = a_fleet(per_namespace=1)
        for bot_comes in order:
            if bot_comes:
                fleet.put("a/gull")
            else:
                fleet.job("a/gull", namespace="b")
        assert fleet.begin("b/tern")
        assert fleet.begin("a/gull")
        assert not fleet.begin("a/auk")


def test_jobs_of_invented_controllers_take_no_slot() -> None:
    fleet = a_fleet(total=2, per_namespace=1)
    for number in range(9):
        fleet.job(f"a/invented-{number}")
    assert fleet.begin("a/gull")
    assert fleet.begin("b/tern")
    assert not fleet.begin("c/auk")


def test_a_deleted_tweetbot_frees_its_slot_before_its_job_is_gone() -> None:
    fleet = a_fleet(total=1)
    fleet.begin("a/gull")
    fleet.queue("b/tern")
    fleet.cache.bots.delete("uid-a/gull")
    assert fleet.called == [("b", "tern")]
    assert fleet.begin("b/tern")
    fleet.job("a/gull", deleted_at=NOON)
    fleet.cache.jobs.delete("uid-a/gull-prepare")
    assert not fleet.begin("c/auk")


class Clock:
    """A clock in the test's hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_without_a_limit_nobody_waits() -> None:
    assert [RateLimiter(0, Clock()).reserve(("a", str(number))) for number in range(9)] == [0] * 9


def test_each_creation_gets_its_own_moment_and_keeps_it() -> None:
    clock = Clock()
    limiter = RateLimiter(2, clock)
    assert [limiter.reserve(("a", str(number))) for number in range(3)] == [0, 0.5, 1.0]
    assert limiter.reserve(("a", "2")) == 1.0
    clock.now += 1.0
    assert limiter.reserve(("a", "2")) == 0
    assert limiter.reserve(("a", "3")) == pytest.approx(0.5)


def test_a_forgotten_moment_is_reserved_again() -> None:
    limiter = RateLimiter(1, Clock())
    limiter.reserve(("a", "0"))
    limiter.reserve(("a", "1"))
    limiter.forget(("a", "1"))
    assert limiter.reserve(("a", "1")) == 2.0
