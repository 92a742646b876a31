"""Of a post that was edited the newest version counts."""

from itertools import permutations

import pytest

from builders.trainer import a_post, count_posts
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import clean
from tweetbot_trainer.data.cleaning.clean import find_superseded
from tweetbot_trainer.data.posts import Post

IDS = ("998", "1001", "1002")
TEXTS = ("the tide is low today", "the fog is thick today", "the crab is red today")


def versions(*which: int, source: int = 0, edits: tuple[str, ...] = IDS) -> list[Post]:
    return [a_post(TEXTS[one], id=IDS[one], edits=edits, source=source) for one in which]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_version_stays_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    cleaned = list(clean(versions(*order), Filter()))
    assert {one.post.id: one.reason for one in cleaned} == {"998": "edits", "1001": "edits", "1002": None}


def test_newest_means_of_those_present() -> None:
    assert find_superseded(versions(0, 1)) == {(0, "998")}


def test_a_version_alone_stays() -> None:
    assert find_superseded(versions(0)) == frozenset()


def test_only_one_version_need_tell_of_the_others() -> None:
    first, last = versions(0)[0], a_post(TEXTS[2], id=IDS[2])
    assert find_superseded([first, last]) == {(0, "998")}


def test_another_source_has_ids_of_its_own() -> None:
    assert find_superseded(versions(0) + versions(2, source=1)) == frozenset()


def test_posts_never_edited_are_not_looked_at() -> None:
    assert find_superseded([a_post(number=1), a_post(number=1)]) == frozenset()


def test_modern_counts_the_versions_it_drops() -> None:
    table = count_posts(clean(versions(0, 1, 2), Filter()))
    assert (table.downloaded, table.edits, table.kept) == (3, 2, 1)


def test_huggingtweets_never_saw_them() -> None:
    """Its API gave the newest version only, so its card adds up without them."""
    table = count_posts(clean(versions(0, 1, 2), Filter(recipe="huggingtweets")))
    assert (table.downloaded, table.edits, table.kept) == (1, 0, 1)
