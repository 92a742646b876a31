"""What is opened in an export, what never is, and which zips are refused."""

import io
import struct
import zipfile
from typing import BinaryIO

import pytest

from builders_trainer import Shelf, a_tweet, manifest_js, script, tweets_js, zipped
from tweetbot_demo.archive import PRIVATE, write_archive
from tweetbot_trainer.errors import SpecRefused
from tweetbot_trainer.sources import archive_members
from tweetbot_trainer.sources.archive import ArchiveSource


class Watched(io.BytesIO):
    """A file that remembers which bytes were read of it."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.ranges: list[range] = []

    def read(self, size: int | None = -1, /) -> bytes:
        start = self.tell()
        content = super().read(size)
        self.ranges.append(range(start, start + len(content)))
        return content


class WatchedShelf:
    def __init__(self, content: bytes) -> None:
        self.file = Watched(content)

    def open_random(self, uri: str) -> BinaryIO:
        return self.file

    def was_read(self, place: range) -> bool:
        return any(place.start < read.stop and read.start < place.stop for read in self.file.ranges)


def content_of(archive: zipfile.ZipFile, name: str) -> range:
    """Return where a member's packed content lies in the zip."""
    info = archive.getinfo(name)
    start = info.header_offset + 30 + len(info.filename.encode())
    return range(start, start + info.compress_size)


def read(content: bytes) -> int:
    return len(list(ArchiveSource("export", 0, Shelf(export=content)).posts()))


def test_private_members_are_never_opened(tmp_path: object) -> None:
    path = f"{tmp_path}/export.zip"
    write_archive(path, posts=60)
    with open(path, "rb") as file:
        shelf = WatchedShelf(file.read())
    with zipfile.ZipFile(path) as archive:
        places = {name: content_of(archive, name) for name in archive.namelist()}
    assert list(ArchiveSource("export", 0, shelf).posts())
    opened = {name for name, place in places.items() if shelf.was_read(place)}
    assert opened == {
        "data/manifest.js",
        "data/tweets.js",
        "data/tweets-part1.js",
        "data/note-tweet.js",
        "data/community-tweet.js",
    }
    assert set(PRIVATE) <= set(places)


def test_a_manifest_cannot_name_a_private_member() -> None:
    members = {
        "data/manifest.js": manifest_js("data/direct-messages.js", "../../etc/passwd", "data/tweets.js"),
        "data/direct-messages.js": b"private",
        "data/tweets.js": tweets_js(a_tweet()),
    }
    assert read(zipped(members)) == 1


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04" + b"\0" * 100, b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_zip_is_refused(content: bytes) -> None:
    with pytest.raises(SpecRefused, match="no readable zip") as failure:
        read(content)
    assert failure.value.reason.name == "SourceUnreadable"


def test_a_zip_cut_short_is_refused() -> None:
    with pytest.raises(SpecRefused, match="no readable zip"):
        read(zipped({"data/tweets.js": tweets_js(a_tweet())})[:-30])


@pytest.mark.parametrize(
    "members", [{}, {"data/account.js": b"x"}, {"tweets.csv": b"id,text"}, {"data/note-tweet.js": b""}]
)
def test_an_export_without_tweets_is_refused(members: dict[str, bytes]) -> None:
    with pytest.raises(SpecRefused, match=r"no data/tweets\.js in the zip; upload the export as it was downloaded"):
        read(zipped(members))


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


def test_an_encrypted_member_is_refused() -> None:
    content = bytearray(zipped({"data/tweets.js": tweets_js(a_tweet())}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(signature) + offset
        content[at : at + 2] = struct.pack("<H", 1)
    with pytest.raises(SpecRefused, match=r"data/tweets\.js in the zip is damaged"):
        read(bytes(content))


def test_a_bomb_is_refused_before_it_is_opened() -> None:
    bomb = zipped({"data/tweets.js": b"window.x = [" + b" " * (archive_members.RATIO_FREE * 8) + b"]"})
    with pytest.raises(SpecRefused, match="unpacks 200-fold") as failure:
        read(bomb)
    assert failure.value.reason.name == "SourceTooLarge"


def test_members_that_claim_to_be_huge_are_refused() -> None:
    content = bytearray(zipped({"data/tweets.js": tweets_js(a_tweet())}))
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", archive_members.UNPACKED_LIMIT + 1)
    with pytest.raises(SpecRefused, match="at most") as failure:
        read(bytes(content))
    assert failure.value.reason.name == "SourceTooLarge"


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
