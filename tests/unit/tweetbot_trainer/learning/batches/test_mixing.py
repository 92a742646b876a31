"""What each epoch trains on, where several sources are mixed."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from builders.trainer import on_a_busy_machine
from tweetbot_trainer.learning.batches.examples import Example
from tweetbot_trainer.learning.batches.mixing import mix


def examples(*lengths: Sequence[int]) -> list[Example]:
    """Return the examples of several sources, given the labels of each; all differ."""
    return [
        Example((number,) * (labels + 1), 1, source)
        for source, own in enumerate(lengths)
        for number, labels in enumerate(own)
    ]


def labels_of(found: Sequence[Example], source: int | None = None) -> int:
    return sum(example.labels for example in found if source in (None, example.source))


def times(found: Sequence[Example], source: int, everything: Sequence[Example]) -> set[int]:
    """Return how often the examples of a source came: {3} where all came three times."""
    counts = Counter(found)
    return {counts[example] for example in everything if example.source == source}


LARGE_AND_SMALL = examples([5] * 300, [5] * 30)
LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=30)
SOURCES = st.lists(st.tuples(LENGTHS, st.integers(1, 100)), min_size=2, max_size=3)


def test_without_weights_every_example_comes_once() -> None:
    assert mix(LARGE_AND_SMALL, (), epoch=3, seed=1) == LARGE_AND_SMALL


def test_equal_weights_give_each_source_half_of_an_epoch_of_the_same_length() -> None:
    found = mix(LARGE_AND_SMALL, (1, 1), epoch=0, seed=1)
    assert (labels_of(found, 0), labels_of(found, 1)) == (825, 825)
    assert labels_of(found) == labels_of(LARGE_AND_SMALL)


def test_what_a_large_source_left_out_comes_in_the_next_epoch() -> None:
    epochs = [mix(LARGE_AND_SMALL, (1, 1), epoch=epoch, seed=1) for epoch in range(2)]
    assert times(epochs[0], 0, LARGE_AND_SMALL) == {0, 1}
    assert times(epochs[0] + epochs[1], 0, LARGE_AND_SMALL) == {1, 2}


def test_a_small_source_repeats_evenly() -> None:
    assert times(mix(LARGE_AND_SMALL, (1, 1), epoch=0, seed=1), 1, LARGE_AND_SMALL) == {5, 6}


def test_weights_in_the_natural_ratio_present_every_example_once() -> None:
    found = mix(LARGE_AND_SMALL, (10, 1), epoch=2, seed=1)
    assert Counter(found) == Counter(LARGE_AND_SMALL)


def test_a_source_without_training_posts_takes_no_share() -> None:
    found = mix(examples([5] * 10, []), (1, 99), epoch=0, seed=1)
    assert Counter(found) == Counter(examples([5] * 10))


def test_the_seed_gives_the_choice() -> None:
    first, again, other = (mix(LARGE_AND_SMALL, (1, 1), epoch=0, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert Counter(first) != Counter(other)


@on_a_busy_machine
@given(SOURCES, st.integers(0, 5), st.integers(0, 3))
def test_shares_are_kept_to_an_example_and_no_example_comes_twice_before_another_came(
    sources: list[tuple[list[int], int]], epochs: int, seed: int
) -> None:
    everything, weights = examples(*(lengths for lengths, _ in sources)), tuple(weight for _, weight in sources)
    each = [mix(everything, weights, epoch=epoch, seed=seed) for epoch in range(epochs + 1)]
    for source, weight in enumerate(weights):
        share, largest = labels_of(everything) * weight / sum(weights), max(sources[source][0])
        assert all(abs(labels_of(found, source) - share) <= largest for found in each)
        so_far = times([example for found in each for example in found], source, everything)
        assert max(so_far) - min(so_far) <= 1
