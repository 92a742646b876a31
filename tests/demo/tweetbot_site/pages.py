"""Where the site has each file of the repository, and how links find it there."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tweetbot_site.contents import ROOT, list_pages

#: What a browser should save rather than show; other files that pages link to become pages themselves.
RAW = {".ipynb", ".json", ".png", ".svg"}
_LINK = re.compile(r'(?<=\]\()(?P<markdown>[^)\s]+)(?=\))|(?<=<img src=")(?P<html>[^"]+)(?=")')
_FENCE = re.compile(r"^\s*(```|~~~)")


def place(name: str) -> str:
    """Return the place in the site of a file or folder of the repository.

    Pages of docs keep their places, so that what a release's alerts link to stays where it was.
    """
    match name.split("/"):
        case ["README.md"]:
            return "index.md"
        case ["charts", _, "README.md"]:
            return "chart.md"
        case [single] if single.endswith(".md"):
            return f"project/{single.lower().replace('_', '-')}"
        case ["docs", *rest]:
            return _place_page("/".join(rest))
        case _:
            return _place_source(name)


def _place_page(name: str) -> str:
    path = name.removesuffix("README.md") + "index.md" if name.endswith("/README.md") else name
    return path if Path(path).suffix else f"{path}/index.md"


def _place_source(name: str) -> str:
    if (ROOT / name).is_dir():
        return f"source/{name}/index.md"
    suffix = Path(name).suffix
    return f"source/{name}" if suffix in RAW | {".md"} else f"source/{name}.md"


def is_page(name: str) -> bool:
    """Return whether the site renders this file from Markdown."""
    return name.endswith(".md") and (ROOT / name).is_file()


def iter_links(text: str) -> Iterator[re.Match[str]]:
    """Yield the links and pictures outside of code blocks."""
    fences = [match.start() for match in re.finditer(r"^\s*(?:```|~~~)", text, flags=re.MULTILINE)]
    for match in _LINK.finditer(text):
        inside = sum(fence < match.start() for fence in fences) % 2
        if not inside and not re.match(r"https?:|mailto:|#", match[0]):
            yield match


def resolve(link: str, page: str) -> tuple[str, str]:
    """Return the file or folder that a page's link leads to, named from the root, and the link's anchor with its #."""
    path, mark, anchor = link.partition("#")
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), path)), mark + anchor


def move_links(text: str, page: str) -> str:
    """Return a page's text with links that hold where the site has it."""
    here = posixpath.dirname(place(page))

    def move(link: str) -> str:
        name, anchor = resolve(link, page)
        return posixpath.relpath(place(name), here or ".") + anchor

    parts, end = [], 0
    for match in iter_links(text):
        parts += [text[end : match.start()], move(match[0])]
        end = match.end()
    return "".join([*parts, text[end:]])


def find_linked(pages: Mapping[str, str]) -> set[str]:
    """Return what the pages (by name, with their text) link to and the contents do not have."""
    found = {resolve(match[0], name)[0] for name, text in pages.items() for match in iter_links(text)}
    return found - set(pages)


def read_pages() -> dict[str, str]:
    """Read every page of the contents."""
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in ["README.md", *list_pages()]}
