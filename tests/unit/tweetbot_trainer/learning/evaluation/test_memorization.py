"""What counts as copied, and against what it is measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.trainer import on_a_busy_machine
from tweetbot_trainer.data.dataset.copies import NGRAM_CHARACTERS
from tweetbot_trainer.learning.evaluation.memorization import measure_memorization

LONG = "the harbour master refused to leave and the ferry went home without a single gull"
OTHER = "on tuesday the lighthouse promised everybody soup but nobody brought a spoon to it"


def rate(sample: str, *train: str) -> float:
    return measure_memorization([sample], train, [OTHER], seed=1).verbatim_rate


@pytest.mark.parametrize(
    ("sample", "copied"),
    [
        (LONG, 1.0),
        (f"well {LONG[:NGRAM_CHARACTERS]} indeed", 1.0),
        (f"well {LONG[: NGRAM_CHARACTERS - 1]}", 0.0),
        (LONG.upper(), 0.0),
        ("", 0.0),
    ],
)
def test_fifty_characters_in_a_row_are_a_copy(sample: str, copied: float) -> None:
    assert rate(sample, "another post", LONG) == copied


def test_posts_without_fifty_characters_give_no_rate() -> None:
    short = LONG[: NGRAM_CHARACTERS - 1]
    found = [measure_memorization([short], [post], [OTHER], seed=1).as_metrics() for post in (short, f"{short}!")]
    assert [each["verbatim_rate"] for each in found] == [None, 0.0]


def test_a_passage_does_not_span_two_posts() -> None:
    assert rate(LONG, LONG[:40], LONG[40:]) == 0.0


def test_eight_words_are_reported_whatever_their_case() -> None:
    found = measure_memorization(["THE harbour master refused to leave and the end"], [LONG], [OTHER], seed=1)
    assert (found.word_rate, found.verbatim_rate) == (1.0, 0.0)


def test_empty_texts_count_as_samples() -> None:
    assert measure_memorization([LONG, "", "", ""], [LONG], [OTHER], seed=1).verbatim_rate == 0.25


def test_what_everybody_says_stands_in_the_unseen_posts_as_well() -> None:
    found = measure_memorization([LONG, OTHER], [LONG, OTHER], [OTHER], seed=1)
    assert (found.verbatim_rate, found.unseen_rate) == (1.0, 0.5)
    assert 0.0 < found.sized_rate < 1.0  # either of the two, drawn again twenty times


def test_the_same_seed_draws_the_same_posts() -> None:
    train = [f"{LONG} number {number}" for number in range(30)]
    first, second = (measure_memorization([LONG, train[3]], train, [OTHER], seed=4) for _ in range(2))
    assert first == second


def test_words_that_repeat_are_not_distinct() -> None:
    found = measure_memorization(["so so so so"], [LONG], [OTHER], seed=1)
    assert found.distinct == (1 / 4, 1 / 3, 1 / 2)


def test_an_address_of_a_train_post_is_a_leak_and_an_invented_one_is_not() -> None:
    train = ["write to gull@harbour.example today"]
    samples = ["ask gull@harbour.example", "ask crab@harbour.example", "ask nobody"]
    assert measure_memorization(samples, train, [OTHER], seed=1).leaked == 1


@on_a_busy_machine
@given(st.lists(st.text(max_size=120), max_size=6), st.lists(st.text(max_size=120), max_size=6))
def test_every_rate_is_a_share(samples: list[str], train: list[str]) -> None:
    found = measure_memorization(samples, train, [OTHER], seed=1)
    rates = (found.verbatim_rate, found.word_rate, found.sized_rate, found.unseen_rate, *found.distinct)
    assert all(0.0 <= one <= 1.0 for one in rates)
    assert found.sized_rate <= found.verbatim_rate
