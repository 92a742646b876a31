"""The learning rate over a run."""

import pytest

from tweetbot_trainer.learning.training.schedule import compute_learning_rate


def rates(total: int, warmup: float) -> list[float]:
    return [compute_learning_rate(step, total, peak=1.0, warmup=warmup) for step in range(total)]


def test_without_warm_up_it_starts_at_the_peak_and_ends_near_zero() -> None:
    course = rates(100, 0.0)
    assert course[0] == 1.0
    assert course[50] == pytest.approx(0.5)
    assert 0 < course[-1] < 0.001
    assert course == sorted(course, reverse=True)


def test_warm_up_is_a_line_to_the_peak() -> None:
    course = rates(100, 0.1)
    assert course[:10] == pytest.approx([0.1 * step for step in range(1, 11)])
    assert max(course) == course[10] == 1.0


def test_a_single_step_trains_at_the_peak() -> None:
    assert rates(1, 0.1) == [1.0]
