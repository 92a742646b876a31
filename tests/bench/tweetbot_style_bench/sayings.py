"""Debian's fortunes as texts without the lines that name their authors."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from trial.fortunes import read_records

#: Files of one voice or one subject: accounts of the bench, and so no background.
FILES = ("definitions", "knghtbrd", "law", "love", "men-women", "people", "perl", "songs-poems", "startrek", "zippy")
#: As long as a post may be, and long enough to have a style.
SHORTEST, LONGEST = 15, 400
_AUTHOR = re.compile(r"^\s*--")
_OVERSTRUCK = re.compile(".\x08")


def read_sayings(folder: Path, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield file and text of the sayings in the files of these names."""
    wanted = frozenset(names)
    for record in read_records(folder):
        file = record["id"].rpartition("-")[0]
        text = cut_author(_OVERSTRUCK.sub("", record["text"]))
        if file in wanted and SHORTEST <= len(text) <= LONGEST:
            yield file, text


def cut_author(text: str) -> str:
    """Return the text up to the line that names its author."""
    lines = [line for line in text.split("\n") if line.strip()]
    end = next((index for index, line in enumerate(lines) if index and _AUTHOR.match(line)), len(lines))
    return "\n".join(lines[:end]).strip()
