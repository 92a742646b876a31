"""Zips: members under any spelling of their names, twice, over 4 GiB from macOS."""

import io
import re
import struct
import zipfile
from typing import BinaryIO

import pytest

from archives.mac import WRAP, make_mac_zip
from builders.trainer import zipped
from tweetbot_trainer.data.sources.archive_files import ExportFile, open_export
from tweetbot_trainer.runtime.errors import SpecRefused

ALLOWED = re.compile(r"(?:[^/]+/){0,4}?(?P<file>tweets\.js|manifest\.js)")
NAME = "data/tweets.js"


def opened(content: bytes | BinaryIO) -> ExportFile:
    return open_export(io.BytesIO(content) if isinstance(content, bytes) else content, ALLOWED)


def content_of(export: ExportFile, file: str = "tweets.js") -> bytes:
    with export.members[file].open() as content:
        return content.read()


@pytest.mark.parametrize(
    "name",
    [
        "tweets.js",
        "a/b/c/d/tweets.js",
        "twitter-2024\\data\\tweets.js",
        "./data/./tweets.js",
        "/data/tweets.js",
        "C:\\Users\\me\\data\\tweets.js",
        "../../data/tweets.js",
        "DATA/Tweets.JS",
        "Mo\u0308we/tweets.js",
        "data//tweets.js",
    ],
)
def test_a_member_is_found_under_any_spelling_of_its_path(name: str) -> None:
    assert content_of(opened(zipped({name: b"low tide"}))) == b"low tide"


@pytest.mark.parametrize(
    "name",
    ["__MACOSX/data/tweets.js", "__macosx\\data\\._tweets.js", "data/._tweets.js", "data/tweets.js/", "data/.DS_Store"],
)
def test_what_systems_add_is_neither_read_nor_listed(name: str) -> None:
    export = opened(zipped({name: b"", "holiday.jpg": b"x"}))
    assert (dict(export.members), export.others) == ({}, ("holiday.jpg",))


@pytest.mark.parametrize("name", ["a/b/c/d/e/tweets.js", "tweets.js.bak", "tweets.jsx", "data/tweets .js"])
def test_what_the_allow_list_does_not_name_is_only_listed(name: str) -> None:
    export = opened(zipped({name: b"x"}))
    assert (dict(export.members), export.others) == ({}, (name,))


def test_the_same_content_twice_is_one_member() -> None:
    export = opened(zipped({"data/tweets.js": b"low tide", "copy\\data\\tweets.js": b"low tide"}))
    assert content_of(export) == b"low tide"


@pytest.mark.parametrize("second", ["copy/data/tweets.js", "Data/Tweets.js", "data\\tweets.js"])
def test_another_content_under_the_same_name_is_refused_when_it_is_read(second: str) -> None:
    export = opened(zipped({"data/tweets.js": b"low tide", second: b"high tide", "manifest.js": b"x"}))
    assert content_of(export, "manifest.js") == b"x"
    with pytest.raises(SpecRefused, match=r"twice"):
        content_of(export)


def test_a_zip_over_four_gibibytes_from_macos_is_read() -> None:
    members = {"data/film.mp4": b"a", NAME: b"low tide", "data/manifest.js": b"x"}
    places = {"data/film.mp4": 0, NAME: 2 * WRAP + 70, "data/manifest.js": 3 * WRAP + 4000}
    export = opened(make_mac_zip(members, places))
    assert (content_of(export), content_of(export, "manifest.js")) == (b"low tide", b"x")


def test_a_member_before_the_fourth_gibibyte_of_such_a_zip_is_read() -> None:
    assert (
        content_of(opened(make_mac_zip({NAME: b"low tide", "film": b"a"}, {NAME: 0, "film": WRAP + 9}))) == b"low tide"
    )


@pytest.mark.parametrize("decoys", [{WRAP + 70: NAME}, {70: NAME, WRAP + 70: NAME}])
def test_a_member_that_may_lie_at_two_places_is_refused_with_what_to_do(decoys: dict[int, str]) -> None:
    content = make_mac_zip({"film": b"a", NAME: b"low tide"}, {"film": 0, NAME: 2 * WRAP + 70}, decoys=decoys)
    with pytest.raises(SpecRefused, match=r"4 GiB and was packed by macOS.*data/tweets\.js lies; .*`zip -r export.zip"):
        content_of(opened(content))


def test_a_header_of_another_name_at_a_possible_place_misleads_nobody() -> None:
    places = {"film": 0, NAME: WRAP + 70}
    assert content_of(opened(make_mac_zip({"film": b"a", NAME: b"low tide"}, places, decoys={70: "x"}))) == b"low tide"


def test_a_member_at_a_wrong_place_that_is_not_there_is_refused() -> None:
    content = bytearray(zipped({NAME: b"low tide"}))
    at = content.rindex(b"PK\x05\x06") + 16
    content[at : at + 4] = struct.pack("<L", struct.unpack_from("<L", content, at)[0] + 20)
    with pytest.raises(SpecRefused, match="the zip lacks its first 20 bytes") as failure:
        opened(bytes(content))
    assert failure.value.reason.name == "SourceTruncated"


def test_a_locked_member_that_nobody_asks_for_hinders_nothing() -> None:
    content = bytearray(zipped({"secret.txt": b"x", NAME: b"low tide"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    assert content_of(opened(bytes(content))) == b"low tide"


@pytest.mark.parametrize(("method", "name"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "LZMA")])
def test_a_method_that_is_not_deflate_is_named(method: int, name: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(NAME, b"low tide")
    with pytest.raises(SpecRefused, match=f"packed by {name}, not by deflate"):
        content_of(opened(file.getvalue()))
