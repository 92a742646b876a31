"""The order of the pages, by reader and by what they are for: docs/contents.yaml."""

from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
FILE = ROOT / "docs" / "contents.yaml"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Pages of one kind for one reader, such as what one learns from; files are named from the repository's root."""

    title: str
    pages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads, by the name of their page, with their shelves in order."""

    name: str
    title: str
    lead: str
    shelves: tuple[Shelf, ...]


def read_contents() -> tuple[Reader, ...]:
    """Read the contents. `*` at the end of a page's name stands for all pages of a folder, in their order."""
    file = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(
        Reader(name, reader["title"], reader["lead"], tuple(_read_shelf(*each) for each in reader["pages"].items()))
        for name, reader in file.items()
    )


def list_pages() -> list[str]:
    """Return all pages that the contents name, in order."""
    return [page for reader in read_contents() for shelf in reader.shelves for page in shelf.pages]


def _read_shelf(title: str, names: list[str]) -> Shelf:
    return Shelf(title, tuple(page for name in names for page in _expand(name)))


def _expand(name: str) -> list[str]:
    if not name.endswith("*"):
        return [name]
    return [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob(f"{name}.md"))]
