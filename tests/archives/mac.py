"""Zips over 4 GiB as macOS writes them: sizes and places modulo 4 GiB, in files that are mostly holes."""

import io
import struct
import zlib
from typing import BinaryIO, cast

from archives.writing import Members

WRAP = 2**32
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
#: Bits of a member's flags: sizes follow the content, the name is UTF-8.
_FLAGS = 0x8 | 0x800


class HoleyFile(io.RawIOBase):
    """A file of which only some pieces are not zeros."""

    def __init__(self, pieces: dict[int, bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._size = max(start + len(piece) for start, piece in pieces.items())
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read the next bytes."""
        end = min(self._at + len(buffer), self._size)
        buffer[: end - self._at] = bytes(end - self._at)
        for start, piece in self._pieces.items():
            first, last = max(start, self._at), min(start + len(piece), end)
            if first < last:
                buffer[first - self._at : last - self._at] = piece[first - start : last - start]
        length, self._at = end - self._at, end
        return length


def make_mac_zip(members: Members, places: dict[str, int], *, decoys: dict[int, str] | None = None) -> BinaryIO:
    """Make a zip whose members lie at these places; `decoys` are places and names of headers that mislead."""
    pieces, directory = {place: _build_header(name, b"", 0) for place, name in (decoys or {}).items()}, b""
    for name, content in members.items():
        packed, checksum = _pack(content), zlib.crc32(content)
        descriptor = struct.pack("<4s3L", b"PK\x07\x08", checksum, len(packed), len(content))
        pieces[places[name]] = _build_header(name, packed, checksum) + descriptor
        sizes = (checksum, len(packed), len(content), len(name), 0, 0, 0, 0, 0, places[name] % WRAP)
        directory += _CENTRAL.pack(b"PK\x01\x02", 0x315, 20, _FLAGS, 8, 0, 0x21, *sizes) + name.encode()
    start = max(place + len(piece) for place, piece in pieces.items())
    end = _END.pack(b"PK\x05\x06", 0, 0, len(members), len(members), len(directory), start % WRAP, 0)
    return cast(BinaryIO, io.BufferedReader(HoleyFile(pieces | {start: directory + end})))


def _build_header(name: str, packed: bytes, checksum: int) -> bytes:
    """Build a member's header, which leaves the sizes to what follows the content, and the content."""
    return _LOCAL.pack(b"PK\x03\x04", 20, _FLAGS, 8, 0, 0x21, 0, 0, 0, len(name), 0) + name.encode() + packed


def _pack(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()
