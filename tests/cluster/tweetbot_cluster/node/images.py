"""Images by name: what stands in for an image's content is a folder that is put first on PATH."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

PROGRAMS = Path(sys.executable).parent  # the environment that this project is installed in
PLAIN = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TABLE: Mapping[str, Path | None] = {
    "tweetbot-trainer*": PROGRAMS,
    "tweetbot-operator*": PROGRAMS,
    "python*": PROGRAMS,
    "busybox*": None,
    "alpine*": None,
    "debian*": None,
    "sh": None,
}


class ImageMissing(Exception):
    """No pattern of the table matches the image's name."""


def search_path(image: str, additions: Mapping[str, Path]) -> str:
    """Return PATH for an image; `additions` go before the table. Raises ImageMissing."""
    name = short_name(image)
    for pattern, folder in (*additions.items(), *TABLE.items()):
        if fnmatchcase(name, pattern):
            return f"{folder}:{PLAIN}" if folder else PLAIN
    raise ImageMissing(f'failed to resolve reference "{image}": not found in the process node\'s command table')


def short_name(image: str) -> str:
    """Return the last part of an image's name, without registry, tag and digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def read_additions(file: Path) -> dict[str, Path]:
    """Return the additions that the cluster was started with; none if it wrote no file."""
    if not file.exists():
        return {}
    return {pattern: Path(folder) for pattern, folder in json.loads(file.read_text()).items()}
