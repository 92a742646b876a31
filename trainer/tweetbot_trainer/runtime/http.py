"""Reads HTTP answers within limits of size and time."""

import time
from collections.abc import Callable

_CHUNK = 64 * 1024


def read_bounded(read1: Callable[[int], bytes], *, largest: int, longest: float) -> bytes:
    """Read a whole answer by a `read1`, which returns what has arrived, so that a trickle meets its deadline, too.

    Raises TimeoutError after `longest` seconds, and ValueError above `largest` bytes.
    """
    content, deadline = bytearray(), time.monotonic() + longest
    while chunk := read1(_CHUNK):
        content += chunk
        if len(content) > largest:
            raise ValueError(f"more than {largest} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError(f"not whole after {longest:.0f} seconds")
    return bytes(content)
