"""Pieces of Markdown in which no foreign text can do anything but be read."""

import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from tweetbot_trainer.data.post_length import collapse_whitespace

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


def escape_inline(text: str) -> str:
    """Return any text as it reads, on one line, fit for a paragraph, a table cell or a link's label."""
    plain = _DIRECTIONS.sub("", collapse_whitespace(text))
    tamed = _BEGINNING.sub(r"\1\\", _AUTOLINKS.sub(r"\\\g<0>", _SIGNS.sub(r"\\\1", plain)))
    return "".join(_ENTITIES.get(sign, sign) for sign in tamed)


def format_code(text: str) -> str:
    """Return a short text as code: its fence is longer than any run of backticks inside."""
    plain = collapse_whitespace(text).replace("|", "¦")
    fence = "`" * (_find_longest_fence(plain) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") or not plain else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def format_block(text: str, language: str) -> str:
    """Return a fenced block; nothing inside can end it."""
    fence = "`" * max(3, _find_longest_fence(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def format_link(label: str, address: str) -> str:
    """Return a link to an http(s) or relative address; the label alone where the address is neither."""
    target = _quote_target(address)
    return f"[{escape_inline(label)}]({target})" if target else escape_inline(label)


def format_image(label: str, address: str) -> str:
    """Return a picture, or its description alone where the address is neither http(s) nor relative."""
    target = _quote_target(address)
    return f"![{escape_inline(label)}]({target})" if target else escape_inline(label)


def format_table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already; numbers stand to the right."""
    lines = [_format_cells(head), _format_cells(["---", *["---:"] * (len(head) - 1)]), *map(_format_cells, body)]
    return "\n".join(lines)


def _format_cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _quote_target(address: str) -> str:
    try:
        scheme = urlsplit(address).scheme.lower()
    except ValueError:
        return ""
    relative = not scheme and ":" not in address and not address.startswith("//")
    if not relative and scheme not in ("http", "https"):
        return ""
    return quote(collapse_whitespace(address), safe="/:?#=&%~.,;@+-_")


def _find_longest_fence(text: str) -> int:
    return max((len(fence) for fence in re.findall("`+", text)), default=0)
