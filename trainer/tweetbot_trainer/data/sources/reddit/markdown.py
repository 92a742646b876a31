"""The author's own words in a text of Reddit's markdown: without quotations, the targets of links, and pictures."""

import re

#: A quoted line, with `>` as it is or as an entity; `>!` begins a spoiler, which is the author's.
_QUOTED = re.compile(r"[ ]{0,3}(?:>|&gt;)(?!!)")
#: `![gif](giphy|a1b2)`, `![img](a1b2 "caption")`.
_PICTURE = re.compile(r"!\[[^\]\[]{0,200}\]\([^()]{0,500}\)")
#: `[words](address "title")`; the address may hold pairs of parentheses.
_LINK = re.compile(r"\[(?P<words>[^\]\[]{1,1000})\]\((?:[^()]|\([^()]{0,200}\)){1,2000}\)")
#: A user's name as Reddit links it.
_USER = re.compile(r"(?<![\w/])/?u/(?P<name>[A-Za-z0-9_-]{3,20})(?![\w-])")
#: What Reddit's editor adds: a character without width in empty lines, and backslashes before signs of markdown.
_EMPTY, _ESCAPED = re.compile("&(?:amp;)?#x200b;", re.IGNORECASE), re.compile(r"\\([\\`*_{}\[\]()#+.!>~|^-])")
_GAP = re.compile(r"\n{3,}")


def extract_own_words(text: str) -> str:
    """Return the text without quoted lines and pictures, with the words of links in place of the links."""
    lines = [line.rstrip() for line in _EMPTY.sub("", text).splitlines() if not _QUOTED.match(line)]
    written = _LINK.sub(r"\g<words>", _PICTURE.sub("", "\n".join(lines)))
    return _GAP.sub("\n\n", render_names(_ESCAPED.sub(r"\1", written))).strip()


def render_names(text: str) -> str:
    """Write u/name as @name, which the cleaning knows; its names have no hyphens."""
    return _USER.sub(lambda user: "@" + user["name"].replace("-", "_"), text)
