"""Which posts are the same post."""

import subprocess
import sys
from random import Random

import pytest

from builders.trainer import a_post
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import clean
from tweetbot_trainer.data.cleaning.duplicates import find_repeats, normalize

LONG = "My dream is when the harbour master refused to leave and i respect it, truly, every day of the long wet year"


@pytest.mark.parametrize(
    "again", [LONG, LONG.upper(), LONG + "!!!", LONG.replace(" ", "  "), LONG + " 🌊", LONG.replace("truly", "trully")]
)
def test_a_near_copy_repeats(again: str) -> None:
    assert find_repeats(["low tide today", LONG, again]) == {2}


@pytest.mark.parametrize(
    "other", ["My dream is when the tide came back with soup and i respect it", "low tide", "🌊🌊"]
)
def test_another_post_does_not(other: str) -> None:
    assert find_repeats([LONG, other]) == set()


def test_posts_without_letters_are_compared_by_their_signs() -> None:
    assert find_repeats(["🌊🌊", "🐟", "🌊🌊"]) == {2}


def test_width_and_case_do_not_tell_posts_apart() -> None:
    assert normalize("ＬＯＷ tide!") == "lowtide"


@pytest.mark.parametrize(("one", "other"), [("कम", "काम"), ("ดี", "ดำ"), ("café", "cafe")])
def test_vowels_and_accents_tell_posts_apart(one: str, other: str) -> None:
    assert find_repeats([one, other]) == set()


def test_a_post_like_one_that_went_may_stay() -> None:
    """Only what stays is compared with, or a chain of small changes would leave nothing of a long series."""
    drifting = [f"{'abcdefghijklmnopqrstuvwxyz'[n:]}{'0123456789'[:n]}" for n in range(0, 10, 2)]
    assert find_repeats(drifting) < set(range(1, 5))


def test_copies_with_a_word_changed_are_found() -> None:
    """250 posts of fifty words, and the same with one word in five changed, and one word in fifty."""
    words = [f"w{n * 7919 % 100_003}" for n in range(250 * 50)]
    posts = [words[start : start + 50] for start in range(0, len(words), 50)]
    near = [" ".join("changed" if place == 20 else word for place, word in enumerate(post)) for post in posts]
    far = [" ".join("changed" if place % 5 == 0 else word for place, word in enumerate(post)) for post in posts]
    found = find_repeats([" ".join(post) for post in posts] + near + far)
    assert set(range(250, 500)) <= found
    assert found.isdisjoint(range(500, 750))


def test_a_post_of_250_kilobytes_and_one_of_nothing_are_compared() -> None:
    assert find_repeats(["", "tide " * 50_000, "low", "", "tide " * 50_000]) == {3, 4}


def test_nothing_repeats_nothing() -> None:
    assert find_repeats([]) == set()


def test_the_earliest_stays_whatever_the_order() -> None:
    older, newer = a_post(LONG, number=1), a_post(LONG + "!", number=2)
    for posts in ([older, newer], [newer, older]):
        assert [one.post for one in clean(posts, Filter()) if one.kept] == [older]


def test_of_two_sources_the_earlier_post_stays() -> None:
    posts = [a_post(LONG, number=2, source=0), a_post(LONG, number=1, source=1)]
    assert [one.post.source for one in clean(posts, Filter()) if one.kept] == [1]


def test_deduplication_can_be_switched_off() -> None:
    assert all(one.kept for one in clean([a_post(LONG), a_post(LONG)], Filter(deduplicate=False)))


def test_thousands_of_one_template_are_looked_through() -> None:
    posts = [f"I'm at the {n * 7919} Harbour Street coffee house in Gulltown again, day {n}" for n in range(1000)]
    assert 0 in set(range(1000)) - find_repeats(posts)


def test_another_process_with_another_hash_seed_decides_the_same() -> None:
    """This process drew its own seed for `hash()`; the other one has 1."""
    words = ("tide", "fog", "crab", "soup", "bell", "moon", "rain")
    some = [f"{' '.join(Random(n % 40).choices(words, k=40))} {n}" for n in range(60)]
    program = (
        f"from tweetbot_trainer.data.cleaning.duplicates import find_repeats\nprint(sorted(find_repeats({some!r})))"
    )
    there = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONHASHSEED": "1"}, capture_output=True, check=True, text=True
    )
    assert find_repeats(some) == set(range(40, 60))
    assert there.stdout == f"{sorted(find_repeats(some))}\n"
