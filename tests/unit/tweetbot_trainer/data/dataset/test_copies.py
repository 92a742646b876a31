"""What counts as a copy of a post, decided from hashes alone."""

import numpy as np
import pytest
from safetensors.numpy import load, save

from builders.model import some_texts
from tweetbot_trainer.data.cleaning.duplicates import find_repeats
from tweetbot_trainer.data.dataset.copies import NGRAM_CHARACTERS, CopyDetector

LONG = "the harbour master refused to leave and the ferry went home without a single gull on board"
SHORT = "my hat sang at noon"
KEY = bytes(range(32))
TEXTS = [*some_texts(2500), LONG, SHORT, "", "港の朝は静かでカモメが鳴く"]
POSTS = CopyDetector.from_posts(TEXTS, key=KEY)
IN_MEMORY = CopyDetector.from_posts(TEXTS)


@pytest.mark.parametrize(
    ("text", "copied"),
    [
        (LONG, True),
        (SHORT, True),
        ("My hat sang, at noon!", True),
        ("港の朝は静かで、カモメが鳴く。", True),
        (f"well well {LONG[10 : 10 + NGRAM_CHARACTERS]} indeed, and so it was", True),
        (f"well well {LONG[10 : 9 + NGRAM_CHARACTERS]}ing, indeed, and so it was", False),
        ("my hat left in the company of a crab", False),
        ("夕方の海は荒れて船が出ない", False),
        ("", False),
    ],
)
def test_nearly_a_whole_post_or_fifty_characters_of_one_are_a_copy(text: str, copied: bool) -> None:
    assert (POSTS.is_copy(text), IN_MEMORY.is_copy(text)) == (copied, copied)


def test_what_stands_in_the_prompt_alone_is_no_copy() -> None:
    prompt = LONG[: NGRAM_CHARACTERS + 5]
    text = f"{prompt} of lamps, nine crabs, one bishop and the quiet company of forty sleeping pelicans in blue"
    assert (POSTS.is_copy(text), POSTS.is_copy(text, given=prompt)) == (True, False)


def test_no_ngram_spans_two_posts() -> None:
    one, two = "a" * (NGRAM_CHARACTERS - 1), "b" * (NGRAM_CHARACTERS - 1)
    assert CopyDetector.from_posts([one, two]).ngrams.tolist() == []


def test_what_cleaning_calls_a_repetition_is_a_copy() -> None:
    posts = [f"{start} {LONG}" for start in ("so", "and so", "well", "oh")]
    assert find_repeats([LONG, *posts]) == {1, 2, 3, 4}
    assert all(POSTS.is_copy(post) for post in posts)


def test_the_file_holds_no_post_and_gives_the_same_answers() -> None:
    content = POSTS.encode()
    again = CopyDetector.decode(content, key=KEY)
    assert (again.is_copy(SHORT), again.is_copy("a bishop of soup"), again.encode()) == (True, False, content)
    assert b"harbour" not in content


def test_another_key_gives_other_hashes_throughout() -> None:
    one, other = (CopyDetector.from_posts([LONG, SHORT], key=key * 32) for key in (b"a", b"b"))
    assert not set(one.ngrams.tolist()) & set(other.ngrams.tolist())
    assert (one.signatures == other.signatures).mean() < 0.05
    with pytest.raises(ValueError, match="another key"):
        CopyDetector.decode(one.encode(), key=b"b" * 32)


def test_hashes_without_a_key_are_never_stored() -> None:
    with pytest.raises(ValueError, match="without a key"):
        IN_MEMORY.encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "header"),
        (b"{}", "header"),
        (POSTS.encode()[:-1], "incomplete"),
        (save({"x": np.zeros(1)}), "signatures"),
    ],
)
def test_what_is_no_such_file_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=f"(?i){words}"):
        CopyDetector.decode(content, key=KEY)


def test_the_file_is_the_one_that_safetensors_writes() -> None:
    for posts in ([], ["too short"], ["a post that is long enough for a few n-grams of fifty characters each"]):
        content = CopyDetector.from_posts(posts, key=b"k" * 32).encode()
        assert content == save(load(content))
