"""Every form that X's export ever had, written by the project itself, parses to the records that were read by hand."""

import json
from pathlib import Path

import pytest

from archives import damaged
from archives.golden import ARCHIVES
from builders.trainer import ObjectsInMemory
from tweetbot_trainer.data.posts import dump_post
from tweetbot_trainer.data.sources.interface import Profile
from tweetbot_trainer.data.sources.x_archive.source import XArchiveSource
from tweetbot_trainer.runtime.errors import SpecRefused

GOLDEN = Path(__file__).parents[5] / "golden" / "archives"


def source_of(content: bytes) -> XArchiveSource:
    return XArchiveSource("s3://team-a/export.zip", 0, ObjectsInMemory(**{"s3://team-a/export.zip": content}))


def shown(name: str) -> Profile | None:
    return source_of(ARCHIVES[name]()).read_profile()


@pytest.mark.parametrize("name", ARCHIVES)
def test_each_form_parses_to_its_golden_records(name: str) -> None:
    golden = GOLDEN / f"{name.removesuffix('-packed-again')}.jsonl"
    expected = [json.loads(line) for line in golden.read_text(encoding="utf-8").splitlines()]
    assert [dump_post(post) for post in source_of(ARCHIVES[name]()).read_posts()] == expected


@pytest.mark.parametrize(
    ("name", "claimed"), [("grailbird", 9), ("grailbird-table", None), ("2019", None), ("2021", 10), ("today", 20)]
)
def test_each_form_is_told_how_much_it_holds_and_nothing_is_odd(name: str, claimed: int | None) -> None:
    source = source_of(ARCHIVES[name]())
    posts = len(list(source.read_posts()))
    report = source.build_report()
    assert (report.claimed, report.warnings) == (claimed, ())
    assert claimed in (None, posts + report.left_out["repeated"])


def test_the_table_alone_says_what_the_whole_grailbird_says() -> None:
    posts = {name: set(source_of(ARCHIVES[name]()).read_posts()) for name in ("grailbird", "grailbird-table")}
    assert posts["grailbird"] == posts["grailbird-table"]


@pytest.mark.parametrize("name", ["2019", "2021", "today", "today-packed-again"])
def test_each_form_since_2019_shows_the_account(name: str) -> None:
    profile = shown(name)
    assert profile is not None
    assert profile.avatar is not None
    assert (profile.account_id, profile.handle, profile.display_name) == (
        "1000000007",
        "harbour_gull",
        "Harbour Gull 🐦",
    )


def test_a_grailbird_shows_its_account_without_a_picture() -> None:
    assert shown("grailbird") == Profile("1000000007", "harbour_gull", "Harbour Gull")
    assert shown("grailbird-table") is None


#: Others are in test_uploads.py.
BAD = [
    (damaged.cut_short(), "SourceTruncated", r"cut short: it ends after \d+ bytes"),
    (damaged.one_of_several(), "SourceIncomplete", r"own list names tweets\.js, which is not in it; X splits"),
    (damaged.bomb(), "SourceTooLarge", "unpacks to 200 times its size or more"),
    (damaged.huge(), "SourceTooLarge", "unpack to 3221225472 bytes; at most 2147483648 are read"),
    (damaged.crowded(), "SourceTooLarge", "more than 200000 members"),
    (damaged.with_a_long_directory(), "SourceTooLarge", "at most 33554432 are read"),
    (damaged.pages_only(), "SourceNotAnExport", "only web pages"),
]


@pytest.mark.parametrize(("content", "reason", "words"), BAD, ids=[f"{words:.40}" for _, _, words in BAD])
def test_a_zip_that_is_no_whole_export_has_its_own_reason(content: bytes, reason: str, words: str) -> None:
    with pytest.raises(SpecRefused, match=words) as failure:
        list(source_of(content).read_posts())
    assert failure.value.reason.name == reason
    assert failure.value.message.startswith("s3://team-a/export.zip: ")


def test_a_profile_that_cannot_be_read_is_none() -> None:
    profiles = [source_of(content).read_profile() for content, _, _ in BAD]
    assert {profile and profile.handle for profile in profiles} == {None, "harbour_gull"}
