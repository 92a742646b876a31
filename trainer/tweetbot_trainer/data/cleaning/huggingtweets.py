"""The text rules of huggingtweets' notebook of 2021, bit for bit (docs/cleaning.md lists them).

Their quirks are kept so that published data tables can be reproduced: only three entities are resolved, links are
case-sensitive and swallow what touches them, and a word counts unless it contains `http`, `@` or `#`.
"""

import re

#: In this order: `&amp;lt;` becomes `<`.
_ENTITIES = (("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
#: Each scheme's five rules in the notebook's order; the first that matches also takes a space beside the link.
_LINKS = tuple(
    re.compile(rule.format(scheme=scheme))
    for scheme in ("http:", "https:")
    for rule in (r" {scheme}\S+", r"{scheme}\S+ ", "\n{scheme}\\S+ ", "\n{scheme}\\S+", r"{scheme}\S+")
)
#: A word that contains one of these does not count.
_UNCOUNTED = ("http", "@", "#")
MIN_WORDS = 3


def rewrite(text: str) -> str:
    """Resolve entities, remove links and collapse white space as the notebook does."""
    for entity, char in _ENTITIES:
        text = text.replace(entity, char)
    for link in _LINKS:
        text = link.sub("", text)
    text = re.sub(" +", " ", text)
    return " ".join(text.split()).strip()


def is_too_short(text: str) -> bool:
    """Tell whether fewer than three words count: the model card's "Short tweets"."""
    words = text.lower().split()
    return sum(not any(part in word for part in _UNCOUNTED) for word in words) < MIN_WORDS
