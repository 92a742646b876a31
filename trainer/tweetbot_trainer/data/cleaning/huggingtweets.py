"""The text rules of huggingtweets' notebook of 2021, bit for bit (docs/cleaning.md names each).

They are kept with their quirks, since a published data table must come out the same: only three entities are
resolved, links are case-sensitive and swallow what touches them, and a word counts unless `http`, `@` or `#` is in it.
"""

import re

#: In this order, one after the other: `&amp;lt;` becomes `<`.
_ENTITIES = (("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
#: Each scheme's five rules in the notebook's order; the first that matches takes the space around the link with it.
_LINKS = tuple(
    re.compile(rule.format(scheme=scheme))
    for scheme in ("http:", "https:")
    for rule in (r" {scheme}\S+", r"{scheme}\S+ ", "\n{scheme}\\S+ ", "\n{scheme}\\S+", r"{scheme}\S+")
)
#: A word with one of these in it, anywhere, does not count.
_UNCOUNTED = ("http", "@", "#")
MIN_WORDS = 3


def rewrite(text: str) -> str:
    """Return the text as the notebook trains on it: entities resolved, links gone, white space collapsed."""
    for entity, sign in _ENTITIES:
        text = text.replace(entity, sign)
    for link in _LINKS:
        text = link.sub("", text)
    text = re.sub(" +", " ", text)
    return " ".join(text.split()).strip()


def is_too_short(text: str) -> bool:
    """Tell whether fewer than three words count: the model card's "Short tweets"."""
    words = text.lower().split()
    return sum(not any(part in word for part in _UNCOUNTED) for word in words) < MIN_WORDS
