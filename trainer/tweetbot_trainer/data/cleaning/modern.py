"""The text rules of the recipe `modern`, in their order: entities, controls, links, private data, names, end marks."""

import html
import re
import unicodedata
from collections.abc import Callable
from html.entities import html5

from tweetbot_trainer.data.cleaning import personal_data
from tweetbot_trainer.data.cleaning.words import UNSPACED_RANGES

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


def remove_links(text: str) -> str:
    """Return the text with a space for each link, whatever its case, with or without a scheme.

    `text` holds no control characters. A comma or bracket after the link stays, and moves to the word before it.
    """
    gapped = _LINK.sub(_replace_link, text)
    if gapped == text:
        return text
    return _HANGING.sub("", _BRACKETED.sub(_GAP, gapped)).replace(_GAP, " ")


def _replace_link(link: re.Match[str]) -> str:
    address = link[0].rstrip(_CLOSERS)
    closers = link[0][len(address) :]
    if closers.startswith(")") and address.count("(") > address.count(")"):
        closers = closers[1:]
    return _GAP + closers


Rule = Callable[[str], str]

#: Only with its semicolon: in `Q&A &notes` html.unescape would read `&not`.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
#: C0 and C1 controls and the byte-order mark.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ufeff]")
_OPENING = r"[\"'(\[\u201c\u2018]?"
_OLD_RETWEET = re.compile(rf"{_OPENING}RT\b[:\s]*{_OPENING}[@\uff20][a-z0-9_]", re.IGNORECASE | re.ASCII)
#: X's names, Bluesky's with their dots, the Fediverse's with their server.
_MENTION = re.compile(
    r"(?<![A-Za-z0-9_@\uff20])[@\uff20][A-Za-z0-9_]{1,50}(?:\.[a-z0-9][a-z0-9-]{0,62}){0,5}"
    r"(?:@(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,24})?"
)
#: What one rule leaves may be another's work; a text that still changes after so many rounds was made to.
ROUNDS = 10


def unescape_entities(text: str) -> str:
    """Return the text with HTML entities resolved once: twice would spoil posts about HTML."""
    return _ENTITY.sub(_resolve_entity, text) if "&" in text else text


def _resolve_entity(entity: re.Match[str]) -> str:
    known = entity[0][1] == "#" or entity[0][1:] in html5
    return html.unescape(entity[0]) if known else entity[0]


def remove_controls(text: str) -> str:
    """Return the text with a space for each control character and byte-order mark."""
    return _CONTROLS.sub(" ", text)


def collapse_spaces(text: str) -> str:
    """Return the text on one line, with single spaces."""
    return " ".join(text.split())


def anonymize_mentions(text: str) -> str:
    """Return the text with @user for each @name."""
    return _MENTION.sub("@user", text)


def build_rules(*, mentions: bool, private: bool) -> tuple[Rule, ...]:
    """Return the rules after `unescape_entities`: `mentions` replaces @names, `private` replaces personal data."""
    replaced: tuple[Rule, ...] = (personal_data.redact_personal_data,) if private else ()
    replaced += (anonymize_mentions,) if mentions else ()
    return (remove_controls, remove_links, *replaced, defuse_end_marks, collapse_spaces)


def apply_until_stable(text: str, rules: tuple[Rule, ...]) -> str:
    """Return the text after all rules, again until nothing changes more."""
    for _ in range(ROUNDS):
        before = text
        for rule in rules:
            text = rule(text)
        if text == before:
            break
    return text


def is_old_retweet(text: str) -> bool:
    """Tell whether a post passes another's on by hand: it begins with `RT @name`."""
    return _OLD_RETWEET.match(text) is not None


END_MARK = "<|endoftext|>"
#: Every sign that begins a mark: `<` and its full-width and small forms.
_OPENERS = ("<", "\uff1c", "\ufe64")
_BAR = "|"


def defuse_end_marks(text: str) -> str:
    """Return the text without the bars of each end mark in it, which leaves the harmless `<endoftext>`.

    Case, full-width letters and invisible signs disguise no mark: some tokenizers look through them.
    """
    if not any(opener in text for opener in _OPENERS):
        return text
    bars = _find_bars(text)
    return "".join(sign for place, sign in enumerate(text) if place not in bars)


def _find_bars(text: str) -> frozenset[int]:
    """Return the places of the bars of all end marks."""
    folded = [(sign, place) for place, original in enumerate(text) for sign in _fold_sign(original)]
    plain = "".join(sign for sign, _ in folded)
    found: set[int] = set()
    start = plain.find(END_MARK)
    while start >= 0:
        span = folded[start : start + len(END_MARK)]
        found.update(place for sign, place in span if sign == _BAR)
        start = plain.find(END_MARK, start + len(END_MARK))
    return frozenset(found)


def _fold_sign(sign: str) -> str:
    """Return a sign as a tokenizer that normalizes sees it; nothing for an invisible one."""
    if sign.isascii():
        return sign.lower()
    return "" if unicodedata.category(sign) == "Cf" else unicodedata.normalize("NFKC", sign).casefold()
