"""What sources say they hold is what was read of them, was left out by name, or is missing, which is told."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.trainer import many_posts
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import clean
from tweetbot_trainer.data.dataset.dataset import Dataset, build_dataset
from tweetbot_trainer.data.dataset.source_counts import SourceCounts, check_missing, fill_tables
from tweetbot_trainer.data.sources.interface import SourceReport
from tweetbot_trainer.runtime.errors import SpecRefused


def counts(claimed: int | None, posts: int, *, excluded: int = 0, **left_out: int) -> SourceCounts:
    return SourceCounts(SourceReport(claimed, left_out), posts, excluded)


@pytest.mark.parametrize(
    "whole",
    [counts(None, 10), counts(0, 0), counts(10, 10), counts(10, 8, repeated=1, unreadable=1), counts(10, 12)],
)
def test_a_whole_source_warns_of_nothing(whole: SourceCounts) -> None:
    assert check_missing(whole, 0, max_missing_percent=0) is None


def test_a_few_missing_posts_are_told() -> None:
    warning = check_missing(counts(320, 300, not_public=6), 1, max_missing_percent=None)
    assert warning is not None
    assert (warning.reason, warning.message) == (
        "PostsMissing",
        "sources[1] says that it holds 320 posts, but 14 of them (4.4 %) are missing.",
    )


@pytest.mark.parametrize(("limit", "advised"), [(None, 69), (68, 69), (0, 69)])
def test_too_many_missing_posts_end_the_run_and_the_advice_is_a_limit_that_lets_it_pass(
    limit: int | None, advised: int
) -> None:
    found = counts(320, 100)
    with pytest.raises(SpecRefused) as refusal:
        check_missing(found, 0, max_missing_percent=limit)
    assert refusal.value.reason.name == "PostsMissing"
    assert f"220 of them (68.8 %) are missing; at most {5 if limit is None else limit} % may be" in str(refusal.value)
    assert f"set spec.sources[0].maxMissingPercent to {advised} " in str(refusal.value)
    assert check_missing(found, 0, max_missing_percent=advised)


@cache
def a_dataset(sources: int) -> Dataset:
    """Return a dataset of 220 posts a source."""
    posts = [replace(post, source=index) for index in range(sources) for post in many_posts(220)]
    filter = Filter(deduplicate=False)
    return build_dataset(clean(posts, filter), filter, sources=sources)


def tables(*read: SourceCounts) -> tuple[DataTable, tuple[DataTable, ...]]:
    """Return the whole table and those of the sources, of which each gave 220 posts that are not excluded."""
    dataset = fill_tables(a_dataset(len(read)), read)
    return dataset.table, dataset.source_tables


def test_the_tables_have_the_sources_numbers() -> None:
    table, (first, second) = tables(counts(250, 223, excluded=3, unreadable=20), counts(None, 220, older=5))
    assert (first.claimed, first.downloaded, first.excluded, first.unreadable, first.missing) == (250, 220, 3, 20, 7)
    assert (second.claimed, second.older, second.missing) == (None, 5, 0)
    assert (table.claimed, table.missing, table.unreadable, table.older) == (250 + 225, 7, 20, 5)


def test_without_any_statement_of_the_sources_nothing_is_claimed_or_missing() -> None:
    table, _ = tables(counts(None, 220, repeated=2))
    assert (table.claimed, table.missing, table.repeated) == (None, 0, 2)


def test_more_posts_than_claimed_hide_no_loss_of_another_source() -> None:
    table, _ = tables(counts(100, 220), counts(300, 220))
    assert (table.claimed, table.missing) == (400, 80)


def test_revisions_that_huggingtweets_never_sees_are_left_out_by_name() -> None:
    posts = [
        *many_posts(220),
        *(replace(post, id=f"9{post.id}", edits=(post.id, f"9{post.id}")) for post in many_posts(3)),
    ]
    filter = Filter(recipe="huggingtweets")
    dataset = fill_tables(build_dataset(clean(posts, filter), filter, sources=1), [counts(223, 223)])
    assert (dataset.table.downloaded, dataset.table.repeated, dataset.table.missing) == (220, 3, 0)


@given(
    claimed=st.none() | st.integers(0, 400),
    left_out=st.dictionaries(st.sampled_from(DataTable.LEFT_OUT[1:-1]), st.integers(0, 50)),
    excluded=st.integers(0, 9),
)
def test_what_is_claimed_is_read_left_out_or_missing(
    claimed: int | None, left_out: dict[str, int], excluded: int
) -> None:
    whole, (table,) = tables(counts(claimed, 220 + excluded, excluded=excluded, **left_out))
    found = table.downloaded + sum(getattr(table, name) for name in DataTable.LEFT_OUT)
    assert found == 220 + excluded + sum(left_out.values())
    assert table.missing == max(0, (claimed or 0) - found)
    assert whole == table
