"""Which posts train, validate and test."""

from random import Random

import pytest

from builders.model import a_post
from tweetbot_trainer.data.dataset.splits import split
from tweetbot_trainer.runtime.errors import TooLittleData


def numbers(posts: object) -> list[int]:
    return [int(post.id) for post in posts]  # type: ignore[attr-defined]


def test_the_oldest_train_and_the_newest_test() -> None:
    posts = [a_post(number) for number in range(20)]
    Random(1).shuffle(posts)
    splits = split(posts, 10)
    assert numbers(splits.train) == list(range(16))
    assert numbers(splits.validation) == [16, 17]
    assert numbers(splits.test) == [18, 19]
    assert splits.ordered_by == "created_at"


def test_posts_of_one_moment_are_ordered_by_their_ids() -> None:
    posts = [a_post(number) for number in (4, 2, 9, 7, 3)]
    same_day = [type(post)(post.id, post.text, posts[0].created_at, post.lang, post.source) for post in posts]
    assert numbers(split(same_day, 20).train) == [2, 3, 4]


def test_each_source_is_split_on_its_own() -> None:
    old = [a_post(number, source=0) for number in range(10)]
    new = [a_post(number, source=1) for number in range(100, 120)]
    splits = split([*new, *old], 10)
    assert numbers(splits.test) == [9, 118, 119]
    assert numbers(splits.validation) == [8, 116, 117]


def test_posts_without_dates_keep_their_input_order() -> None:
    posts = [a_post(number, dated=False) for number in (5, 1, 4, 2, 3)]
    splits = split(posts, 20)
    assert numbers(splits.train) == [5, 1, 4]
    assert numbers(splits.test) == [3]
    assert splits.ordered_by == "input"


def test_sources_that_differ_in_dates_are_reported_as_mixed() -> None:
    posts = [a_post(number, source=number % 2, dated=number % 2 == 0) for number in range(10)]
    assert split(posts, 10).ordered_by == "mixed"


def test_a_source_with_dates_on_some_posts_is_reported_as_mixed() -> None:
    posts = [a_post(number, dated=number > 0) for number in range(10)]
    assert split(posts, 10).ordered_by == "mixed"


def test_every_post_is_in_exactly_one_part() -> None:
    posts = [a_post(number, source=number % 3) for number in range(137)]
    splits = split(posts, 30)
    parts = [*splits.train, *splits.validation, *splits.test]
    assert sorted(numbers(parts)) == list(range(137))


@pytest.mark.parametrize(("posts", "reliability"), [(490, "Low"), (500, "Normal")])
def test_under_fifty_test_posts_the_figures_are_unreliable(posts: int, reliability: str) -> None:
    assert split([a_post(number) for number in range(posts)], 10).reliability == reliability


def test_three_posts_give_one_to_each_part() -> None:
    splits = split([a_post(number) for number in range(3)], 10)
    assert [numbers(part) for part in (splits.train, splits.validation, splits.test)] == [[0], [1], [2]]


def test_a_small_source_beside_a_large_one_only_trains() -> None:
    posts = [*(a_post(number, source=0) for number in range(2)), *(a_post(number, source=1) for number in range(10))]
    assert {post.source for post in split(posts, 10).test} == {1}


def test_two_posts_are_too_few_to_hold_any_out() -> None:
    with pytest.raises(TooLittleData, match="TooFewPosts"):
        split([a_post(1), a_post(2)], 10)
