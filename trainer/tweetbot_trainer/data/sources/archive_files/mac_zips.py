"""Zips over 4 GiB as macOS writes them (Finder's Compress, ditto): without the records for large files.

Sizes and places in them are those modulo 4 GiB, so a member may lie at one of several places. It is read where exactly
one of them has a header of its name; its checksum, which zipfile compares, has the last word.
"""

import io
import struct
import zipfile
from typing import BinaryIO

from tweetbot_trainer.data.sources.archive_files.refusals import build_refusal

_WRAP = 2**32
#: Header of a member before its content (APPNOTE 4.3.7): signature, version, flags, method, 18 bytes, two lengths.
_HEADER = struct.Struct("<4s3H16x2H")
_UTF8 = 0x800


def find_member(file: BinaryIO, info: zipfile.ZipInfo, gap: int) -> zipfile.ZipInfo:
    """Return the member with its true place.

    `gap` is how far the table of contents lies behind the place that the zip names. Raises SpecRefused.
    """
    if gap <= 0 or gap % _WRAP:
        return info
    size = file.seek(0, io.SEEK_END)
    places = range(info.header_offset - gap, size, _WRAP)
    found = [place for place in places if _is_header(file, place, info)]
    if len(found) != 1:
        message = "the zip has more than 4 GiB and was packed by macOS, whose zips of that size do not say where "
        message += f"{info.filename} lies"
        advice = "unpack it, and pack the folder in the Terminal with `zip -r export.zip folder`"
        raise build_refusal(message, advice=advice)
    return _copy_info(info, found[0])


def _is_header(file: BinaryIO, place: int, info: zipfile.ZipInfo) -> bool:
    file.seek(place)
    header = file.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return False
    signature, _, flags, method, length, _ = _HEADER.unpack(header)
    if signature != b"PK\x03\x04" or method != info.compress_type:
        return False
    return file.read(length) == info.orig_filename.encode("utf-8" if flags & _UTF8 else "cp437")


def _copy_info(info: zipfile.ZipInfo, place: int) -> zipfile.ZipInfo:
    copied = zipfile.ZipInfo(info.orig_filename)
    copied.header_offset, copied.CRC, copied.flag_bits = place, info.CRC, info.flag_bits
    copied.compress_size, copied.file_size, copied.compress_type = (
        info.compress_size,
        info.file_size,
        info.compress_type,
    )
    return copied
