"""The batches of each epoch, and the micro-batches that fit into memory."""

import hashlib
from dataclasses import replace

from tweetbot_trainer.learning.batches.batching import batch_by_tokens, make_batches, split_into_micro_batches
from tweetbot_trainer.learning.batches.examples import Example, split_into_examples
from tweetbot_trainer.learning.batches.packing import pack
from tweetbot_trainer.learning.model.marks import Marks

MARKS = Marks(0, 0)
SOME = [example for length in (3, 9, 5, 30, 2, 7) * 20 for example in split_into_examples(range(1, length), MARKS, 16)]


def test_a_step_holds_no_more_labels_than_asked_for() -> None:
    batches = make_batches(SOME, batch_tokens=40, epochs=1, seed=1)[0]
    assert max(sum(example.labels for example in batch) for batch in batches) <= 40
    assert sum(len(batch) for batch in batches) == len(SOME)


def test_an_epoch_holds_every_window_once_in_an_order_of_its_own() -> None:
    first, second = make_batches(SOME, batch_tokens=40, epochs=2, seed=1)
    flat = [[example for batch in epoch for example in batch] for epoch in (first, second)]
    assert flat[0] != flat[1]
    assert sorted(map(str, flat[0])) == sorted(map(str, flat[1])) == sorted(map(str, SOME))


def test_the_seed_gives_the_order() -> None:
    plans = [make_batches(SOME, batch_tokens=40, epochs=2, seed=seed) for seed in (1, 1, 2)]
    assert plans[0] == plans[1]
    assert plans[0] != plans[2]


def test_an_unweighted_plan_never_changes() -> None:
    """Golden of v0.1: another order trains another model under the same key. Raise RECIPE_VERSION with it."""
    plan = make_batches(SOME, batch_tokens=40, epochs=2, seed=1)
    plain = [[[(example.ids, example.first_label) for example in batch] for batch in epoch] for epoch in plan]
    golden = "02782a74744c50a014625f9073d631de1b2c4aad3cef8376851aa0308dcaa3f1"
    assert hashlib.sha256(repr(plain).encode()).hexdigest() == golden


def test_weights_reach_the_plan() -> None:
    both = [*SOME, *(replace(example, source=1) for example in SOME[:12])]
    plan = make_batches(both, batch_tokens=40, epochs=1, seed=1, weights=(1, 1))[0]
    labels = [
        sum(example.labels for batch in plan for example in batch if example.source == source) for source in (0, 1)
    ]
    assert abs(labels[0] - labels[1]) <= 2 * max(example.labels for example in SOME)


def test_neighbours_have_like_lengths() -> None:
    examples = [example for length in range(2, 42) for example in split_into_examples(range(length), MARKS, 64)] * 20
    batches = make_batches(examples, batch_tokens=512, epochs=1, seed=1)[0]
    groups = [len(pack(batch).equal_length_groups) for batch in batches]
    assert sum(groups) / len(groups) <= 5


def test_a_window_larger_than_a_group_stands_alone() -> None:
    small, large = Example((0, 1, 0), 1), Example(tuple(range(50)), 1)
    assert batch_by_tokens([small, large, small], 10) == [(small,), (large,), (small,)]
    assert split_into_micro_batches([small, large, small], 10) == [(small,), (large,), (small,)]
