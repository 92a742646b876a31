"""Opening an export's zip, with a reason of its own for each kind that cannot be read.

The table of contents is measured before zipfile loads it, which takes some 700 bytes per member.
"""

import io
import struct
import zipfile
import zlib
from typing import IO

from tweetbot_contract import reasons
from tweetbot_contract.reasons import Reason
from tweetbot_trainer.runtime.errors import SpecRefused

#: What zipfile, zlib and our own readers raise for a damaged zip or member.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
#: An export has one member per photo, and 6,000 for its own pages.
MEMBERS_LIMIT = 200_000
DIRECTORY_LIMIT = 32 * 1024**2
AS_DOWNLOADED = "upload the export as it was downloaded"
#: Records of the zip format (APPNOTE 4.3.12 to 4.3.16); a comment of at most 64 KiB may follow the last.
_END, _LOCATOR, _END_64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sLQL"), struct.Struct("<4sQ2H2L4Q")
_SHORT = _END.size + _LOCATOR.size + _END_64.size
_TAIL = _SHORT + 0xFFFF
_MEMBER, _MEMBER_SIZE = b"PK\x01\x02", 46


def build_refusal(
    message: str, reason: Reason = reasons.SOURCE_UNREADABLE, *, advice: str = AS_DOWNLOADED
) -> SpecRefused:
    """Return the refusal of a file that is no readable export: what is wrong, and what to do."""
    return SpecRefused(reason, f"{message}; {advice}")


def open_zip(file: IO[bytes], uri: str) -> zipfile.ZipFile:
    """Open the zip of an export.

    Raises SpecRefused: SourceTruncated, SourceIncomplete for a piece of a split zip, SourceTooLarge for too many
    members, SourceNotAnExport for a web page, SourceUnreadable.
    """
    members = _count_members(_read_directory(file, uri))
    if members > MEMBERS_LIMIT:
        message = f"{uri}: the zip has more than {MEMBERS_LIMIT} members, unlike any export"
        raise build_refusal(message, reasons.SOURCE_TOO_LARGE)
    try:
        return zipfile.ZipFile(file)
    except (*BROKEN, IndexError) as error:
        raise build_refusal(f"{uri}: it is no readable zip ({error})") from error


def _read_directory(file: IO[bytes], uri: str) -> bytes:
    """Return the bytes of the table of contents, which is right before the record that ends the zip."""
    size = file.seek(0, io.SEEK_END)
    tail, at = _read_tail(file, size, _SHORT)  # first without a comment: a longer tail reaches into the members
    if at != len(tail) - _END.size:
        tail, at = _read_tail(file, size, _TAIL)
    if not 0 <= at <= len(tail) - _END.size:
        raise _build_no_zip_refusal(file, size, uri)
    _, disk, first_disk, _, _, length, _, _ = _END.unpack_from(tail, at)
    if {disk, first_disk} - {0, 0xFFFF}:
        raise _build_split_refusal(uri)
    at_64 = at - _LOCATOR.size - _END_64.size
    if at_64 >= 0 and tail.startswith(b"PK\x06\x06", at_64) and tail.startswith(b"PK\x06\x07", at - _LOCATOR.size):
        at, length = at_64, _END_64.unpack_from(tail, at_64)[8]
    start = size - len(tail) + at - length
    if start < 0:
        raise build_refusal(f"{uri}: it is no readable zip (its table of contents is longer than the file)")
    if length > DIRECTORY_LIMIT:
        message = f"{uri}: the zip's table of contents has {length} bytes; at most {DIRECTORY_LIMIT} are read"
        raise build_refusal(message, reasons.SOURCE_TOO_LARGE)
    file.seek(start)
    return file.read(length)


def _read_tail(file: IO[bytes], size: int, length: int) -> tuple[bytes, int]:
    """Return the last bytes of the file, and the index in them of the record that ends the zip, -1 without one."""
    file.seek(max(0, size - length))
    tail = file.read(length)
    return tail, tail.rfind(b"PK\x05\x06")


def _count_members(directory: bytes) -> int:
    members = at = 0
    while at + _MEMBER_SIZE <= len(directory) and directory.startswith(_MEMBER, at) and members <= MEMBERS_LIMIT:
        at += _MEMBER_SIZE + sum(struct.unpack_from("<3H", directory, at + 28))
        members += 1
    return members


def _build_no_zip_refusal(file: IO[bytes], size: int, uri: str) -> SpecRefused:
    file.seek(0)
    head = file.read(512)
    if head.startswith(b"PK\x03\x04"):
        message = f"{uri}: it is a zip cut short: it ends after {size} bytes, without its table of contents"
        advice = "compare its size with the file that you downloaded, and upload it again"
        return build_refusal(message, reasons.SOURCE_TRUNCATED, advice=advice)
    if head.startswith(b"PK\x07\x08"):
        return _build_split_refusal(uri)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype", b"<html")):
        return build_refusal(f"{uri}: it is a web page, not a zip", reasons.SOURCE_NOT_AN_EXPORT)
    return build_refusal(f"{uri}: it is no readable zip ({size} bytes, begins with {head[:8].hex(' ') or 'nothing'})")


def _build_split_refusal(uri: str) -> SpecRefused:
    message = f"{uri}: it is one piece of a zip that was split"
    advice = "join the pieces with `zip -s 0 export.zip --out whole.zip`, and upload the whole"
    return build_refusal(message, reasons.SOURCE_INCOMPLETE, advice=advice)
