"""What counts as a copy of a post that the model was trained on, told by hashes alone."""

import numpy as np
import pytest
from safetensors.numpy import save

from builders.model import some_texts
from tweetbot_trainer.data.cleaning.duplicates import repeated
from tweetbot_trainer.learning.evaluation.copies import TrainingPosts
from tweetbot_trainer.learning.evaluation.memorization import RUN_CHARACTERS

LONG = "the harbour master refused to leave and the ferry went home without a single gull on board"
SHORT = "my hat sang at noon"
POSTS = TrainingPosts.of([*some_texts(2500), LONG, SHORT, "", "港の朝は静かでカモメが鳴く"])


@pytest.mark.parametrize(
    ("text", "copied"),
    [
        (LONG, True),
        (SHORT, True),
        ("My hat sang, at noon!", True),
        ("港の朝は静かで、カモメが鳴く。", True),
        (f"well well {LONG[10 : 10 + RUN_CHARACTERS]} indeed, and so it was", True),
        (f"well well {LONG[10 : 9 + RUN_CHARACTERS]}ing, indeed, and so it was", False),
        ("my hat left in the company of a crab", False),
        ("夕方の海は荒れて船が出ない", False),
        ("", False),
    ],
)
def test_nearly_a_whole_post_or_fifty_characters_of_one_are_a_copy(text: str, copied: bool) -> None:
    assert POSTS.copied(text) == copied


def test_what_stands_in_the_prompt_alone_is_no_copy() -> None:
    prompt = LONG[: RUN_CHARACTERS + 5]
    text = f"{prompt} of lamps, nine crabs, one bishop and the quiet company of forty sleeping pelicans in blue"
    assert (POSTS.copied(text), POSTS.copied(text, given=prompt)) == (True, False)


def test_no_run_reaches_from_one_post_into_the_next() -> None:
    one, two = "a" * (RUN_CHARACTERS - 1), "b" * (RUN_CHARACTERS - 1)
    assert TrainingPosts.of([one, two]).runs.tolist() == []


def test_what_cleaning_calls_a_repetition_is_a_copy() -> None:
    posts = [f"{start} {LONG}" for start in ("so", "and so", "well", "oh")]
    assert repeated([LONG, *posts]) == {1, 2, 3, 4}
    assert all(POSTS.copied(post) for post in posts)


def test_the_file_holds_no_post_and_gives_the_same_answers() -> None:
    content = POSTS.encoded()
    again = TrainingPosts.decoded(content)
    assert (again.copied(SHORT), again.copied("a bishop of soup"), again.encoded()) == (True, False, content)
    assert b"harbour" not in content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "header"),
        (b"{}", "header"),
        (POSTS.encoded()[:-1], "incomplete"),
        (save({"x": np.zeros(1)}), "signatures"),
    ],
)
def test_what_is_no_such_file_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=f"(?i){words}"):
        TrainingPosts.decoded(content)
