"""What the readers of zips and tars yield."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from tweetbot_trainer.data.sources.archive_files.names import normalize_name
from tweetbot_trainer.runtime.errors import SpecRefused


@dataclass(frozen=True, slots=True)
class Name:
    """A file's name: `path` as it is compared, and `file`, its name in the allow-list, None if it is not in there."""

    path: str
    file: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive; without `open_stream` it is only listed.

    `checksum` is the crc32 of its content. `problem` says why it cannot be read.
    """

    name: Name
    size: int = 0
    checksum: int = 0
    open_stream: Callable[[], BinaryIO] | None = None
    problem: SpecRefused | None = None


class AllowList:
    """Names that may be opened: a pattern of whole paths in lower case, with the group `file`."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern

    def find(self, raw: str) -> Name | None:
        """Return the name of a file; None for folders and for what systems add by themselves."""
        path = normalize_name(raw)
        if path is None:
            return None
        match = self._pattern.fullmatch(path.lower())
        return Name(path, match["file"] if match else None)
