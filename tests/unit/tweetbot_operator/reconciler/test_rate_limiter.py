"""The pace of creations: so many a second, in the order in which they were asked for."""

import pytest

from tweetbot_operator.reconciler.limits import RateLimiter


class Clock:
    """A clock in the test's hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_without_a_limit_nobody_waits() -> None:
    assert [RateLimiter(0, Clock()).reserve(("a", str(number))) for number in range(9)] == [0] * 9


def test_each_gets_a_moment_of_its_own_and_keeps_it() -> None:
    clock = Clock()
    pace = RateLimiter(2, clock)
    assert [pace.reserve(("a", str(number))) for number in range(3)] == [0, 0.5, 1.0]
    assert pace.reserve(("a", "2")) == 1.0
    clock.now += 1.0
    assert pace.reserve(("a", "2")) == 0
    assert pace.reserve(("a", "3")) == pytest.approx(0.5)


def test_a_moment_that_was_given_up_is_asked_for_anew() -> None:
    pace = RateLimiter(1, Clock())
    pace.reserve(("a", "0"))
    pace.reserve(("a", "1"))
    pace.forget(("a", "1"))
    assert pace.reserve(("a", "1")) == 2.0
