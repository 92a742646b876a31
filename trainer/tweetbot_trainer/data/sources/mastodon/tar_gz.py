"""The files of a .tar.gz, read as a stream: nothing is extracted."""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Self, cast

#: An export with photos and videos may have some gigabytes; anything beyond this is taken for a bomb.
UNPACKED_LIMIT = 32 * 1024**3
#: What readers raise for a damaged file; EOFError means that it ends too early.
BROKEN = (gzip.BadGzipFile, tarfile.ReadError, zlib.error, EOFError, ValueError)
_CHUNK = 1024 * 1024
_EXTENDED = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.GNUTYPE_SPARSE),
)
#: A type that tarfile does not know, and therefore skips.
_UNKNOWN = b"?"


class TooLarge(ValueError):
    """The archive unpacks to more than is read."""


def iter_files(packed: BinaryIO, *, largest: int = UNPACKED_LIMIT) -> Iterator[tuple[str, int, BinaryIO]]:
    """Yield name, size and content of each regular file; read a content before asking for the next file.

    Raises one of BROKEN, at once or while a content is read.
    """
    with (
        _Unpacked(fileobj=packed) as unpacked,
        tarfile.open(fileobj=unpacked, mode="r:", tarinfo=_PlainHeader) as archive,
    ):
        for member in archive:
            if member.offset_data + member.size > largest:
                raise TooLarge(f"it unpacks to more than {largest} bytes")
            if member.isfile() and (content := archive.extractfile(member)):
                yield member.name, member.size, cast(BinaryIO, content)
            archive.members.clear()  # type: ignore[attr-defined]  # it would remember every header
        while unpacked.read1(_CHUNK):  # notices a file that was cut after its last member
            if unpacked.tell() > largest:
                raise TooLarge(f"it unpacks to more than {largest} bytes")


class _Unpacked(gzip.GzipFile):
    """A gzip file that must hold as much as tarfile asks for: an archive ends with zeros, never with its file."""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if size and len(data) < size:
            raise EOFError("it ends in the middle of a member")
        return data


class _PlainHeader(tarfile.TarInfo):
    """A member by its plain header, which has room for the names that are read here.

    Extended headers are skipped: tarfile loads them whole, and Python before 3.11.10 parses them in quadratic time.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if any(buf):
                raise ValueError("a member's header is damaged") from error
            raise  # a block of zeros, which ends the archive
        if header.size < 0:
            raise ValueError("a member's header is damaged")
        header.type = _UNKNOWN if header.type in _EXTENDED else header.type
        return header
