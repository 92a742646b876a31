"""Links, with or without a scheme, and what is left over where one was removed."""

import re

from tweetbot_trainer.data.cleaning.remains import trim_end_of_text, trim_head, trim_tail
from tweetbot_trainer.data.cleaning.words import UNSPACED_RANGES

_ADDRESS = rf"[^\s{UNSPACED_RANGES}]*"
#: Hosts whose links people, or X for them, wrote without a scheme.
_BARE = r"www\.\w|(?:pic\.twitter\.com|pic\.x\.com|t\.co|youtu\.be|bit\.ly|ow\.ly|goo\.gl|tinyurl\.com|is\.gd|fb\.me)/"
_LINK = re.compile(rf"https?:(?:/|…){_ADDRESS}|(?<![\w@.-])(?:{_BARE}){_ADDRESS}", re.IGNORECASE)
#: Punctuation that follows a link rather than belonging to it.
_CLOSERS = ".,;:!?)]}'\"\u2019”»>」』】、。\uff09\uff0c\uff1a"
_FACE = re.compile(r"[:;]['-]?[)\]}]+")
#: Stands where a link was. No text contains it, since control characters are removed first.
_GAP = "\x00"
#: A link in Markdown: `[its words](https://…)`.
_MARKDOWN = re.compile(rf"!?\[([^\[\]{_GAP}]*)\]\({_GAP}\)")
_BRACKETED = re.compile(
    rf"[\"']{_GAP}[\"']|[(\[{{<«“「『【\uff08]\s{{0,3}}(?:(?:via|h/t)\b)?[\s:\u2013\u2014>→|-]{{0,9}}"
    rf"{_GAP}(?:[\s,&+|·•-]{{0,9}}{_GAP}){{0,9}}\s{{0,3}}[)\]}}>»”」』】\uff09]",
    re.IGNORECASE,
)


def remove_links(text: str) -> str:
    """Remove each link and the dash, colon or arrow that led to it; punctuation after it moves to the word before.

    `text` must contain no control characters. White space becomes single spaces where there was a link.
    """
    gapped = _LINK.sub(_replace_link, text)
    if gapped == text:
        return text
    return _close_gaps(_BRACKETED.sub(_GAP, _MARKDOWN.sub(r"\1", gapped)))


def _replace_link(link: re.Match[str]) -> str:
    address = link[0].rstrip(_CLOSERS)
    closers = link[0][len(address) :]
    if closers.startswith(")") and address.count("(") > address.count(")"):
        closers = closers[1:]
    return _GAP + closers


def _close_gaps(gapped: str) -> str:
    first, *pieces = gapped.split(_GAP)
    words = first.split()
    for piece in pieces:
        (trim_tail if piece.strip(_CLOSERS + " ") else trim_end_of_text)(words)
        closers = "" if _FACE.match(piece) else piece[: len(piece) - len(piece.lstrip(_CLOSERS))]
        following = piece[len(closers) :].split()
        if words:
            words[-1] += closers
            words += following
        else:
            words = trim_head(following)
    return " ".join(words)
