"""Posts as the model sees them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.model import a_base, some_texts
from tweetbot_trainer.data.posts import END_MARK
from tweetbot_trainer.learning.batches.examples import Example, split_into_examples
from tweetbot_trainer.learning.batches.packing import pack
from tweetbot_trainer.learning.model.marks import Marks, get_marks
from tweetbot_trainer.learning.model.tokenizer import encode, encode_all

MARK = 0


def labels_of(example: Example) -> tuple[int, ...]:
    return example.ids[example.first_label :]


def test_a_post_stands_alone_between_two_end_marks() -> None:
    assert split_into_examples((5, 6, 7), Marks(MARK, MARK), 16) == [Example((MARK, 5, 6, 7, MARK), 1)]


@given(st.integers(0, 200), st.integers(4, 32))
def test_a_long_post_is_windowed_and_never_cut(length: int, context: int) -> None:
    tokens = tuple(range(1, length + 1))
    examples = split_into_examples(tokens, Marks(MARK, MARK), context)
    assert tuple(label for example in examples for label in labels_of(example)) == (*tokens, MARK)
    assert all(len(example.ids) <= context + 1 for example in examples)
    assert all(example.first_label >= context // 2 for example in examples[1:])


def test_every_closing_end_mark_is_a_label() -> None:
    """With pad = end mark, collators that hide padding hide every end mark, and the bot never learns to stop."""
    stream = pack([Example((MARK, 5, MARK), 1), Example((MARK, 6, 7, 8, MARK), 2)])
    assert stream.ids.tolist() == [MARK, 5, MARK, 6, 7, 8]
    assert stream.targets.tolist() == [5, MARK, 7, 8, MARK]
    assert stream.label_positions.tolist() == [0, 1, 3, 4, 5]
    assert stream.positions.tolist() == [0, 1, 0, 1, 2, 3]


@pytest.mark.parametrize("text", ["a <|endoftext|> b", "<|endoftext|>"])
def test_a_post_that_spells_the_end_mark_holds_none(text: str) -> None:
    tokenizer = a_base().tokenizer
    encoded = encode(tokenizer, text)
    assert get_marks(tokenizer).end not in encoded.tokens
    assert tokenizer.decode(list(encoded.tokens), skip_special_tokens=False) == text


def test_bytes_are_counted_in_utf8() -> None:
    assert [text.utf8_bytes for text in encode_all(a_base().tokenizer, ["abc", "港", "🌊", ""])] == [3, 3, 4, 0]


def test_nothing_is_lost_between_text_and_tokens() -> None:
    tokenizer = a_base(some_texts(10)).tokenizer
    text = f"never seen before: Ærø, 港の朝 🌊\t{END_MARK[:5]}"
    assert tokenizer.decode(list(encode(tokenizer, text).tokens)) == text
