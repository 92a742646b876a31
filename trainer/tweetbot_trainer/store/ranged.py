"""Read a remote object as if it were a file, by ranges."""

import io
from collections.abc import Callable

#: Least bytes per request: enough to hide the round trip, little compared with a Pod's memory.
READ_AHEAD = 4 * 1024 * 1024


class RangedFile(io.RawIOBase):
    """A seekable read-only file; `fetch(start, end)` returns the bytes from start up to, not including, end.

    After a broken connection only one range is fetched again.
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        super().__init__()
        self._size, self._fetch, self._position = size, fetch, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError(22, "negative position")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        end = min(self._position + len(buffer), self._size)
        if end <= self._position:
            return 0
        data = self._fetch(self._position, end)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def open_ranged_file(size: int, fetch: Callable[[int, int], bytes]) -> io.BufferedReader:
    """Open an object as a buffered file with read-ahead."""
    return io.BufferedReader(RangedFile(size, fetch), buffer_size=READ_AHEAD)
