"""Imports of packages as large as torch."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def skip_garbage_collection() -> Iterator[None]:
    """Import large packages without garbage collection, and never look through what they made again.

    torch makes 300,000 objects, which stay; looking for garbage among them takes a sixth of its import.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
