"""Where a reply's own text begins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.trainer import on_a_busy_machine
from tweetbot_trainer.data.reply_names import find_names_end

TEXTS = st.lists(
    st.sampled_from(["@gull", "＠crab", "@a.b-c", "@gull@harbour.example", "@", " ", "\n", "🌊", "no"]), max_size=8
).map("".join)


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("@gull no", "no"),
        ("@gull @very_small_crab\n\n＠eel  not before noon", "not before noon"),
        ("  @gull no", "no"),
        ("@gull@harbour.example @crab.bsky.social no", "no"),
        ("@gull", ""),
        ("@gull 🌊", "🌊"),
        ("@gull: that was typed", "@gull: that was typed"),
        ("@gull, @crab: that too", "@gull, @crab: that too"),
        (".@gull that too", ".@gull that too"),
        ("@gull @crab's soup", "@crab's soup"),
        ("@ gull", "@ gull"),
        (" no name", " no name"),
        ("", ""),
    ],
)
def test_names_before_a_reply_are_those_that_a_space_follows(text: str, own: str) -> None:
    assert text[find_names_end(text) :] == own


@pytest.mark.parametrize(
    ("shown_from", "own"),
    [
        (6, "@crab is right"),  # the second name was typed
        (5, " @crab is right"),
        (12, "is right"),
        (0, "is right"),  # before 2016 X counted the names as text
        (14, "is right"),  # more than names
        (3, "is right"),  # in the middle of a name
        (99, "is right"),
    ],
)
def test_the_network_decides_where_it_cuts_between_names(shown_from: int, own: str) -> None:
    text = "@gull @crab is right"
    assert text[find_names_end(text, shown_from) :] == own


@on_a_busy_machine
@given(TEXTS, st.none() | st.integers(0, 30))
def test_nothing_but_names_is_ever_before_it(text: str, shown_from: int | None) -> None:
    before = text[: find_names_end(text, shown_from)]
    assert all(word[0] in "@＠" for word in before.split())


@pytest.mark.parametrize("text", ["@a" * 50_000, "@a " * 50_000 + "!", "@" + "a." * 50_000 + "!", " " * 100_000])
def test_a_hostile_text_takes_linear_time(text: str) -> None:
    """Quadratic time would be minutes."""
    assert 0 <= find_names_end(text) <= len(text)
