"""How long a post may be, as X counts it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tweetbot_trainer.data.post_length import LIMIT, collapse_whitespace, measure_weighted_length, shorten


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("My dream is", 11),
        ("Ærø über", 8),
        ("港の朝", 6),
        ("🌊", 2),
        ("👩\u200d👩\u200d👧", 2),
        ("👍🏽", 2),
        ("https://example.com/" + "x" * 200, 23),
        ("see HTTP://a.b and c", 33),
        ("“quoted”", 8),
    ],
)
def test_letters_count_one_and_ideographs_two(text: str, length: int) -> None:
    assert measure_weighted_length(text) == length


def test_a_text_that_fits_stays_as_it_is() -> None:
    assert shorten("x" * LIMIT) == "x" * LIMIT


def test_a_long_text_ends_after_a_word() -> None:
    cut = shorten("word " * 100)
    assert cut.endswith("word…")
    assert 270 <= measure_weighted_length(cut) <= LIMIT


@given(st.text(min_size=200, max_size=700))
def test_every_text_is_made_to_fit(text: str) -> None:
    assert measure_weighted_length(shorten(text)) <= LIMIT


def test_one_line_holds_no_control_characters() -> None:
    assert collapse_whitespace("a\nb\t\x00c\x1b[31m  d\u2028e") == "a b c [31m d e"


def test_a_text_without_such_characters_is_not_copied() -> None:
    text = "".join(("the tide ", "is low 🌊"))
    assert collapse_whitespace(text) is text
