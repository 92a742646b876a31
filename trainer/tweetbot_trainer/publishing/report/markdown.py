"""Pieces of Markdown in which foreign text is only ever text."""

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from tweetbot_trainer.data.post_length import collapse_whitespace

#: Characters with a meaning anywhere in a line, which a backslash takes away.
_SPECIAL = re.compile(r"([\\`*_\[\]~$@])")
#: The special characters of HTML, and the bar of a table, for which a backslash is not enough inside a cell.
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
#: Text that some renderers turn into a link: the colon of `://` and the dot of `www.`.
_AUTOLINKS = re.compile(r":(?=//)|(?i:(?<=www))\.")
#: A heading or a list, at the beginning of a text.
_BEGINNING = re.compile(r"^(\d+(?=[.)](?:\s|$))|(?=[-+=#]))")
#: Invisible characters that change the direction of the text after them.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
#: They enclose a text in its own direction, so that Arabic and Hebrew reorder nothing outside (Unicode, UAX 9).
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"


def escape_inline(text: str) -> str:
    """Escape any text, put on one line, for a paragraph, a table cell or the label of a link.

    A text with letters that are read from right to left is isolated from what stands around it.
    """
    plain = _DIRECTIONS.sub("", collapse_whitespace(text))
    escaped = _BEGINNING.sub(r"\1\\", _AUTOLINKS.sub(r"\\\g<0>", _SPECIAL.sub(r"\\\1", plain)))
    safe = "".join(_ENTITIES.get(character, character) for character in escaped)
    return f"{_ISOLATE}{safe}{_END_ISOLATE}" if has_right_to_left(plain) else safe


def has_right_to_left(text: str) -> bool:
    """Whether any letter of a text is read from right to left."""
    return any(unicodedata.bidirectional(character) in ("R", "AL") for character in text)


def format_code(text: str) -> str:
    """Format a short text as inline code. The fence is longer than any sequence of backticks inside."""
    plain = collapse_whitespace(text).replace("|", "¦")
    fence = "`" * (_measure_longest_fence(plain) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") or not plain else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def format_block(text: str, language: str) -> str:
    """Format a code block. Nothing inside can end it."""
    fence = "`" * max(3, _measure_longest_fence(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def format_link(label: str, address: str) -> str:
    """Format a link to an http(s) or relative address. For any other address, return the label alone."""
    target = _quote_target(address)
    return f"[{escape_inline(label)}]({target})" if target else escape_inline(label)


def format_image(label: str, address: str) -> str:
    """Format an image, as `format_link` does a link."""
    link = format_link(label, address)
    return f"!{link}" if _quote_target(address) else link


def format_table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Format a table whose cells are Markdown already. All columns but the first are aligned right."""
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


def _measure_longest_fence(text: str) -> int:
    return max((len(fence) for fence in re.findall("`+", text)), default=0)
