"""Pieces of Markdown in which no foreign text can do anything but be read."""

import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from tweetbot_trainer.data.post_length import one_line

#: Signs that mean something anywhere in a line; a backslash takes it from each.
_SIGNS = re.compile(r"([\\`*_\[\]~$@])")
#: HTML's own signs, and the bar of a table, which a backslash does not tame inside one.
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
#: What becomes a link by itself.
_AUTOLINKS = re.compile(r":(?=//)|(?i:(?<=www))\.")
#: What makes a heading or a list at the beginning of a text.
_BEGINNING = re.compile(r"^(\d+(?=[.)](?:\s|$))|(?=[-+=#]))")
#: Invisible signs that turn the direction of all that follows.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def inline(text: str) -> str:
    """Return any text as it reads, on one line, fit for a paragraph, a table cell or a link's label."""
    plain = _DIRECTIONS.sub("", one_line(text))
    tamed = _BEGINNING.sub(r"\1\\", _AUTOLINKS.sub(r"\\\g<0>", _SIGNS.sub(r"\\\1", plain)))
    return "".join(_ENTITIES.get(sign, sign) for sign in tamed)


def code(text: str) -> str:
    """Return a short text as code: its fence is longer than any run of backticks inside."""
    plain = one_line(text).replace("|", "¦")
    fence = "`" * (_longest_run(plain) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") or not plain else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def block(text: str, language: str) -> str:
    """Return a fenced block; nothing inside can end it."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def link(label: str, address: str) -> str:
    """Return a link to an http(s) or relative address; the label alone where the address is neither."""
    target = _target(address)
    return f"[{inline(label)}]({target})" if target else inline(label)


def image(label: str, address: str) -> str:
    """Return a picture, or its description alone where the address is neither http(s) nor relative."""
    target = _target(address)
    return f"![{inline(label)}]({target})" if target else inline(label)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already; numbers stand to the right."""
    lines = [_row(head), _row(["---", *["---:"] * (len(head) - 1)]), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _target(address: str) -> str:
    try:
        scheme = urlsplit(address).scheme.lower()
    except ValueError:
        return ""
    relative = not scheme and ":" not in address and not address.startswith("//")
    if not relative and scheme not in ("http", "https"):
        return ""
    return quote(one_line(address), safe="/:?#=&%~.,;@+-_")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
