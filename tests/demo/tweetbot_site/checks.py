"""What is wrong with a built site: requests to other servers, and words that no dictionary has."""

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path

from hunspell import Hunspell
from markdown_it import MarkdownIt

from tweetbot_site.contents import ROOT

WORDS = ROOT / "docs" / "words.txt"
#: The attribute by which each tag makes a browser load something. A link that a person follows may lead elsewhere.
_LOADS = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "embed": "src",
    "link": "href",
}
_CSS = re.compile(r"""(?:@import\s+|url\()["']?((?:https?:)?//[^"')\s]+)""")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


class _Loaded(HTMLParser):
    """Collects what a page makes a browser load from another server."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the address of a tag, unless it only names the page's own (canonical) or another format of it."""
        given = dict(attrs)
        address = given.get(_LOADS.get(tag, "")) or ""
        if re.match(r"(?:https?:)?//", address) and given.get("rel") not in ("canonical", "alternate"):
            self.found.append(address)


def find_foreign_requests(site: Path) -> list[str]:
    """Return what a browser would load from elsewhere, with the file that says so."""
    found = {path: _Loaded(path.read_text(encoding="utf-8")).found for path in sorted(site.rglob("*.html"))}
    found |= {path: _CSS.findall(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.css"))}
    return [f"{path.relative_to(site)}: {address}" for path, addresses in found.items() for address in addresses]


def list_words(text: str) -> Iterator[tuple[int, str]]:
    """Yield the words that people read in a page, with the line of their block: no code, no address, no HTML."""
    for block in MarkdownIt("commonmark").enable("table").parse(text):
        line = (block.map or (0, 0))[0] + 1
        for token in block.children or ():
            if token.type == "text":
                yield from ((line, word) for word in _WORD.findall(_drop_names(token.content)) if word[0].isalpha())


def _drop_names(text: str) -> str:
    """Leave out what is a name of something: identifiers, addresses, handles, reasons, versions."""
    return re.sub(r"\S*(?:[_/@:.#=+{}<>\\]\w|\w[a-z][A-Z]|[A-Z]{2}[a-z]|\d)\S*|\b[A-Z]{2,}s?\b", " ", text)


def find_unknown_words(pages: Mapping[str, str]) -> list[str]:
    """Return the words of the pages (by name, with their text) that neither the dictionary nor our list has.

    Ours holds a word in small letters for any case, and in capitals for that case alone.
    """
    dictionary, ours = Hunspell("en_US"), read_words()
    found = [(name, line, word.replace("’", "'")) for name, text in pages.items() for line, word in list_words(text)]
    stems = {word: word.removesuffix("'s").removesuffix("'") for _, _, word in found}
    known = {word for word, stem in stems.items() if {stem, stem.lower()} & ours or dictionary.spell(stem)}
    return [f"{name}:{line}: {word}" for name, line, word in found if word not in known]


def read_words() -> set[str]:
    """Read our own words, one or more per line; # begins a comment."""
    lines = (line.partition("#")[0] for line in WORDS.read_text(encoding="utf-8").splitlines())
    return {word for line in lines for word in line.split()}
