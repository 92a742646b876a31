"""What the readers of zips and tars yield."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from tweetbot_trainer.runtime.errors import SpecRefused


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive under the name that it has there; without `open_stream` it is only listed.

    `checksum` is the crc32 of its content. `problem` says why it cannot be read.
    """

    name: str
    size: int = 0
    checksum: int = 0
    open_stream: Callable[[], BinaryIO] | None = None
    problem: SpecRefused | None = None
