"""Debian's fortunes as texts without their authors' names, and who that was where a file says it."""

import re
from collections.abc import Iterator
from pathlib import Path

from trial.fortunes import read_records

#: Files of one voice or one subject, and people with many sayings: accounts of the bench, and so no background.
FILES = ("definitions", "knghtbrd", "law", "love", "men-women", "people", "perl", "songs-poems", "startrek", "zippy")
PEOPLE = ("Ambrose Bierce", "Dave Barry", "Larry Wall in", "Lao Tse")
#: As long as a post may be, and long enough to have a style.
SHORTEST, LONGEST = 15, 400
_AUTHOR = re.compile(r"^\s*--\s*(?P<name>[^,\n(]*)")
_OVERSTRUCK = re.compile(".\x08")


def read_sayings(folder: Path, *names: str) -> Iterator[tuple[str, str | None, str]]:
    """Yield file, author and text of the sayings in the files of these names."""
    for record in read_records(folder):
        file = record["id"].rpartition("-")[0]
        if file in names:
            author, text = split_author(_OVERSTRUCK.sub("", record["text"]))
            if SHORTEST <= len(text) <= LONGEST:
                yield file, author, text


def split_author(text: str) -> tuple[str | None, str]:
    """Return the author that the last lines name, and the text without those lines."""
    lines, author = [line for line in text.split("\n") if line.strip()], None
    for index, line in enumerate(lines[1:], 1):
        if found := _AUTHOR.match(line):
            author, lines = found["name"].strip() or None, lines[:index]
            break
    return author, "\n".join(lines).strip()
