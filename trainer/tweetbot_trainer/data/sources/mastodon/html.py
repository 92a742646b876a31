"""The HTML of a Mastodon post as the text that its author wrote.

Mastodon's HTML is small and regular, so one linear pattern finds its tags; the standard library's parser takes
quadratic time on hostile input and ends in AssertionErrors.
"""

import html
import re
from collections.abc import Iterator

#: An opening or closing tag with its attributes, or a declaration; Mastodon escapes `<` and `>` inside them. Possessive
#: quantifiers (`*+`) do not backtrack, so an endless name is not tried at every length.
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9]*+)(?P<rest>[^<>]*+)>|<![^<>]*+>")
_CLASSES = re.compile(r"\bclass\s*=\s*[\"']([^\"']*)")
_ALT = re.compile(r"\balt\s*=\s*[\"']([^\"']*)")
#: Tags that begin a line, and tags that begin a paragraph.
_LINES = frozenset({"br", "li", "div"})
_BLOCKS = frozenset({"p", "ul", "ol", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6"})
#: The class of Mastodon's "RE: address" for apps that cannot show quotes.
_QUOTE = "quote-inline"
_SPACE = re.compile(r"[ \t\r\f\v]+")
_GAP = re.compile(r"\n{3,}")


def extract_text(content: str) -> str:
    """Return the text with paragraphs, whole links, resolved entities, and emoji by name."""
    joined = "".join(_iter_pieces(content))
    lines = (_SPACE.sub(" ", line).strip() for line in joined.split("\n"))
    return _GAP.sub("\n\n", "\n".join(lines)).strip()


def _iter_pieces(content: str) -> Iterator[str]:
    at, hidden, depth = 0, "", 0
    for tag in _TAG.finditer(content):
        if not hidden:
            # a line break in the source is a space; the parts of a shortened link join to the whole link
            yield html.unescape(content[at : tag.start()].replace("\n", " "))
        at, name = tag.end(), (tag["name"] or "").lower()
        if hidden:
            depth += (-1 if tag["end"] else 1) if name == hidden else 0
            hidden = hidden if depth else ""
        elif not tag["end"] and name in ("p", "span") and _QUOTE in _get_attribute(_CLASSES, tag).split():
            hidden, depth = name, 1
        else:
            yield _render_tag(name, tag)
    if not hidden:
        yield html.unescape(content[at:].replace("\n", " "))


def _render_tag(name: str, tag: re.Match[str]) -> str:
    if name in _BLOCKS:
        return "\n\n"
    if name in _LINES:
        return "\n"
    return html.unescape(_get_attribute(_ALT, tag)) if name == "img" else ""


def _get_attribute(pattern: re.Pattern[str], tag: re.Match[str]) -> str:
    match = pattern.search(tag["rest"] or "")
    return match[1] if match else ""
