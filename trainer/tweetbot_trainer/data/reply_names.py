"""The @names before a reply: the network puts them there, not the reply's author."""

import re

#: Names of X, and of the Fediverse with dots, hyphens and their server. What follows a name at once, as in `@gull:`,
#: was typed. Possessive quantifiers (`*+`) keep a hostile text from taking more than linear time.
_NAME = r"[@\uff20][A-Za-z0-9_]++(?:[.-][A-Za-z0-9_]++)*+(?:@[A-Za-z0-9.-]++)?+"
_NAMES = re.compile(rf"\s*+(?:{_NAME}(?:\s++|\Z))++")


def find_names_end(text: str, shown_from: int | None = None) -> int:
    """Return the index in a reply's text after the names before it, 0 without any.

    `shown_from` is where the network itself lets the text begin, if it says so: names after it were typed. A 0 tells
    nothing, as X counted these names as text before 2016.
    """
    names = _NAMES.match(text)
    end = names.end() if names else 0
    if not shown_from or shown_from >= end:
        return end
    between_words = any(char.isspace() for char in text[shown_from - 1 : shown_from + 1])
    return shown_from if between_words else end
