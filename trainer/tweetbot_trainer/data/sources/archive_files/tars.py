"""The members of a tar, read as a stream: nothing is extracted.

tarfile would load extended headers whole, and Python before 3.11.10 parses them in quadratic time. Here they are read
up to 64 KiB, for the name and the size alone.
"""

import tarfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO

from tweetbot_trainer.data.sources.archive_files.entry import AllowList, Entry, Name
from tweetbot_trainer.data.sources.archive_files.refusals import MEMBERS_LIMIT, TooLarge
from tweetbot_trainer.data.sources.archive_files.streams import UNPACKED_LIMIT, Stream, open_section

BLOCK = 512
_CHUNK = 1024 * 1024
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
#: Members without content, whatever size their header names.
_EMPTY = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_EXTENSIONS = (*_PAX, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
EXTENSION_LIMIT = 64 * 1024
#: Each member that may be opened keeps its position in the stream, some 100 KB.
KEPT_LIMIT = 500


def is_tar(block: bytes) -> bool:
    """Tell whether a file that begins with this block is a tar, perhaps an empty or a damaged one."""
    if len(block) < BLOCK:
        return False
    if block[257:262] == b"ustar" or not any(block):
        return True
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def iter_tar(stream: Stream, allowed: AllowList, *, largest: int = UNPACKED_LIMIT) -> Iterator[Entry]:
    """Yield the files of a tar; those that are not allowed are only listed. Raises one of BROKEN."""
    kept = 0
    for number, (raw, size, is_file) in enumerate(_iter_members(stream, largest)):
        name = allowed.find(raw) if is_file else None
        if name and name.file:
            kept += 1
            yield _read_entry(stream, name, size)
        else:
            stream.skip(size)
        if name and not name.file:
            yield Entry(name)
        if kept > KEPT_LIMIT or number >= MEMBERS_LIMIT:
            raise TooLarge(f"it holds more than {KEPT_LIMIT} files with posts, or {MEMBERS_LIMIT} in all")
        stream.skip(-size % BLOCK)


def _iter_members(stream: Stream, largest: int) -> Iterator[tuple[str, int, bool]]:
    """Yield name, size of the content that follows, and whether it is a file; read the content before the next."""
    extension = _Extension()
    while any(block := _read(stream, BLOCK)):
        header = _parse_header(block)
        size = 0 if header.type in _EMPTY else extension.size or header.size
        if stream.position + size > largest:
            raise TooLarge(f"it unpacks to more than {largest} bytes")
        if header.type in _EXTENSIONS:
            extension.read(header.type, stream, size)
        else:
            name, extension = extension.name or header.name, _Extension()
            yield name, size, header.type in _FILES
    while stream.read(_CHUNK):  # notices a gzip file that was cut or damaged after its last member
        pass


class _Extension:
    """What extended headers say about the member after them."""

    def __init__(self) -> None:
        self.name, self.size = "", 0

    def read(self, kind: bytes, stream: Stream, size: int) -> None:
        """Read a header of one of these kinds; one that is long or damaged says nothing."""
        if size > EXTENSION_LIMIT:
            stream.skip(size)
        elif kind == tarfile.GNUTYPE_LONGNAME:
            self.name = _decode(_read(stream, size).partition(b"\0")[0])
        elif kind in _PAX:
            fields = _parse_pax(_read(stream, size))
            self.name = _decode(fields.get(b"path", b"")) or self.name
            length = fields.get(b"size", b"")
            self.size = int(length) if length.isdigit() and len(length) < 20 else self.size
        else:
            stream.skip(size)
        stream.skip(-size % BLOCK)


def _parse_pax(content: bytes) -> dict[bytes, bytes]:
    """Return the fields of lines such as `19 path=outbox.json`, up to the first damaged one."""
    fields, at = {}, 0
    while at < len(content):
        length = content[at : at + 8].partition(b" ")[0]
        end = at + int(length) if length.isdigit() else at
        if not at + len(length) + 1 < end <= len(content):
            break
        key, _, value = content[at + len(length) + 1 : end - 1].partition(b"=")
        fields[key] = value
        at = end
    return fields


def _parse_header(block: bytes) -> tarfile.TarInfo:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise ValueError("a member's header is damaged") from error
    if header.size < 0:
        raise ValueError("a member's header is damaged")
    return header


def _read_entry(stream: Stream, name: Name, size: int) -> Entry:
    open_again, checksum, left = stream.mark(), 0, size
    while left:
        data = _read(stream, min(left, _CHUNK))
        checksum = zlib.crc32(data, checksum)
        left -= len(data)
    return Entry(name, size, checksum, partial(_open, open_again, size))


def _open(open_again: Callable[[], Stream], size: int) -> BinaryIO:
    return open_section(open_again(), size)


def _read(stream: Stream, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("in the middle of a member")
    return data


def _decode(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
