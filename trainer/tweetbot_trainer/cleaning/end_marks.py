"""The literal end mark in a text: no reader of the dataset may take it for the end of a post."""

import unicodedata

END_MARK = "<|endoftext|>"
#: Every sign that begins a mark: `<` and its full-width and small forms.
_OPENERS = ("<", "\uff1c", "\ufe64")
_BAR = "|"


def tamed(text: str) -> str:
    """Return the text without the bars of each end mark in it, which leaves the harmless `<endoftext>`.

    Case, full-width letters and invisible signs disguise no mark: some tokenizers look through them.
    """
    if not any(opener in text for opener in _OPENERS):
        return text
    bars = _bars(text)
    return "".join(sign for place, sign in enumerate(text) if place not in bars)


def _bars(text: str) -> frozenset[int]:
    """Return the places of the bars of all end marks."""
    folded = [(sign, place) for place, original in enumerate(text) for sign in _folded(original)]
    plain = "".join(sign for sign, _ in folded)
    found: set[int] = set()
    start = plain.find(END_MARK)
    while start >= 0:
        span = folded[start : start + len(END_MARK)]
        found.update(place for sign, place in span if sign == _BAR)
        start = plain.find(END_MARK, start + len(END_MARK))
    return frozenset(found)


def _folded(sign: str) -> str:
    """Return a sign as a tokenizer that normalizes sees it; nothing for an invisible one."""
    if sign.isascii():
        return sign.lower()
    return "" if unicodedata.category(sign) == "Cf" else unicodedata.normalize("NFKC", sign).casefold()
