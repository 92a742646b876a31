"""The files of a tar and of a gzip stream, also of hostile ones."""

import gzip
import io
import re
import tarfile
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest

from builders.mastodon import tarred
from tweetbot_contract import reasons
from tweetbot_trainer.data.sources.archive_files import BROKEN, open_export, translate_damage
from tweetbot_trainer.data.sources.archive_files.entry import AllowList, Entry
from tweetbot_trainer.data.sources.archive_files.refusals import TooLarge
from tweetbot_trainer.data.sources.archive_files.streams import UNPACKED_LIMIT, FileStream, GzipStream
from tweetbot_trainer.data.sources.archive_files.tars import EXTENSION_LIMIT, KEPT_LIMIT, iter_tar
from tweetbot_trainer.runtime.errors import SpecRefused

FILES = {"a/film.mp4": b"\0" * 5000, "empty": b"", "actor.json": b"{}"}
EVERYTHING = AllowList(re.compile(r"(?P<file>.*)", re.DOTALL))
END = b"\0" * 1024


@contextmanager
def little_memory(limit: int = 8 * 1024**2) -> Iterator[None]:
    """Allow a few buffers."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


def entries_in(packed: bytes, *, largest: int = UNPACKED_LIMIT) -> list[Entry]:
    return list(iter_tar(GzipStream(io.BytesIO(packed), largest=largest), EVERYTHING, largest=largest))


def content_of(entry: Entry) -> bytes:
    assert entry.open_stream is not None
    with entry.open_stream() as content:
        return content.read()


def files_in(packed: bytes) -> dict[str, bytes]:
    """Return what an archive holds, its last file first."""
    return {entry.name.path: content_of(entry) for entry in reversed(entries_in(packed))}


def unpacked(packed: bytes) -> bytes:
    return gzip.decompress(packed)


def a_header(size: bytes = b"0", *, kind: bytes = tarfile.REGTYPE, name: str = "a") -> bytes:
    """Return a member's header with this size and kind, its checksum right."""
    info = tarfile.TarInfo(name)
    info.type = kind
    header = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    header[124:136] = size.ljust(12, b"\0")
    checksum = sum(header[:148]) + 8 * 32 + sum(header[156:])
    header[148:156] = f"{checksum:06o}\0 ".encode()
    return bytes(header)


def an_extension(kind: bytes, content: bytes) -> bytes:
    """Return an extended header."""
    return a_header(f"{len(content):o}".encode(), kind=kind) + content + b"\0" * (-len(content) % 512)


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_file_is_read(format: int) -> None:
    assert files_in(tarred(FILES, format=format)) == FILES


def test_a_plain_tar_is_read_like_a_packed_one() -> None:
    entries = iter_tar(FileStream(io.BytesIO(unpacked(tarred(FILES)))), EVERYTHING)
    assert {entry.name.path: content_of(entry) for entry in entries} == FILES


def test_two_files_are_read_by_turns() -> None:
    large = {"a": b"".join(str(number).encode() for number in range(200_000)), "b": Random(1).randbytes(1_000_000)}
    first, second = (entry.open_stream for entry in entries_in(tarred(large)))
    assert first is not None
    assert second is not None
    one, other = first(), second()
    read = [(one.read(99_999), other.read(99_999)) for _ in range(12)]
    assert (b"".join(a for a, _ in read), b"".join(b for _, b in read)) == (large["a"][:1_199_988], large["b"])


@pytest.mark.parametrize("follows", [b"\0" * 1000, gzip.compress(b""), gzip.compress(b"\0" * 1024) + b"\0" * 300_000])
def test_parts_and_zeros_may_follow(follows: bytes) -> None:
    assert files_in(tarred(FILES) + follows) == FILES


def test_a_member_that_is_not_allowed_is_only_listed() -> None:
    entries = list(iter_tar(GzipStream(io.BytesIO(tarred(FILES))), AllowList(re.compile("(?P<file>actor.json)"))))
    assert [(entry.name.path, entry.open_stream is not None) for entry in entries] == [
        ("a/film.mp4", False),
        ("empty", False),
        ("actor.json", True),
    ]


def test_more_files_with_posts_than_any_export_has_are_refused() -> None:
    packed = tarred({str(number): b"" for number in range(KEPT_LIMIT + 1)})
    with pytest.raises(TooLarge, match="more than 500 files with posts"):
        entries_in(packed)


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_long_name_is_read(format: int) -> None:
    name = "twitter-2026-11-01-" + "0123456789abcdef" * 8 + "/möwe/data/tweets.js"
    assert files_in(tarred({name: b"x"}, format=format)) == {name: b"x"}


@pytest.mark.parametrize("record", [b"", b"9", b"9 path", b"99 path=b\n", b"0 path=b\n", b"x path=b\n", b"-1 path=b\n"])
def test_a_damaged_extension_says_nothing(record: bytes) -> None:
    packed = gzip.compress(an_extension(tarfile.XHDTYPE, record) + a_header() + END)
    assert files_in(packed) == {"a": b""}


def test_a_size_that_does_not_fit_the_header_is_read() -> None:
    packed = gzip.compress(an_extension(tarfile.XHDTYPE, b"10 size=3\n") + a_header() + b"abc" + b"\0" * 509 + END)
    assert files_in(packed) == {"a": b"abc"}


def test_links_and_folders_are_passed_by() -> None:
    kinds = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, b"V")
    headers = b"".join(a_header(kind=kind, name="outbox.json") for kind in kinds)
    assert files_in(gzip.compress(headers + unpacked(tarred(FILES)))) == FILES


@pytest.mark.parametrize(
    "packed",
    [tarred({"film.mp4": b"\0" * 200_000}), tarred({}) + tarred({"film.mp4": b"\0" * 1_000_000})],
    ids=["in a member", "behind the last member"],
)
def test_a_bomb_is_refused(packed: bytes) -> None:
    with pytest.raises(TooLarge, match="unpacks to more than 100000 bytes") as raised:
        entries_in(packed, largest=100_000)
    assert translate_damage(raised.value).reason is reasons.SOURCE_TOO_LARGE


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (b"\x80" + b"\xff" * 11, "unpacks to more than"),
        (b"\xff" + b"\xff" * 10 + b"\x01", "header is damaged"),
        (b"-0000000010\0", "header is damaged"),
        (b"0_10\0", "in the middle of a member"),
        (b"eight\0", "header is damaged"),
        (b"77777777777\0", "in the middle of a member"),
    ],
)
def test_a_header_that_claims_what_cannot_be_takes_no_memory(size: bytes, words: str) -> None:
    packed = gzip.compress(a_header(size))
    with little_memory(), pytest.raises(BROKEN, match=words):
        files_in(packed)


@pytest.mark.parametrize(
    "content",
    [
        b"1" * (EXTENSION_LIMIT + 1),
        b"1" * 9000,
        b"2 " * 2**19 + b"=",
        b"30 size=-5\n",
        b"22 GNU.sparse.map=0,9\n",
        b"\0" * 2**24,
    ],
    ids=["too long", "digits", "overlapping records", "a size below zero", "a sparse file", "zeros"],
)
@pytest.mark.parametrize(
    "kind",
    [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE],
)
def test_an_extended_header_is_passed_by(kind: bytes, content: bytes) -> None:
    """Python before 3.11.10 needs quadratic time or memory for the first two."""
    packed = gzip.compress(an_extension(kind, content) + unpacked(tarred(FILES)))
    with little_memory():
        assert list(files_in(packed).values()) == list(reversed(FILES.values()))


@pytest.mark.parametrize("header", [an_extension(tarfile.XGLTYPE, b"9 a=b\n"), a_header(name="b")])
def test_many_headers_take_no_memory(header: bytes) -> None:
    packed = gzip.compress(header * 3000 + unpacked(tarred(FILES)))
    names = AllowList(re.compile("(?P<file>a/film.mp4|empty|actor.json)"))
    with little_memory(2 * 1024**2):
        found = list(iter_tar(GzipStream(io.BytesIO(packed)), names))
    assert sum(entry.open_stream is not None for entry in found) == len(FILES)


@pytest.mark.parametrize("length", [0, 100, 512, 1000, 2048, 5000, 6656])
def test_an_archive_that_was_cut_before_it_was_packed_is_reported(length: int) -> None:
    whole = unpacked(tarred(FILES))
    with pytest.raises(EOFError) as raised:
        files_in(gzip.compress(whole[:length]))
    assert translate_damage(raised.value).reason is reasons.SOURCE_TRUNCATED


@pytest.mark.parametrize("length", [512, 1000, 2048, 5000, 6656])
def test_a_plain_tar_that_was_cut_is_reported(length: int) -> None:
    with pytest.raises(SpecRefused, match="it ends too early") as failure:
        open_export(io.BytesIO(unpacked(tarred(FILES))[:length]), re.compile("(?P<file>actor.json)"))
    assert failure.value.reason is reasons.SOURCE_TRUNCATED


@pytest.mark.parametrize("member", range(3))
def test_a_damaged_header_is_reported(member: int) -> None:
    damaged = bytearray(unpacked(tarred(FILES)))
    damaged[(0, 5632, 6144)[member] + 150] ^= 1
    with pytest.raises(ValueError, match="header is damaged"):
        files_in(gzip.compress(bytes(damaged)))
