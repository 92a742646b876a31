"""The files of a .tar.gz, one after the other, nothing extracted and nothing kept.

tarfile reads a member's extended header into memory whatever size it claims to have; the few names that are wanted fit
the plain header, so extended ones are passed by.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO

BLOCK = 512
#: With photos and films an export may have some gigabytes; beyond this it is taken for a bomb.
UNPACKED_LIMIT = 32 * 1024**3
#: What gzip raises where a file is damaged; EOFError where it ends too early.
BROKEN = (gzip.BadGzipFile, zlib.error, EOFError, ValueError)
_CHUNK = 1024 * 1024
_REGULAR = (b"0", b"\0")


class TooLarge(ValueError):
    """The archive unpacks to more than is read."""


def iter_files(packed: BinaryIO, *, largest: int = UNPACKED_LIMIT) -> Iterator[tuple[str, int, io.BufferedReader]]:
    """Yield name, size and content of each regular file; a content can be read until the next file is asked for.

    Raises one of BROKEN, at once or while a content is read.
    """
    with gzip.GzipFile(fileobj=packed) as unpacked:
        while header := _read_header(unpacked):
            name, size, kind = header
            if unpacked.tell() + size > largest:
                raise TooLarge(f"it unpacks to more than {largest} bytes")
            member = _Member(unpacked, size)
            if kind in _REGULAR:
                yield name, size, io.BufferedReader(member, _CHUNK)
            member.skip()
            _read_exactly(unpacked, -size % BLOCK)
        while unpacked.read(_CHUNK):  # so that a file cut behind its last member is noticed, too
            if unpacked.tell() > largest:
                raise TooLarge(f"it unpacks to more than {largest} bytes")


class _Member(io.RawIOBase):
    """The content of one file."""

    def __init__(self, unpacked: gzip.GzipFile, size: int) -> None:
        super().__init__()
        self._unpacked, self._left = unpacked, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._unpacked.read(min(len(buffer), self._left))
        if not data and self._left and len(buffer):
            raise EOFError("it ends in the middle of a file")
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def skip(self) -> None:
        while self._left:
            self._left -= len(_read_exactly(self._unpacked, min(self._left, _CHUNK)))


def _read_header(unpacked: gzip.GzipFile) -> tuple[str, int, bytes] | None:
    """Return name, size and kind of the next member; None at the archive's end, which a block of zeros marks."""
    block = _read_exactly(unpacked, BLOCK)
    if not block.strip(b"\0"):
        return None
    if _parse_octal(block[148:156]) != sum(block[:148]) + 8 * 0x20 + sum(block[156:]):
        raise ValueError("a member's header is damaged")
    prefix, name = _decode_name(block[345:500]) if block.startswith(b"ustar\0", 257) else "", _decode_name(block[:100])
    return f"{prefix}/{name}" if prefix else name, _parse_octal(block[124:136]), block[156:157]


def _parse_octal(field: bytes) -> int:
    if field[0] & 0x80:
        raise ValueError("a member has more than 8 GiB")
    digits = field.strip(b"\0 ") or b"0"
    if not digits.isdigit():
        raise ValueError("a member's header is damaged")  # int() would take a sign as well, and no size is below 0
    return int(digits, 8)


def _decode_name(field: bytes) -> str:
    return field.partition(b"\0")[0].decode(errors="replace")


def _read_exactly(unpacked: gzip.GzipFile, length: int) -> bytes:
    found = unpacked.read(length)
    while len(found) < length:
        more = unpacked.read(length - len(found))
        if not more:
            raise EOFError("it ends in the middle of a member")
        found += more
    return found
