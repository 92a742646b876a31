"""How many posts a dataset needs, and what is said where it has fewer."""

from typing import Any

import pytest

from builders.trainer import a_post, many_posts
from tweetbot_contract.spec.sources import Source
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import clean
from tweetbot_trainer.data.dataset.dataset import build_dataset
from tweetbot_trainer.data.dataset.enough import MIN_CHARACTERS, require_enough
from tweetbot_trainer.data.dataset.source_counts import SourceCounts, fill_tables
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.interface import SourceReport
from tweetbot_trainer.runtime.errors import TooLittleData

ORIGINAL = Filter(recipe="huggingtweets")
FILE = Source.model_validate({"posts": {"uri": "s3://team-a/posts.jsonl"}})
FEW = many_posts(20)


def check(
    posts: list[Post],
    report: SourceReport | None = None,
    *,
    filter: Filter | None = None,
    source: Source = FILE,
    excluded: int = 0,
    sources: int = 1,
) -> None:
    """Build the dataset of the posts, of which the first source reports this."""
    chosen = filter or Filter()
    reports = [report or SourceReport()] + [SourceReport()] * (sources - 1)
    counts = [
        SourceCounts(one, sum(post.source == index for post in posts) + excluded, excluded)
        for index, one in enumerate(reports)
    ]
    dataset = fill_tables(build_dataset(clean(posts, chosen), chosen, sources=sources), counts)
    require_enough(dataset, counts, [source] * sources, chosen)


def refusal(*args: Any, **options: Any) -> str:
    with pytest.raises(TooLittleData) as refused:
        check(*args, **options)
    assert (refused.value.reason.name, refused.value.exit_code) == ("TooFewPosts", 12)
    return refused.value.message


@pytest.mark.parametrize("filter", [Filter(), ORIGINAL], ids=["modern", "huggingtweets"])
def test_a_character_too_few_is_refused(filter: Filter) -> None:
    mark = len("<|endoftext|>")
    first = a_post("a b " + "c" * 2995, number=1)
    check([first, a_post("d e " + "f" * (2997 - mark), number=2), a_post("", number=3)], filter=filter)
    message = refusal([first, a_post("d e " + "f" * (2996 - mark), number=2)], filter=filter)
    assert message.startswith(f"sources[0]: 2 posts with {MIN_CHARACTERS - 1} characters are left after cleaning; ")


def test_every_source_must_have_enough() -> None:
    assert refusal(many_posts(300), sources=2) == (
        "sources[1] has no posts: its account or file is empty. "
        "Check that it is the one you mean, or leave this source out"
    )


def test_the_largest_causes_are_named_and_the_smallest_are_not() -> None:
    posts = [*FEW, *(a_post(retweet=True, number=100 + number) for number in range(70)), a_post("x", number=99)]
    message = refusal(posts, SourceReport(left_out={"unreadable": 20, "not_public": 3}))
    assert (
        "needed. Of its 114 records: 70 retweets and reposts of others, 20 damaged. Give a source with more" in message
    )


def test_what_a_source_advises_is_said() -> None:
    report = SourceReport(left_out={"not_public": 130}, advice={"not_public": "set visibility: [Public, Unlisted]"})
    assert refusal(FEW, report).endswith(
        "Of its 150 records: 130 not public. Set visibility: [Public, Unlisted], or give a source with more posts"
    )


@pytest.mark.parametrize(
    ("posts", "filter", "advice"),
    [
        (
            [a_post(f"tide {number} is low", number=number, reply=True) for number in range(20)],
            {"replies": "Drop"},
            "replies",
        ),
        ([a_post("tide", number=number) for number in range(20)], {}, "minWords"),
        ([a_post(number=number) for number in range(20)], {}, "deduplicate"),
        (
            [a_post(f"tide {number} is low", number=number, lang="ja") for number in range(20)],
            {"languages": ["en"]},
            "languages",
        ),
    ],
)
def test_the_field_of_the_filter_that_drops_most_is_named(posts: list[Post], filter: Any, advice: str) -> None:
    message = refusal(posts, filter=Filter.model_validate(filter))
    assert f"spec.filter.{advice}" in message
    assert message.endswith(", or give a source with more posts")


def test_no_option_is_advised_that_the_recipe_does_not_take() -> None:
    posts = [a_post("tide", number=number) for number in range(20)]
    assert refusal(posts, filter=ORIGINAL).endswith("Of its 20 records: 20 too short. Give a source with more posts")
    posts = [a_post("http://a.example", number=number) for number in range(20)]
    assert "minWords" not in refusal(posts, filter=Filter(min_words=1))


@pytest.mark.parametrize(("limit", "advised"), [(20, True), (100_000, False)])
def test_more_posts_are_asked_for_only_where_there_can_be_more(limit: int, advised: bool) -> None:
    source = Source.model_validate({"bluesky": {"car": "s3://team-a/gull.car", "maxPosts": limit}})
    message = refusal(FEW, SourceReport(left_out={"older": 50}), source=source)
    assert ("Raise spec.sources[0].bluesky.maxPosts" in message) == advised


def test_excluded_posts_are_told() -> None:
    assert "30 excluded by spec.filter.excludeIds. Take ids out of" in refusal(FEW, excluded=30)
