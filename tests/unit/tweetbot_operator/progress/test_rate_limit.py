"""A Pod may report every few seconds."""

import pytest

from tweetbot_operator.progress.errors import TooMany
from tweetbot_operator.progress.rate_limit import Limits


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(limits: Limits, pod: str, count: int) -> int:
    """Return how many of so many reports were taken."""
    good = 0
    for _ in range(count):
        try:
            limits.spend(pod)
        except TooMany:
            continue
        good += 1
    return good


def test_a_burst_is_taken_and_a_flood_is_not() -> None:
    assert taken(Limits(Time()), "pod", 1000) == 4


def test_a_report_every_five_seconds_is_always_taken() -> None:
    clock = Time()
    limits = Limits(clock)
    for number in range(200):
        clock.now = number * 5.0
        limits.spend("pod")


def test_one_pods_flood_takes_nothing_from_another() -> None:
    limits = Limits(Time())
    taken(limits, "loud", 1000)
    assert taken(limits, "quiet", 3) == 3


def test_rested_pods_are_forgotten_and_tired_ones_are_not() -> None:
    clock = Time()
    limits = Limits(clock)
    for number in range(4096):
        limits.spend(f"pod-{number}")
    clock.now = 60.0
    taken(limits, "tired", 4)
    with pytest.raises(TooMany):
        limits.spend("tired")
    assert len(limits._buckets) == 1
