"""Posts as the model sees them."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.model import a_base, some_texts
from tweetbot_trainer.learning.batches.examples import (
    Example,
    batch_by_tokens,
    make_batches,
    split_into_examples,
    split_into_micro_batches,
)
from tweetbot_trainer.learning.batches.packing import pack
from tweetbot_trainer.learning.model.tokenizer import END_MARK, encode, encode_all, get_end_mark_id

MARK = 0
SOME = [window for length in (3, 9, 5, 30, 2, 7) * 20 for window in split_into_examples(range(1, length), MARK, 16)]


def labels_of(window: Example) -> tuple[int, ...]:
    return window.ids[window.first_label :]


def test_a_post_stands_alone_between_two_end_marks() -> None:
    assert split_into_examples((5, 6, 7), MARK, 16) == [Example((MARK, 5, 6, 7, MARK), 1)]


@settings(deadline=None)  # a shared machine is slow at times
@given(st.integers(0, 200), st.integers(4, 32))
def test_a_long_post_is_windowed_and_never_cut(length: int, context: int) -> None:
    tokens = tuple(range(1, length + 1))
    windows = split_into_examples(tokens, MARK, context)
    assert tuple(label for window in windows for label in labels_of(window)) == (*tokens, MARK)
    assert all(len(window.ids) <= context + 1 for window in windows)
    assert all(window.first_label >= context // 2 for window in windows[1:])


def test_every_closing_end_mark_is_a_label() -> None:
    """With pad = end mark, collators that hide padding hide every end mark, and the bot never learns to stop."""
    stream = pack([Example((MARK, 5, MARK), 1), Example((MARK, 6, 7, 8, MARK), 2)])
    assert stream.ids.tolist() == [MARK, 5, MARK, 6, 7, 8]
    assert stream.targets.tolist() == [5, MARK, 7, 8, MARK]
    assert stream.label_positions.tolist() == [0, 1, 3, 4, 5]
    assert stream.positions.tolist() == [0, 1, 0, 1, 2, 3]


def test_a_step_holds_no_more_labels_than_asked_for() -> None:
    steps = make_batches(SOME, batch_tokens=40, epochs=1, seed=1)[0]
    assert max(sum(window.labels for window in step) for step in steps) <= 40
    assert sum(len(step) for step in steps) == len(SOME)


def test_an_epoch_holds_every_window_once_in_an_order_of_its_own() -> None:
    first, second = make_batches(SOME, batch_tokens=40, epochs=2, seed=1)
    flat = [[window for step in epoch for window in step] for epoch in (first, second)]
    assert flat[0] != flat[1]
    assert sorted(map(str, flat[0])) == sorted(map(str, flat[1])) == sorted(map(str, SOME))


def test_the_seed_gives_the_order() -> None:
    plans = [make_batches(SOME, batch_tokens=40, epochs=2, seed=seed) for seed in (1, 1, 2)]
    assert plans[0] == plans[1]
    assert plans[0] != plans[2]


def test_an_unweighted_plan_never_changes() -> None:
    """Golden of v0.1: another order trains another model under the same key. Raise RECIPE_VERSION with it."""
    plan = make_batches(SOME, batch_tokens=40, epochs=2, seed=1)
    plain = [[[(window.ids, window.first_label) for window in step] for step in epoch] for epoch in plan]
    golden = "02782a74744c50a014625f9073d631de1b2c4aad3cef8376851aa0308dcaa3f1"
    assert hashlib.sha256(repr(plain).encode()).hexdigest() == golden


def test_weights_reach_the_plan() -> None:
    both = [*SOME, *(replace(window, source=1) for window in SOME[:12])]
    plan = make_batches(both, batch_tokens=40, epochs=1, seed=1, weights=(1, 1))[0]
    labels = [sum(window.labels for step in plan for window in step if window.source == source) for source in (0, 1)]
    assert abs(labels[0] - labels[1]) <= 2 * max(window.labels for window in SOME)


def test_neighbours_have_like_lengths() -> None:
    windows = [window for length in range(2, 42) for window in split_into_examples(range(length), MARK, 64)] * 20
    steps = make_batches(windows, batch_tokens=512, epochs=1, seed=1)[0]
    runs = [len(pack(step).equal_length_groups) for step in steps]
    assert sum(runs) / len(runs) <= 5


def test_a_window_larger_than_a_group_stands_alone() -> None:
    small, large = Example((0, 1, 0), 1), Example(tuple(range(50)), 1)
    assert batch_by_tokens([small, large, small], 10) == [(small,), (large,), (small,)]
    assert split_into_micro_batches([small, large, small], 10) == [(small,), (large,), (small,)]


@pytest.mark.parametrize("text", ["a <|endoftext|> b", "<|endoftext|>"])
def test_a_post_that_spells_the_end_mark_holds_none(text: str) -> None:
    tokenizer = a_base().tokenizer
    encoded = encode(tokenizer, text)
    assert get_end_mark_id(tokenizer) not in encoded.tokens
    assert tokenizer.decode(list(encoded.tokens), skip_special_tokens=False) == text


def test_bytes_are_counted_in_utf8() -> None:
    assert [text.utf8_bytes for text in encode_all(a_base().tokenizer, ["abc", "港", "🌊", ""])] == [3, 3, 4, 0]


def test_nothing_is_lost_between_text_and_tokens() -> None:
    tokenizer = a_base(some_texts(10)).tokenizer
    text = f"never seen before: Ærø, 港の朝 🌊\t{END_MARK[:5]}"
    assert tokenizer.decode(list(encode(tokenizer, text).tokens)) == text
