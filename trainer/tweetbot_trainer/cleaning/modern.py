"""The text rules of the recipe `modern`, in their order: entities, controls, links, private data, names, end marks."""

import html
import re
from collections.abc import Callable
from html.entities import html5

from tweetbot_trainer.cleaning import privacy
from tweetbot_trainer.cleaning.end_marks import tamed
from tweetbot_trainer.cleaning.links import without_links

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


def unescaped(text: str) -> str:
    """Return the text with HTML entities resolved once: twice would spoil posts about HTML."""
    return _ENTITY.sub(_resolved, text) if "&" in text else text


def _resolved(entity: re.Match[str]) -> str:
    known = entity[0][1] == "#" or entity[0][1:] in html5
    return html.unescape(entity[0]) if known else entity[0]


def without_controls(text: str) -> str:
    """Return the text with a space for each control character and byte-order mark."""
    return _CONTROLS.sub(" ", text)


def one_spaced(text: str) -> str:
    """Return the text on one line, with single spaces."""
    return " ".join(text.split())


def anonymous_mentions(text: str) -> str:
    """Return the text with @user for each @name."""
    return _MENTION.sub("@user", text)


def rules(*, mentions: bool, private: bool) -> tuple[Rule, ...]:
    """Return the rules after `unescaped`: `mentions` replaces @names, `private` replaces personal data."""
    replaced: tuple[Rule, ...] = (privacy.redacted,) if private else ()
    replaced += (anonymous_mentions,) if mentions else ()
    return (without_controls, without_links, *replaced, tamed, one_spaced)


def tidied(text: str, rules: tuple[Rule, ...]) -> str:
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
