"""The files of a .tar.gz, also of a hostile one."""

import gzip
import io
import tarfile
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from builders.mastodon import tarred
from tweetbot_contract import reasons
from tweetbot_trainer.data.sources.mastodon.export import BROKEN, translate_error
from tweetbot_trainer.data.sources.mastodon.tar_gz import TooLarge, iter_files

FILES = {"a/film.mp4": b"\0" * 5000, "empty": b"", "actor.json": b"{}"}
END = b"\0" * 1024


@contextmanager
def little_memory() -> Iterator[None]:
    """Allow a few buffers."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024**2
    finally:
        tracemalloc.stop()


def files_in(packed: bytes) -> dict[str, bytes]:
    """Return what an archive holds, read as the exports' readers do: never more at once than they expect."""
    files = iter_files(io.BytesIO(packed))
    return {name: b"".join(iter(partial(content.read, 8192), b"")) for name, _, content in files}


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


def test_a_file_need_not_be_read_to_its_end() -> None:
    assert [(name, content.read(3)) for name, _, content in iter_files(io.BytesIO(tarred(FILES)))] == [
        ("a/film.mp4", b"\0\0\0"),
        ("empty", b""),
        ("actor.json", b"{}"),
    ]


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
        list(iter_files(io.BytesIO(packed), largest=100_000))
    assert translate_error(raised.value).reason is reasons.SOURCE_TOO_LARGE


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (b"\x80" + b"\xff" * 11, "unpacks to more than"),
        (b"\xff" + b"\xff" * 10 + b"\x01", "header is damaged"),
        (b"-0000000010\0", "header is damaged"),
        (b"0_10\0", "ends in the middle"),
        (b"eight\0", "header is damaged"),
        (b"77777777777\0", "ends in the middle"),
    ],
)
def test_a_header_that_claims_what_cannot_be_takes_no_memory(size: bytes, words: str) -> None:
    packed = gzip.compress(a_header(size))
    with little_memory(), pytest.raises(BROKEN, match=words):
        files_in(packed)


@pytest.mark.parametrize(
    "content",
    [b"1" * 2**20, b"2 " * 2**19 + b"=", b"30 size=-5\n", b"22 GNU.sparse.map=0,9\n", b"\0" * 2**24],
    ids=["digits", "overlapping records", "a size below zero", "a sparse file", "zeros"],
)
@pytest.mark.parametrize(
    "kind",
    [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE],
)
def test_an_extended_header_is_passed_by(kind: bytes, content: bytes) -> None:
    """Python before 3.11.10 needs quadratic time or memory for the first two."""
    packed = gzip.compress(an_extension(kind, content) + unpacked(tarred(FILES)))
    with little_memory():
        assert files_in(packed) == FILES


@pytest.mark.parametrize("header", [an_extension(tarfile.XGLTYPE, b"9 a=b\n"), a_header(name="b")])
def test_many_headers_take_no_memory(header: bytes) -> None:
    packed = gzip.compress(header * 20_000 + unpacked(tarred(FILES)))
    with little_memory():
        assert sum(name in FILES for name, _, _ in iter_files(io.BytesIO(packed))) == len(FILES)


@pytest.mark.parametrize("length", [0, 100, 512, 1000, 2048, 5000, 6656])
def test_an_archive_that_was_cut_before_it_was_packed_is_reported(length: int) -> None:
    whole = unpacked(tarred(FILES))
    with pytest.raises(EOFError) as raised:
        files_in(gzip.compress(whole[:length]))
    assert translate_error(raised.value).reason is reasons.SOURCE_TRUNCATED


@pytest.mark.parametrize("member", range(3))
def test_a_damaged_header_is_reported(member: int) -> None:
    damaged = bytearray(unpacked(tarred(FILES)))
    damaged[(0, 5632, 6144)[member] + 150] ^= 1
    with pytest.raises(ValueError, match="header is damaged"):
        files_in(gzip.compress(bytes(damaged)))
