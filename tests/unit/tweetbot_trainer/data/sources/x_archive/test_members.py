"""What is opened in an export, what never is, and which zips are refused."""

import io
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO

import pytest

from archives.golden import ARCHIVES
from builders.trainer import ObjectsInMemory, a_tweet, manifest_js, script, tweets_js, zipped
from tweetbot_demo.archive import PRIVATE, write_archive
from tweetbot_trainer.data.sources.x_archive.source import XArchiveSource
from tweetbot_trainer.runtime.errors import SpecRefused


class Watched(io.BytesIO):
    """A file that notes which bytes were read of it."""

    def __init__(self, content: bytes, ranges: list[range]) -> None:
        super().__init__(content)
        self.ranges = ranges

    def read(self, size: int | None = -1, /) -> bytes:
        start = self.tell()
        content = super().read(size)
        self.ranges.append(range(start, start + len(content)))
        return content


class WatchedObjects:
    """A store of one object that knows which of its bytes were read."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.ranges: list[range] = []

    def open_seekable(self, uri: str) -> BinaryIO:
        return Watched(self.content, self.ranges)

    def was_read(self, place: range) -> bool:
        return any(place.start < read.stop and read.start < place.stop for read in self.ranges)


def content_of(archive: zipfile.ZipFile, name: str) -> range:
    """Return where a member's packed content lies in the zip."""
    info = archive.getinfo(name)
    start = info.header_offset + 30 + len(info.filename.encode())
    return range(start, start + info.compress_size)


def read(content: bytes) -> int:
    return len(list(XArchiveSource("export", 0, ObjectsInMemory(export=content)).read_posts()))


def opened_of(content: bytes) -> tuple[set[str], set[str]]:
    """Return the members of which a byte was read, and all members, after asking for the posts and the profile."""
    shelf = WatchedObjects(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        places = {name: content_of(archive, name) for name in archive.namelist()}
    assert list(XArchiveSource("export", 0, shelf).read_posts())
    XArchiveSource("export", 0, shelf).read_profile()
    return {name for name, place in places.items() if shelf.was_read(place)}, set(places)


POSTS_OF_TODAY = {"tweets.js", "tweets-part1.js", "note-tweet.js", "community-tweet.js", "manifest.js", "profile.js"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("today", {*(f"data/{name}" for name in POSTS_OF_TODAY), "data/profile_media/1000000007-Gull_400.png"}),
        (
            "2021",
            {*(f"data/{name}.js" for name in ("tweet", "tweet-part1", "manifest", "profile"))}
            | {"data/profile_media/1000000007-Gull_400.png"},
        ),
        ("2019", {"tweet.js", "account.js", "profile.js", "profile_media/1000000007-Gull_400.jpg"}),
        (
            "grailbird",
            {*(f"data/js/{name}.js" for name in ("tweet_index", "user_details", "tweets/2010_10", "tweets/2013_02"))}
            | {"tweets.csv"},
        ),
        ("grailbird-table", {"tweets.csv"}),
    ],
)
def test_of_each_form_exactly_these_members_are_opened(name: str, expected: set[str]) -> None:
    opened, members = opened_of(ARCHIVES[name]())
    assert opened == expected
    assert name == "grailbird-table" or opened < members


def test_private_members_are_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    write_archive(path, posts=60)
    opened, members = opened_of(path.read_bytes())
    assert {*PRIVATE, "data/account.js"} <= members - opened


def test_a_manifest_cannot_name_a_private_member() -> None:
    members = {
        "data/manifest.js": manifest_js("data/direct-messages.js", "../../etc/passwd", "data/tweets.js"),
        "data/direct-messages.js": b"private",
        "data/tweets.js": tweets_js(a_tweet()),
    }
    assert read(zipped(members)) == 1


@pytest.mark.parametrize(
    "content", [b"", b"not a zip", b"PK\x05\x06" + b"\xff" * 18, b"PK\x05\x06" + b"\0" * 8 + b"\x01" + b"\0" * 9]
)
def test_what_is_no_zip_is_refused(content: bytes) -> None:
    with pytest.raises(SpecRefused) as failure:
        read(content)
    assert failure.value.message.startswith("export: ")


@pytest.mark.parametrize("kept", [4, 100, -30])
def test_a_zip_cut_anywhere_is_distinguished_from_other_files(kept: int) -> None:
    with pytest.raises(SpecRefused, match="cut short") as failure:
        read(zipped({"data/tweets.js": tweets_js(*(a_tweet(number=number) for number in range(9)))})[:kept])
    assert failure.value.reason.name == "SourceTruncated"


def test_a_zip_with_a_comment_or_with_bytes_before_it_is_read() -> None:
    file = io.BytesIO(zipped({"data/tweets.js": tweets_js(a_tweet())}))
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = b"packed again " * 100
    assert read(b"MZ unpacker" + file.getvalue()) == 1


def test_a_large_zip_with_the_newer_table_of_contents_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 0)
    content = zipped({"data/tweets.js": tweets_js(a_tweet())})
    assert b"PK\x06\x06" in content
    assert read(content) == 1


def test_an_export_without_tweets_is_refused() -> None:
    for members in ({}, {"data/account.js": b"x"}, {"data/note-tweet.js": b""}):
        with pytest.raises(
            SpecRefused, match=r"(no data/tweets\.js in|the zip is empty).*; upload the zip as X gave it"
        ):
            read(zipped(members))


def test_a_method_of_packing_that_exports_do_not_use_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("data/tweets.js", tweets_js(a_tweet()))
    with pytest.raises(SpecRefused, match="packed by bzip2, not by deflate"):
        read(file.getvalue())


def test_a_member_that_is_there_twice_is_refused() -> None:
    file = io.BytesIO(zipped({"data/tweets.js": tweets_js(a_tweet())}))
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("data/tweets.js", tweets_js())
    with pytest.raises(SpecRefused, match=r"holds data/tweets\.js twice, with different content"):
        read(file.getvalue())


@pytest.mark.parametrize(
    "member",
    [
        b"",
        b"<html>",
        b"window.YTD.tweets.part0 = ",
        b"window.x = [{",
        b"window.x = [{}] {",
        b'window.x = ["\xff"]',
        b"window.x = [1]",
    ],
)
def test_a_damaged_member_is_named(member: bytes) -> None:
    with pytest.raises(SpecRefused, match=r"data/tweets\.js in the zip") as failure:
        read(zipped({"data/tweets.js": member}))
    assert failure.value.reason.name == "SourceUnreadable"


def test_a_flipped_bit_is_noticed() -> None:
    content = bytearray(zipped({"data/tweets.js": tweets_js(*(a_tweet(str(n) * 50, number=n) for n in range(50)))}))
    content[200] ^= 0xFF
    with pytest.raises(SpecRefused, match=r"data/tweets\.js in the zip is damaged"):
        read(bytes(content))


def test_a_member_that_claims_to_be_small_is_read_no_further() -> None:
    rows = [a_tweet("x" * 200, number=number) for number in range(100)]
    content = bytearray(zipped({"data/tweets.js": tweets_js(*rows)}))
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", 1000)
    with pytest.raises(SpecRefused, match=r"data/tweets\.js in the zip is damaged"):
        read(bytes(content))


def test_a_note_without_text_is_refused_with_its_member() -> None:
    members = {
        "data/tweets.js": tweets_js(a_tweet()),
        "data/note-tweet.js": script("YTD.n.part0", [{"noteTweet": {"a": 1}}]),
    }
    with pytest.raises(SpecRefused, match=r"data/note-tweet\.js"):
        read(zipped(members))
