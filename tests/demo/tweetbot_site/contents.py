"""The order of the pages, by reader and by what they are for: docs/contents.yaml."""

from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
FILE = ROOT / "docs" / "contents.yaml"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Pages of one kind for one reader, such as what one learns from, and folders of pages, named from the root."""

    title: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads, by the name of their page, with their shelves in order."""

    name: str
    title: str
    lead: str
    shelves: tuple[Shelf, ...]


def read_contents() -> tuple[Reader, ...]:
    """Read the contents."""
    file = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(
        Reader(name, reader["title"], reader["lead"], tuple(Shelf(*each) for each in reader["pages"].items()))
        for name, reader in file.items()
    )


def list_pages() -> list[str]:
    """Return all pages that the contents name, in order."""
    names = (name for reader in read_contents() for shelf in reader.shelves for name in shelf.names)
    return [page for name in names for page in list_folder(name) or [name]]


def list_folder(name: str) -> list[str]:
    """Return the pages of a folder, in their order; of a page none."""
    return [str(path.relative_to(ROOT)) for path in sorted((ROOT / name).glob("*.md"))]
