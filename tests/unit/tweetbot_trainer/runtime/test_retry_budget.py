"""All waits come out of one budget, grow while a server is away, and are reported while they last."""

import json
import math
from io import StringIO
from pathlib import Path

import pytest

from builders.stages import a_local_run
from builders.x import Clock
from tweetbot_contract import reasons
from tweetbot_contract.progress import Waiting
from tweetbot_trainer.runtime.errors import TemporaryError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.progress import StageProgress
from tweetbot_trainer.runtime.retry_budget import LONGEST_STORAGE_PAUSE, RetryBudget

AWAY = TemporaryError(reasons.STORAGE_UNAVAILABLE, "S3 does not answer")


class Server:
    """Fails with these errors, one after the other, then answers; each request takes this many seconds."""

    def __init__(self, clock: Clock, *errors: TemporaryError, takes: float = 0) -> None:
        self.clock, self.errors, self.takes = clock, list(errors), takes

    def __call__(self) -> str:
        self.clock.now += self.takes
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def limit(seconds: float) -> TemporaryError:
    return TemporaryError(reasons.RATE_LIMITED, "no request before noon", retry_after=seconds)


def test_a_wait_beyond_the_budget_is_not_begun() -> None:
    clock = Clock()
    with pytest.raises(TemporaryError):
        clock.budget(100).call(Server(clock, limit(101)))
    assert clock.waits == []


def test_what_is_not_worth_waiting_for_is_not_waited_for() -> None:
    clock = Clock()
    budget = clock.budget(100)
    budget.impatient_for = frozenset({reasons.RATE_LIMITED})
    with pytest.raises(TemporaryError):
        budget.call(Server(clock, limit(2)))
    assert clock.waits == []
    assert budget.call(Server(clock, AWAY)) == "answer"


def test_all_waits_share_the_budget() -> None:
    clock = Clock()
    budget = clock.budget(100)
    assert budget.call(Server(clock, limit(60))) == "answer"
    with pytest.raises(TemporaryError):
        budget.call(Server(clock, limit(41)))
    assert budget.call(Server(clock, limit(40))) == "answer"


def test_the_time_that_failed_requests_take_counts() -> None:
    clock = Clock()
    server = Server(clock, *[AWAY] * 100, takes=60)
    with pytest.raises(TemporaryError):
        clock.budget(600).call(server)
    assert len(server.errors) == 90


def test_an_empty_budget_asks_once() -> None:
    clock = Clock()
    with pytest.raises(TemporaryError):
        clock.budget(0).call(Server(clock, AWAY))
    assert clock.waits == []


def test_no_wait_is_so_short_that_it_makes_a_storm() -> None:
    clock = Clock()
    clock.budget().call(Server(clock, limit(-5)))
    assert clock.waits == [2.0]


def test_pauses_grow_until_the_server_is_back() -> None:
    clock = Clock()
    budget = clock.budget()
    budget.call(Server(clock, *[AWAY] * 11))
    budget.call(Server(clock, AWAY))
    assert clock.waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60.0, 60.0, 0.2]


def test_a_storage_that_is_back_is_found_within_a_quarter_of_a_minute() -> None:
    clock = Clock()
    budget = clock.budget()
    budget.longest_pause = LONGEST_STORAGE_PAUSE
    budget.call(Server(clock, *[AWAY] * 20))
    assert max(clock.waits) == 15


def test_a_wait_ends_when_it_is_limited_however_much_is_left() -> None:
    clock = Clock()
    budget = clock.budget(math.inf)
    budget.limit(100)
    with pytest.raises(TemporaryError):
        budget.call(Server(clock, *[AWAY] * 20))
    assert sum(clock.waits) == pytest.approx(100)


def test_pauses_of_many_processes_are_spread() -> None:
    waits = list[float]()
    for _ in range(20):
        RetryBudget(600, sleep=waits.append).call(Server(Clock(), AWAY))
    assert len(set(waits)) > 1
    assert all(0.1 <= wait <= 0.2 for wait in waits)


def test_a_long_wait_is_reported_every_minute() -> None:
    clock, stream = Clock(), StringIO()
    clock.budget(log=Log(stream)).call(Server(clock, limit(150)))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["message"], line["secondsLeft"]) for line in lines] == [
        ("no request before noon", left) for left in (150, 90, 30)
    ]
    assert sum(clock.waits) == 150


def test_what_a_request_waits_for_is_shown_while_it_waits(tmp_path: Path) -> None:
    clock, seen, run = Clock(), list[Waiting | None](), a_local_run(tmp_path)
    budget = RetryBudget(600, sleep=lambda _: seen.append(budget.progress.build_report(run, "uid").waiting))
    budget.call(Server(clock, AWAY, limit(70)))
    assert [(each.reason, each.message) for each in seen if each] == [
        ("StorageUnavailable", "S3 does not answer"),
        ("RateLimited", "no request before noon"),
        ("RateLimited", "no request before noon"),
    ]
    assert budget.progress.build_report(run, "uid").waiting is None


def test_a_request_that_is_not_answered_is_a_wait_after_ten_seconds_and_its_beginning_stands(tmp_path: Path) -> None:
    clock, seen, run = Clock(), list[Waiting | None](), a_local_run(tmp_path)
    budget = clock.budget()
    budget.progress, budget.beside = StageProgress(now=lambda: clock.now), True
    answers = iter([AWAY, None])

    def hang() -> str:
        for seconds in (9, 2):
            clock.now += seconds
            seen.append(budget.progress.build_report(run, "uid").waiting)
        if error := next(answers):
            raise error
        return "answer"

    silence = TemporaryError(reasons.STORAGE_UNAVAILABLE, "S3 has not answered yet")
    assert budget.call(hang, silence) == "answer"
    assert [each and each.message for each in seen] == [
        None,
        "S3 has not answered yet",
        "S3 does not answer",
        "S3 does not answer",
    ]
    assert len({each.since for each in seen if each}) == 1
    assert all(each.beside for each in seen if each)
    assert budget.progress.build_report(run, "uid").waiting is None
