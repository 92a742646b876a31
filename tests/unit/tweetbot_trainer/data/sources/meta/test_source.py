"""Threads and Instagram accounts as their owners' exports."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from archives.meta import (
    ACTIVITY,
    make_album,
    make_instagram_export,
    make_person,
    make_thread,
    make_threads_export,
    render,
    render_threads,
)
from archives.writing import make_zip
from builders.mastodon import tarred
from builders.trainer import ObjectsInMemory, texts, zipped
from tweetbot_contract.spec.sources import InstagramSource, ThreadsSource
from tweetbot_demo.archive import draw_avatar
from tweetbot_trainer.data.posts import dump_post
from tweetbot_trainer.data.sources.interface import Profile
from tweetbot_trainer.data.sources.meta.source import MetaExportSource
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.log import Log

URI = "s3://team-a/meta.zip"
GOLDEN = Path(__file__).parents[5] / "golden" / "exports"
SPECS: dict[str, ThreadsSource | InstagramSource] = {
    "threads": ThreadsSource(uri=URI),
    "instagram": InstagramSource(uri=URI),
}
EXPORTS = {"threads": make_threads_export, "instagram": make_instagram_export}
READ = ("posts_1.json", "posts_2.json", "reels.json", "threads_and_replies.json", "information.json", "1.png")
THREADS = f"{ACTIVITY}/threads/threads_and_replies.json"


def source(content: bytes, kind: str = "threads", output: StringIO | None = None) -> MetaExportSource:
    reader = ObjectsInMemory(**{URI: content})
    return MetaExportSource(SPECS[kind], 0, reader=reader, log=Log(output or StringIO()))


def refusal(content: bytes, kind: str = "threads") -> SpecRefused:
    with pytest.raises(SpecRefused) as raised:
        list(source(content, kind).read_posts())
    assert raised.value.message.count(URI) == 1
    return raised.value


@pytest.mark.parametrize("kind", EXPORTS)
def test_an_export_parses_to_its_golden_records(kind: str) -> None:
    lines = (GOLDEN / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()
    posts = source(make_zip(EXPORTS[kind]()), kind).read_posts()
    assert [dump_post(post) for post in posts] == [json.loads(line) for line in lines]


@pytest.mark.parametrize("kind", EXPORTS)
@pytest.mark.parametrize("pack", [zipped, tarred], ids=["zip", "tar.gz"])
@pytest.mark.parametrize("folder", ["", "instagram-harbour_gull-2026-11-01-AbCdEfGh/", "a/b/"])
def test_an_export_that_was_packed_again_is_read(kind: str, pack: Any, folder: str) -> None:
    export = source(pack({f"{folder}{name}": content for name, content in EXPORTS[kind]().items()}), kind)
    assert len(list(export.read_posts())) == 5
    assert export.read_profile() == Profile(None, "harbour_gull", "Harbour Gull 🐦", draw_avatar())


@pytest.mark.parametrize("activity", [f"{ACTIVITY}/content", "content", "media", "instagram"])
def test_the_posts_of_instagram_were_in_other_folders_before(activity: str) -> None:
    assert len(list(source(zipped(make_instagram_export(activity=activity)), "instagram").read_posts())) == 5


def test_what_is_left_out_is_counted() -> None:
    output = StringIO()
    export = source(make_zip(make_threads_export()), output=output)
    list(export.read_posts())
    assert (export.build_report().claimed, export.build_report().warnings) == (None, ())
    assert export.build_report().left_out == {"repeated": 1, "not_posts": 1}
    assert json.loads(output.getvalue()).items() >= {"posts": 5, "repeated": 1, "empty": 1}.items()


@pytest.mark.parametrize("kind", EXPORTS)
def test_nothing_else_is_opened(kind: str) -> None:
    """The headers of other members are destroyed, so opening one would end in an error."""
    members = EXPORTS[kind]()
    content = bytearray(make_zip(members))
    for name in members:
        if not name.endswith(READ):
            start = content.rindex(b"PK\x03\x04", 0, content.index(name.encode()))
            content[start : start + 4] = b"gone"
    assert len(list(source(bytes(content), kind).read_posts())) == 5


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_the_file_of_posts_may_come_alone(start: bytes) -> None:
    assert texts(source(start + render_threads(make_thread("fog"))).read_posts()) == ["fog"]
    assert texts(source(start + render([make_album("tide")]), "instagram").read_posts()) == ["tide"]


def test_ten_parts_are_read_in_their_order() -> None:
    members = {f"media/posts_{n}.json": render([make_album(f"tide {n}", number=n)]) for n in (10, *range(1, 10))}
    assert texts(source(zipped(members), "instagram").read_posts()) == [f"tide {n}" for n in range(1, 11)]


def test_a_few_damaged_posts_are_left_out() -> None:
    export = source(render_threads(make_thread("fog"), {"media": 5}, make_thread("tide", number=1)))
    assert texts(export.read_posts()) == ["fog", "tide"]
    report = export.build_report()
    assert report.left_out["unreadable"] == 1
    assert "row 2, line" in report.warnings[0].message


def test_many_damaged_posts_end_the_run() -> None:
    failure = refusal(render_threads(make_thread("fog"), *([5] * 9)))
    assert failure.reason.name == "SourceUnreadable"
    assert "9 of 10 posts cannot be read" in failure.message
    assert "row 2" in failure.message


@pytest.mark.parametrize(
    ("person", "profile"),
    [
        (b"{", None),
        (b"[]", None),
        (b"[" * 100_000, None),
        (render({"profile_user": []}), None),
        (render({"profile_user": [5]}), None),
        (render({"profile_user": {"a": 1}}), None),
        (make_person("profile_user", Username="<b>", Name=""), Profile(avatar=draw_avatar())),
        (
            make_person("profile_user", Username="gull.1", Name="x" * 500),
            Profile(None, "gull.1", "x" * 100, draw_avatar()),
        ),
    ],
)
def test_an_account_that_cannot_be_read_fails_nothing(person: bytes, profile: Profile | None) -> None:
    members = make_threads_export()
    del members[f"{ACTIVITY}/threads/personal_information.json"]
    export = source(zipped(members | {"personal_information/personal_information.json": person}))
    assert len(list(export.read_posts())) == 5
    assert export.read_profile() == profile


BAD: list[tuple[str, bytes, str, str]] = [
    ("threads", zipped({"threads/threads_and_replies.html": b"<html>"}), "SourceNotAnExport", "in HTML; .*JSON"),
    ("instagram", zipped({f"{ACTIVITY}/media/posts_1.html": b"<html>"}), "SourceNotAnExport", "in HTML; .*JSON"),
    (
        "threads",
        zipped({"x/your_instagram_activity/a.html": b"", "x/start_here.html": b""}),
        "SourceNotAnExport",
        "HTML",
    ),
    ("threads", zipped({"your_facebook_activity/a.json": b""}), "SourceNotAnExport", "of Facebook; .*Threads profile"),
    ("instagram", zipped({"your_facebook_activity/a.json": b""}), "SourceNotAnExport", "Facebook; .*Instagram profile"),
    ("instagram", zipped({"media.json": b"{}"}), "SourceNotAnExport", "before December 2020; ask Instagram"),
    ("threads", zipped(make_instagram_export()), "SourceNotAnExport", "without Threads; .*with Threads chosen"),
    ("instagram", zipped(make_threads_export()), "SourceNotAnExport", "Threads; .*kind threads"),
    ("instagram", zipped({"data/tweets.js": b""}), "SourceNotAnExport", "of X; .*kind archive"),
    ("threads", zipped({"posts.csv": b"", "post_votes.csv": b""}), "SourceNotAnExport", "Reddit; .*kind reddit"),
    ("instagram", zipped({"a/media/posts/1.jpg": b"\xff\xd8"}), "SourceIncomplete", "pictures and films alone; Meta"),
    ("instagram", zipped({"media/posts_2.json": b"[]"}), "SourceIncomplete", r"posts_1\.json is not"),
    ("threads", zipped({THREADS: b'{"other": []}'}), "SourceUnreadable", "has no text_post_app_text_posts"),
    ("threads", zipped({THREADS: render_threads(make_thread("fog"))[:-20]}), "SourceUnreadable", "row 1, line"),
    ("instagram", zipped({"media/posts_1.json": b"[" * 100_000}), "SourceUnreadable", "damaged"),
    ("instagram", zipped({"media/reels.json": b"[]"}), "SourceUnreadable", "'\\['"),
    ("threads", b"window.YTD.tweets.part0 = []", "SourceNotAnExport", "X export"),
    ("instagram", b'{"orderedItems": []}', "SourceNotAnExport", "Mastodon"),
    ("threads", b"fog", "SourceNotAnExport", r"no threads_and_replies\.json"),
    ("threads", b"<!doctype html>", "SourceNotAnExport", "web page"),
    ("threads", b"", "SourceTruncated", "empty"),
    ("threads", make_zip(make_threads_export())[:-60], "SourceTruncated", "cut short"),
]


@pytest.mark.parametrize(
    ("kind", "content", "reason", "words"), BAD, ids=[f"{kind} {words}" for kind, _, _, words in BAD]
)
def test_a_file_of_another_kind_is_reported(kind: str, content: bytes, reason: str, words: str) -> None:
    failure = refusal(content, kind)
    with pytest.raises(SpecRefused, match=words):
        raise failure
    assert failure.reason.name == reason
