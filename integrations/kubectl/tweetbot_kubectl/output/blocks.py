"""What there is to show, whatever shows it. No text in it can command a terminal."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Tone = Literal["", "good", "bad", "busy", "faint", "strong"]


def clean_text(text: str) -> str:
    """Return a text in one line, without what would command a terminal: others wrote it."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def shorten(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


@dataclass(frozen=True, slots=True)
class Text:
    """A text in one tone; a terminal draws `percent` as a bar before it."""

    text: str
    tone: Tone = ""
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. At a narrow terminal an `optional` one is left out, and one that `wraps` has more lines."""

    name: str
    numeric: bool = False
    wraps: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Lines of cells under the names of their columns."""

    columns: tuple[Column, ...]
    lines: tuple[tuple[Text, ...], ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """A label, and what belongs to it."""

    label: Text
    branches: tuple["Tree", ...] = ()


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading over what follows."""

    text: str


Block = Text | Table | Tree | Heading


def build_fields(fields: Iterable[tuple[str, Text | str | None]]) -> Table:
    """Return names and values in two columns without a header; values that are None or empty are left out."""
    known = ((name, value if isinstance(value, Text) else Text(value or "")) for name, value in fields)
    lines = tuple((Text(name, "faint"), value) for name, value in known if value and value.text)
    return Table((Column(""), Column("", wraps=True)), lines)
