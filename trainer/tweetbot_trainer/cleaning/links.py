"""Links out of a text, and the signs that only they left hanging."""

import re

from tweetbot_trainer.cleaning.words import UNSPACED_RANGES

_ADDRESS = rf"[^\s{UNSPACED_RANGES}]*"
#: Hosts whose links people wrote, and X wrote for them, without a scheme.
_BARE = r"www\.\w|(?:pic\.twitter\.com|pic\.x\.com|t\.co|youtu\.be|bit\.ly|ow\.ly|goo\.gl|tinyurl\.com|is\.gd|fb\.me)/"
_LINK = re.compile(rf"https?:(?:/|…){_ADDRESS}|(?<![\w@.-])(?:{_BARE}){_ADDRESS}", re.IGNORECASE)
#: What follows a link rather than belongs to it.
_CLOSERS = ".,;:!?)]}'\"\u2019\u201d»"
#: Stands where a link was; texts hold none, since control characters went before.
_GAP = "\x00"
_BRACKETED = re.compile(rf"[(\[{{<«\u201c\"']{_GAP}[)\]}}>»\u201d\"']")
_HANGING = re.compile(rf" ?{_GAP}(?=[{re.escape(_CLOSERS)}])")


def without_links(text: str) -> str:
    """Return the text with a space for each link, whatever its case, with or without a scheme.

    `text` holds no control characters. A comma or bracket after the link stays, and moves to the word before it.
    """
    gapped = _LINK.sub(_gap, text)
    if gapped == text:
        return text
    return _HANGING.sub("", _BRACKETED.sub(_GAP, gapped)).replace(_GAP, " ")


def _gap(link: re.Match[str]) -> str:
    address = link[0].rstrip(_CLOSERS)
    closers = link[0][len(address) :]
    if closers.startswith(")") and address.count("(") > address.count(")"):
        closers = closers[1:]
    return _GAP + closers
