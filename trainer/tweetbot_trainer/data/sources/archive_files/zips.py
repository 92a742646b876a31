"""The members of a zip.

Its table of contents is measured before zipfile loads it, which takes some 700 bytes per member.
"""

import io
import struct
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from tweetbot_contract import reasons
from tweetbot_trainer.data.sources.archive_files.entry import AllowList, Entry
from tweetbot_trainer.data.sources.archive_files.mac_zips import find_member
from tweetbot_trainer.data.sources.archive_files.refusals import (
    BROKEN,
    MEMBERS_LIMIT,
    UPLOAD_AGAIN,
    build_refusal,
)
from tweetbot_trainer.runtime.errors import SpecRefused

DIRECTORY_LIMIT = 32 * 1024**2
#: Exports are compressed 10 to 30 times; deflate's maximum is 1032.
RATIO_LIMIT = 200
RATIO_FREE = 1024**2
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: Methods of packing (APPNOTE 4.4.5) as programs name them.
_METHOD_NAMES = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd", 99: "AES"}
_LOCKED = 0x1
#: Records of the zip format (APPNOTE 4.3.12 to 4.3.16); a comment of at most 64 KiB may follow the last.
_END, _LOCATOR, _END_64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sLQL"), struct.Struct("<4sQ2H2L4Q")
_SHORT = _END.size + _LOCATOR.size + _END_64.size
_TAIL = _SHORT + 0xFFFF
_MEMBER, _MEMBER_SIZE = b"PK\x01\x02", 46


def iter_zip(file: BinaryIO, allowed: AllowList) -> Iterator[Entry]:
    """Yield the files of a zip; those that are not allowed are only listed.

    Raises SpecRefused: SourceTruncated, SourceIncomplete for a piece of a split zip, SourceTooLarge for too many
    members, SourceUnreadable.
    """
    members, gap = _read_directory(file)
    if members > MEMBERS_LIMIT:
        message = f"the zip has more than {MEMBERS_LIMIT} members, unlike any export"
        raise build_refusal(message, reasons.SOURCE_TOO_LARGE)
    if gap < 0:
        message = f"the zip lacks its first {-gap} bytes"
        raise build_refusal(message, reasons.SOURCE_TRUNCATED, advice=UPLOAD_AGAIN)
    try:
        archive = zipfile.ZipFile(file)
    except BROKEN as error:
        raise build_refusal(f"it is no readable zip ({error})", advice=UPLOAD_AGAIN) from error
    for info in archive.infolist():
        name = allowed.find(info.filename)
        if name and name.file:
            opener = partial(_open, archive, info, file, gap)
            yield Entry(name, info.file_size, info.CRC, opener, _find_problem(info))
        elif name:
            yield Entry(name)


def has_end(file: BinaryIO) -> bool:
    """Tell whether a file ends as a zip does, whatever it begins with: a program that unpacks it, for example."""
    size = file.seek(0, io.SEEK_END)
    tail, at = _read_tail(file, size, _TAIL)
    return 0 <= at <= len(tail) - _END.size and _END.unpack_from(tail, at)[7] == len(tail) - at - _END.size


def _open(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: BinaryIO, gap: int) -> BinaryIO:
    return archive.open(find_member(file, info, gap))  # type: ignore[return-value]  # typeshed: IO[bytes]


def _find_problem(info: zipfile.ZipInfo) -> SpecRefused | None:
    """Return why a member cannot be read."""
    if info.flag_bits & _LOCKED:
        message = f"{info.filename} in the zip is locked with a password"
        advice = "unpack it, and upload it packed without a password"
        return build_refusal(message, reasons.SOURCE_ENCRYPTED, advice=advice)
    if info.compress_type not in _METHODS:
        name = _METHOD_NAMES.get(info.compress_type, f"method {info.compress_type}")
        message = f"{info.filename} in the zip is packed by {name}, not by deflate"
        return build_refusal(message, advice="unpack it, and upload the folder packed as a usual zip, by Deflate")
    if info.file_size > max(RATIO_FREE, RATIO_LIMIT * info.compress_size):
        message = f"{info.filename} in the zip unpacks to {RATIO_LIMIT} times its size or more, unlike any export"
        return build_refusal(message, reasons.SOURCE_TOO_LARGE)
    return None


def _read_directory(file: BinaryIO) -> tuple[int, int]:
    """Measure the table of contents, which is right before the record that ends the zip.

    Returns the number of members, and how many bytes it lies behind the place that the record names.
    """
    size = file.seek(0, io.SEEK_END)
    tail, at = _read_tail(file, size, _SHORT)  # first without a comment: a longer tail reaches into the members
    if at != len(tail) - _END.size:
        tail, at = _read_tail(file, size, _TAIL)
    if not 0 <= at <= len(tail) - _END.size:
        raise _build_cut_refusal(file, size)
    _, disk, first_disk, _, _, length, offset, _ = _END.unpack_from(tail, at)
    if {disk, first_disk} - {0, 0xFFFF}:
        raise _build_split_refusal()
    at_64 = at - _LOCATOR.size - _END_64.size
    if at_64 >= 0 and tail.startswith(b"PK\x06\x06", at_64) and tail.startswith(b"PK\x06\x07", at - _LOCATOR.size):
        at, (length, offset) = at_64, _END_64.unpack_from(tail, at_64)[8:10]
    start = size - len(tail) + at - length
    if start < 0:
        raise build_refusal(
            "it is no readable zip (its table of contents is longer than the file)", advice=UPLOAD_AGAIN
        )
    if length > DIRECTORY_LIMIT:
        message = f"the zip's table of contents has {length} bytes; at most {DIRECTORY_LIMIT} are read"
        raise build_refusal(message, reasons.SOURCE_TOO_LARGE)
    file.seek(start)
    return _count_members(file.read(length)), start - offset


def _read_tail(file: BinaryIO, size: int, length: int) -> tuple[bytes, int]:
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


def _build_cut_refusal(file: BinaryIO, size: int) -> SpecRefused:
    file.seek(0)
    if file.read(4) == b"PK\x07\x08":
        return _build_split_refusal()
    message = f"it is a zip cut short: it ends after {size} bytes, without its table of contents"
    return build_refusal(message, reasons.SOURCE_TRUNCATED, advice=UPLOAD_AGAIN)


def _build_split_refusal() -> SpecRefused:
    message = "it is one piece of a zip that was split"
    advice = "join the pieces with `zip -s 0 export.zip --out whole.zip`, and upload the whole"
    return build_refusal(message, reasons.SOURCE_INCOMPLETE, advice=advice)
