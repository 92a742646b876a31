"""What passes is waited for, within a budget; what does not has its reason; nothing becomes a storm."""

import json
from io import StringIO

import pytest

from builders.x import NOW, Clock, an_x_source, failure, read
from tweetbot_contract import reasons
from tweetbot_fakes.remotes import x_api_answers as answers
from tweetbot_fakes.remotes.x_api import FakeX
from tweetbot_fakes.remotes.x_api_answers import Answer
from tweetbot_trainer.runtime.errors import SpecRefused, TemporaryError
from tweetbot_trainer.runtime.log import Log

PASSING = answers.AWAY | answers.UNREADABLE


@pytest.mark.parametrize("name", PASSING)
def test_a_passing_fault_is_waited_out(x: FakeX, clock: Clock, name: str) -> None:
    x.fault(PASSING[name], on="timeline", after=1, times=2)
    assert len(read(x, clock)) == 250
    assert clock.waits == [0.2, 0.4]
    assert len(x.asked("timeline")) == 5
    assert max(x.billed.values()) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a server's error in HTML", reasons.X_UNAVAILABLE),
        ("no answer", reasons.X_UNAVAILABLE),
        ("an answer that breaks off", reasons.X_UNAVAILABLE),
        ("a page for people with status 200", reasons.X_BAD_PAYLOAD),
        ("a list", reasons.X_BAD_PAYLOAD),
    ],
)
def test_a_lasting_fault_is_temporary_after_half_an_hour_and_no_storm(
    x: FakeX, clock: Clock, name: str, reason: reasons.Reason
) -> None:
    x.fault(PASSING[name], times=1000)
    failed = failure(x, clock)
    assert (failed.reason, type(failed)) == (reason, TemporaryError)
    assert 1700 < sum(clock.waits) <= 1800
    assert len(x.requests) < 50
    assert x.cost == 0


def test_a_redirect_is_not_followed(x: FakeX, clock: Clock) -> None:
    with FakeX() as inner:
        x.fault(Answer(302, b"", {"location": f"{inner.url}/2/users/by/username/harbour_gull"}), times=1000)
        assert failure(x, clock).reason == reasons.X_UNAVAILABLE
        assert inner.requests == []


def test_a_rate_limit_is_waited_for_until_its_reset_and_the_wait_is_logged(x: FakeX, clock: Clock) -> None:
    x.fault(answers.rate_limited(str(int(NOW) + 600)), on="timeline", after=1)
    log = StringIO()
    assert len(list(an_x_source(x, clock, log=Log(log)).read_posts())) == 250
    assert sum(clock.waits) == 601
    output = [json.loads(line) for line in log.getvalue().splitlines() if '"service.retry"' in line]
    assert [line["secondsLeft"] for line in output] == [601 - 60 * minute for minute in range(11)]
    assert {line["message"] for line in output} == {
        "X allows no further request for @Harbour_Gull before 2023-11-14T22:23:20Z"
    }


def test_a_limit_of_few_requests_a_window_is_kept(x: FakeX, clock: Clock) -> None:
    x.now, x.requests_a_window = (lambda: clock.now), 2
    assert len(read(x, clock)) == 250
    assert sum(clock.waits) == 901
    assert len(x.requests) == 5  # the account, three pages, and one that met the limit


@pytest.mark.parametrize("reset", [None, "", "soon", "-5", "12.5", "0", str(int(NOW) - 900), "9" * 30, "²"])
def test_a_rate_limit_without_a_usable_reset_makes_no_storm(x: FakeX, clock: Clock, reset: str | None) -> None:
    x.fault(answers.rate_limited(reset), times=1000)
    failed = failure(x, clock)
    assert (failed.reason, type(failed)) == (reasons.RATE_LIMITED, TemporaryError)
    assert "does not name" in failed.message
    assert len(x.requests) < 50


@pytest.mark.parametrize(("ahead", "until"), [(2_592_000, "2023-12-14T22:13:20Z"), (90_000_000_000, "4875-11-09")])
def test_a_reset_beyond_the_budget_is_reported(x: FakeX, clock: Clock, ahead: int, until: str) -> None:
    x.fault(answers.rate_limited(str(int(NOW) + ahead)), times=1000)
    failed = failure(x, clock)
    assert failed.reason is reasons.RATE_LIMITED
    assert until in failed.message
    assert (len(x.requests), clock.waits) == (1, [])


def test_a_limit_a_page_cannot_outlast_the_budget(x: FakeX, clock: Clock) -> None:
    x.fault(*[answers.rate_limited(str(int(NOW) + 600 * step)) for step in range(1, 1000)])
    assert failure(x, clock).reason is reasons.RATE_LIMITED
    assert sum(clock.waits) <= 1800


def test_an_address_that_cannot_be_asked_is_refused(x: FakeX, clock: Clock) -> None:
    failed = failure(x, clock, apiBaseURL="http://[::")
    assert (failed.reason, type(failed)) == (reasons.SPEC_REFUSED, SpecRefused)


def test_a_server_that_is_not_there_is_temporary(x: FakeX, clock: Clock) -> None:
    assert failure(x, clock, apiBaseURL="http://127.0.0.1:9").reason is reasons.X_UNAVAILABLE


def test_a_base_url_may_have_a_path(x: FakeX, clock: Clock) -> None:
    failed = failure(x, clock, apiBaseURL=f"{x.url}/proxy/")
    assert "apiBaseURL" in failed.message
    assert x.requests[0].path == "/proxy/2/users/by/username/Harbour_Gull"
