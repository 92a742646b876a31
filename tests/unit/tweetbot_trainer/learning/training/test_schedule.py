"""The learning rate over a training, and when it stops early."""

import pytest

from tweetbot_trainer.learning.training.schedule import compute_learning_rate, should_stop


def rates(total: int, warmup: float) -> list[float]:
    return [compute_learning_rate(step, total, peak=1.0, warmup=warmup) for step in range(total)]


def test_without_warm_up_it_starts_at_the_peak_and_ends_near_zero() -> None:
    found = rates(100, 0.0)
    assert found[0] == 1.0
    assert found[50] == pytest.approx(0.5)
    assert 0 < found[-1] < 0.001
    assert found == sorted(found, reverse=True)


def test_warm_up_is_a_line_to_the_peak() -> None:
    found = rates(100, 0.1)
    assert found[:10] == pytest.approx([0.1 * step for step in range(1, 11)])
    assert max(found) == found[10] == 1.0


def test_a_single_step_trains_at_the_peak() -> None:
    assert rates(1, 0.1) == [1.0]


@pytest.mark.parametrize(
    "losses",
    [
        (3.0,),
        (3.0, 2.9, 2.8),
        (3.0, 3.05, 3.05, 3.05, 3.05),  # worse, as long as the rate is high, but not by much
        (3.0, 4.0),
        (3.0, 2.9, 4.0),  # one bad epoch, however bad
        (3.0, 4.0, 3.05, 4.0),  # and another, with a good one between them
        (3.0, 4.0, 2.9),
        (2.0, 2.04, 2.04),  # on the limit is not above it
    ],
)
def test_it_goes_on_where_later_epochs_may_still_be_better(losses: tuple[float, ...]) -> None:
    assert not should_stop(losses)


@pytest.mark.parametrize("losses", [(3.0, 3.1, 3.1), (3.0, 2.0, 2.2, 2.05), (3.0, 2.0, 2.0, 2.2, 2.3)])
def test_it_ends_where_two_epochs_in_a_row_were_clearly_worse_than_the_best(losses: tuple[float, ...]) -> None:
    assert should_stop(losses)
