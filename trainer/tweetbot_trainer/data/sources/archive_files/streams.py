"""Files and gzip streams that are read forwards, and to whose positions one can return.

A gzip stream can only be unpacked from its beginning. Here a position keeps the decoder's state (some 40 KB), so that a
member is read again without what lies before it.
"""

import io
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from tweetbot_trainer.data.sources.archive_files.refusals import TooLarge

#: Bytes that are read, and that are unpacked, at a time. A position keeps at most one piece.
_CHUNK, _PIECE = 256 * 1024, 64 * 1024
#: zlib's number for a gzip header and the largest window.
_GZIP = 16 + zlib.MAX_WBITS
#: An export with photos and videos may have some gigabytes; anything beyond this is taken for a bomb.
UNPACKED_LIMIT = 32 * 1024**3


class Stream(Protocol):
    """Bytes in their order; `position` is the index of the next."""

    position: int

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer only at the end. Raises one of BROKEN."""

    def skip(self, size: int) -> None:
        """Go on behind the next bytes, where the next read may find the end. Raises one of BROKEN."""

    def mark(self) -> Callable[[], "Stream"]:
        """Return what opens another stream at the position of now."""


class FileStream:
    """A file from a position on."""

    def __init__(self, file: BinaryIO, position: int = 0) -> None:
        self._file, self.position = file, position

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        self._file.seek(self.position)
        data = self._file.read(size)
        self.position += len(data)
        return data

    def skip(self, size: int) -> None:
        """Go on behind the next bytes, unread."""
        self.position += size

    def mark(self) -> Callable[[], Stream]:
        """Return what opens the file at this position."""
        position = self.position
        return lambda: FileStream(self._file, position)


class GzipStream:
    """The unpacked bytes of a gzip file of one or several parts; zeros may follow, as tapes have them."""

    def __init__(self, packed: BinaryIO, *, largest: int = UNPACKED_LIMIT) -> None:
        self._packed, self._largest, self.position = packed, largest, 0
        self._decoder = zlib.decompressobj(_GZIP)
        self._at, self._input, self._output, self._taken = 0, b"", b"", 0

    def read(self, size: int) -> bytes:
        """Return the next bytes. Raises EOFError if the file is cut, zlib.error if it is damaged, TooLarge."""
        return b"".join(self._take(size))

    def skip(self, size: int) -> None:
        """Unpack the next bytes and forget them."""
        for _ in self._take(size):
            pass

    def mark(self) -> Callable[[], Stream]:
        """Return what unpacks from this position on."""
        at, decoder, output = self._at - len(self._input), self._decoder.copy(), self._output[self._taken :]
        position = self.position

        def open_again() -> Stream:
            stream = GzipStream(self._packed, largest=self._largest)
            stream._at, stream._decoder, stream._output = at, decoder.copy(), output
            stream.position = position
            return stream

        return open_again

    def _take(self, size: int) -> Iterator[bytes]:
        while size and (self._taken < len(self._output) or self._unpack()):
            part = self._output[self._taken : self._taken + size]
            self._taken += len(part)
            self.position += len(part)
            size -= len(part)
            yield part

    def _unpack(self) -> bool:
        """Unpack the next piece; False at the end."""
        self._output, self._taken = b"", 0
        while not self._output:
            if not self._input:
                self._load()
            at_end = not self._input
            if self._decoder.eof and not self._begin_part(at_end=at_end):
                return False
            self._output = self._decoder.decompress(self._input, _PIECE)
            self._input = self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail
            if at_end and not self._output and not self._decoder.eof:
                raise EOFError("in the middle of its content")
        if self.position + len(self._output) > self._largest:
            raise TooLarge(f"it unpacks to more than {self._largest} bytes")
        return True

    def _begin_part(self, *, at_end: bool) -> bool:
        """Begin the next part of the file, behind zeros; False if there is not one."""
        self._input = self._input.lstrip(b"\0")
        while not self._input and not at_end:
            at_end = not self._load()
            self._input = self._input.lstrip(b"\0")
        if self._input:
            self._decoder = zlib.decompressobj(_GZIP)
        return bool(self._input)

    def _load(self) -> int:
        self._packed.seek(self._at)
        self._input = self._packed.read(_CHUNK)
        self._at += len(self._input)
        return len(self._input)


def open_section(stream: Stream, size: int) -> BinaryIO:
    """Return the next bytes of a stream as a file."""
    return io.BufferedReader(_Section(stream, size), _PIECE)


class _Section(io.RawIOBase):
    def __init__(self, stream: Stream, size: int) -> None:
        super().__init__()
        self._stream, self._left = stream, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._left)
        data = self._stream.read(wanted)
        if len(data) < wanted:
            raise EOFError("in the middle of a member")
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)
