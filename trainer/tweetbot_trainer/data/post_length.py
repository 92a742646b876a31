"""The length of a post as X counts it."""

import re
import unicodedata

LIMIT = 280
#: The length of every link, since X shortens them all.
LINK_LENGTH = 23
_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
#: Code points that count one; all others count two (version 3 of X's published length rule).
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
#: Parts of an emoji sequence that add nothing to its length: joiner, variation selectors, skin tones.
_JOINER = "\u200d"
_SILENT = re.compile("[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")


def measure_weighted_length(text: str) -> int:
    """Measure a text as X does: links count 23, most letters 1, CJK and emoji 2."""
    normal = unicodedata.normalize("NFC", text)
    links = len(_LINK.findall(normal)) * LINK_LENGTH
    rest = _SILENT.sub("", re.sub(f"{_JOINER}.", "", _LINK.sub("", normal)))
    return links + sum(1 if any(low <= ord(char) <= high for low, high in _LIGHT) else 2 for char in rest)


def has_room_for_word(prompt: str) -> bool:
    """Tell whether a post that begins with this prompt has room for another word."""
    return measure_weighted_length(f"{collapse_whitespace(prompt)} a") <= LIMIT


def shorten(text: str, limit: int = LIMIT) -> str:
    """Cut a text that is too long after a word, and end it with an ellipsis; a single long word is cut inside."""
    if measure_weighted_length(text) <= limit:
        return text
    words = text.split(" ")
    while len(words) > 1 and measure_weighted_length(" ".join(words) + "…") > limit:
        words.pop()
    cut = " ".join(words)[:limit]
    while measure_weighted_length(cut + "…") > limit:
        cut = cut[:-1]
    return cut.rstrip() + "…"


def collapse_whitespace(text: str) -> str:
    """Put the text on one line: control characters become spaces, and white space is collapsed."""
    if not text.isprintable():
        text = "".join(char if unicodedata.category(char) not in ("Cc", "Cs", "Co") else " " for char in text)
    collapsed = " ".join(text.split())
    return text if collapsed == text else collapsed  # a hundred thousand posts are not to be held twice
