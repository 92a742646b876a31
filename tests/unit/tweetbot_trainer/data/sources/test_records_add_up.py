"""Whatever a file holds: each of its records is read as a post, or left out under a name."""

import json
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.mastodon import ME, PUBLIC, a_boost, a_note, an_outbox
from builders.trainer import ObjectsInMemory, on_a_busy_machine
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.spec.sources import BlueskySource, MastodonSource, PostsSource
from tweetbot_fakes.remotes.bluesky import key_of, record
from tweetbot_fakes.remotes.bluesky_repository import exported
from tweetbot_trainer.data.sources.bluesky.repository import BlueskyRepository
from tweetbot_trainer.data.sources.interface import PostSource
from tweetbot_trainer.data.sources.mastodon.source import MastodonExportSource
from tweetbot_trainer.data.sources.posts_file import PostsFileSource
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log

URI = "s3://team-a/file.json"
QUIET: dict[str, Any] = {"to": [f"{ME}/followers"], "cc": [PUBLIC]}
ITEMS: st.SearchStrategy[Any] = st.sampled_from(
    [
        a_note(),
        a_note(**QUIET),
        a_note(to=[], cc=[]),
        a_boost(),
        a_note() | {"type": "Delete"},
        None,
        7,
        a_note(id=None),
    ]
)
LINES = st.sampled_from(['{"text": "fog"}', "null", '{"text": 1}', '{"te', "", "   "])
TABLE_LINES = st.sampled_from(["fog,1", "low tide,2", "too,many,cells", "fog,1.38E+18", '"low, ""tide""",3'])
RECORDS: st.SearchStrategy[Any] = st.sampled_from([record(1), record(2, ""), None, {"text": 5}])


def check(source: PostSource, count: int) -> None:
    """Read the source, unless too much of it is damaged, and compare with the number of its records."""
    try:
        posts = len(list(source.read_posts()))
    except SpecRefused:
        return
    report = source.build_report()
    assert set(report.left_out) <= set(DataTable.LEFT_OUT)
    assert posts + sum(report.left_out.values()) == count
    assert report.claimed in (None, count)


@on_a_busy_machine
@given(st.lists(LINES, max_size=8))
def test_the_lines_of_a_file(lines: list[str]) -> None:
    content = "\n".join(lines).encode()
    source = PostsFileSource(PostsSource(uri=URI), 0, ObjectsInMemory(**{URI: content}))
    check(source, sum(bool(line.strip()) for line in lines))


@on_a_busy_machine
@given(st.lists(TABLE_LINES, max_size=8))
def test_the_lines_of_a_table(lines: list[str]) -> None:
    content = "\n".join(["text,id", *lines]).encode()
    check(PostsFileSource(PostsSource(uri=URI, format="csv"), 0, ObjectsInMemory(**{URI: content})), len(lines))


@on_a_busy_machine
@given(st.lists(ITEMS, max_size=8), st.sampled_from([["Public"], ["Unlisted"], ["Public", "Unlisted"]]))
def test_the_items_of_an_outbox(items: list[Any], visibility: list[str]) -> None:
    spec = MastodonSource.model_validate({"uri": URI, "visibility": visibility})
    check(
        MastodonExportSource(spec, 0, reader=ObjectsInMemory(**{URI: an_outbox(*items)}), log=Log(StringIO())),
        len(items),
    )


@on_a_busy_machine
@given(st.lists(RECORDS, max_size=8), st.integers(1, 9))
def test_the_records_of_a_repository(records: list[Any], limit: int) -> None:
    kinds = ("post", "repost", "like")
    found = {f"app.bsky.feed.{kinds[index % 3]}/{key_of(index)}": one for index, one in enumerate(records)}
    spec = BlueskySource.model_validate({"car": URI, "maxPosts": limit})
    source = BlueskyRepository(spec, 0, reader=ObjectsInMemory(**{URI: exported(found)}), log=Log(StringIO()))
    check(source, sum("/" in key and ".like/" not in key for key in found))


def test_the_check_notices_a_record_that_is_lost() -> None:
    content = "\n".join(json.dumps({"text": "fog"}) for _ in range(3)).encode()
    with pytest.raises(AssertionError):
        check(PostsFileSource(PostsSource(uri=URI), 0, ObjectsInMemory(**{URI: content})), 4)
