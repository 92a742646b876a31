"""When a training ends before its last epoch: only once the validation loss has clearly risen, and stays so."""

import pytest

from tweetbot_trainer.learning.training.schedule import should_stop


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
