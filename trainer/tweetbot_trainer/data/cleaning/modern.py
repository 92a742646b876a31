"""The text rules of the recipe `modern`: entities, controls, links, personal data, names, end marks."""

import html
import re
import unicodedata
from collections.abc import Callable
from html.entities import html5

from tweetbot_trainer.data.cleaning import personal_data
from tweetbot_trainer.data.cleaning.links import remove_links
from tweetbot_trainer.data.cleaning.retweets import keep_own_words
from tweetbot_trainer.data.posts import END_MARK

Rule = Callable[[str], str]

#: Only with its semicolon: html.unescape would find `&not` in `Q&A &notes`.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
#: C0 and C1 controls and the byte-order mark.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ufeff]")
#: Names of X, of Bluesky with their dots, and of the Fediverse with their server.
_MENTION = re.compile(
    r"(?<![A-Za-z0-9_@\uff20])[@\uff20][A-Za-z0-9_]{1,50}(?:\.[a-z0-9][a-z0-9-]{0,62}){0,5}"
    r"(?:@(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,24})?"
)
#: One rule's result may be work for another. A text that still changes after this many rounds was made to do so.
ROUNDS = 10


def unescape_entities(text: str) -> str:
    """Resolve HTML entities once: twice would spoil posts about HTML."""
    return _ENTITY.sub(_resolve_entity, text) if "&" in text else text


def _resolve_entity(entity: re.Match[str]) -> str:
    known = entity[0][1] == "#" or entity[0][1:] in html5
    return html.unescape(entity[0]) if known else entity[0]


def remove_controls(text: str) -> str:
    """Replace each control character and byte-order mark by a space."""
    return _CONTROLS.sub(" ", text)


def collapse_spaces(text: str) -> str:
    """Put the text on one line, with single spaces."""
    return " ".join(text.split())


def anonymize_mentions(text: str) -> str:
    """Replace each @name by @user."""
    return _MENTION.sub("@user", text) if "@" in text or "\uff20" in text else text


def build_rules(*, mentions: bool, private: bool) -> tuple[Rule, ...]:
    """Return the rules that follow `unescape_entities`: `mentions` replaces @names, `private` personal data."""
    replaced: tuple[Rule, ...] = (personal_data.redact_personal_data,) if private else ()
    replaced += (anonymize_mentions,) if mentions else ()
    return (remove_controls, remove_links, keep_own_words, *replaced, defuse_end_marks, collapse_spaces)


def apply_until_stable(text: str, rules: tuple[Rule, ...]) -> str:
    """Apply all rules, again and again until the text no longer changes."""
    for _ in range(ROUNDS):
        before = text
        for rule in rules:
            text = rule(text)
        if text == before:
            break
    return text


#: Characters that may begin an end mark: `<` and its full-width and small forms.
_OPENERS = ("<", "\uff1c", "\ufe64")
_BAR = "|"


def defuse_end_marks(text: str) -> str:
    """Remove the bars of each end mark, which leaves the harmless `<endoftext>`.

    Case, full-width letters and invisible characters hide no mark, as some tokenizers ignore them.
    """
    if not any(opener in text for opener in _OPENERS):
        return text
    bars = _find_bars(text)
    return "".join(char for index, char in enumerate(text) if index not in bars)


def _find_bars(text: str) -> frozenset[int]:
    """Return the indices of the bars of all end marks."""
    folded = [(char, index) for index, original in enumerate(text) for char in _fold_char(original)]
    plain = "".join(char for char, _ in folded)
    found: set[int] = set()
    start = plain.find(END_MARK)
    while start >= 0:
        span = folded[start : start + len(END_MARK)]
        found.update(index for char, index in span if char == _BAR)
        start = plain.find(END_MARK, start + len(END_MARK))
    return frozenset(found)


def _fold_char(char: str) -> str:
    """Return a character as a normalizing tokenizer sees it: invisible ones vanish."""
    if char.isascii():
        return char.lower()
    return "" if unicodedata.category(char) == "Cf" else unicodedata.normalize("NFKC", char).casefold()
