"""Retweets by hand: words of others, behind `RT @name` and the other spellings that people and their programs used.

Of `comment RT @name: their words` the comment stays; `RT @name: their words` is a retweet as a whole. A post that only
credits somebody (`words via @name`, `words (RT @name)`, `HT @name`) is the author's.
"""

import re

from tweetbot_trainer.data.cleaning.remains import trim_end_of_text, trim_head
from tweetbot_trainer.data.cleaning.words import UNSPACED_RANGES

_NAME = r"[@\uff20][A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?(?:@[a-z0-9.-]{3,80})?"
_NAMES = rf"{_NAME}(?:[\s,&+]{{1,3}}{_NAME}){{0,5}}"
_COLON = r"\s?[:\uff1a]"
_RT = "(?i:r/?t)"
#: Of two letters, which mean other things in lower case: modified, partial and quoted tweets, reposts.
_CAPITALS = "MR?T|PRT|QT|RP"
_SPELLED = "(?i:re-?tweet(?:ing)?)"
_REPOST = r"(?i:re-?post(?:ed|ing)?|re-?gram(?:med)?|retweeted(?:\s[^@\uff20]{1,60}\()?)"
#: One may write about a thing of @name that one recycles or reposts. So these need a colon behind the name.
_WITH_COLON = rf"[♻🔁🔃]\ufe0f?|{_REPOST}"
_BETWEEN = r"[\s:\uff1a.,/|>»~•→“\"'(\[-]{0,6}(?:(?:via|by|from|por|de|par|von)\s{1,3})?"
_QUOTED = rf"[\"“„«「『]{_NAME}{_COLON}"
#: A retweet from its first word on.
_RETWEET = re.compile(
    rf"[^\w@\uff20#]*(?:\#?(?:{_RT}|{_CAPITALS}|{_SPELLED}|[♺⟲]){_BETWEEN}{_NAME}|(?:{_WITH_COLON}){_BETWEEN}{_NAMES}\)?{_COLON}"
    rf"|\#{_REPOST}{_BETWEEN}{_NAME}|{_REPOST}\s(?:via|by|from)\s{_NAME}|(?P<quote>{_QUOTED}))"
)
#: A retweet behind a comment. Without a colon it needs its capitals, and a word before it that is not its subject.
_LATER = re.compile(
    rf"(?<![^\W{UNSPACED_RANGES}])(?<![@\uff20/])[(\[“\"']?\#?(?:"
    rf"(?:{_RT}|{_CAPITALS}|{_SPELLED}|[♺⟲]|{_WITH_COLON})[:\uff1a]?\s?[(“\"']?{_NAMES}\)?{_COLON}"
    rf"|(?P<bare>RT)[:\uff1a]?\s?{_NAMES}(?=\s))|(?P<quote>{_QUOTED})"
)
#: Words before a `RT` that is their verb or noun, as in `please RT @name` and `thanks for the RT @name`.
_GOVERNING = """
a an and any can could did do don't dont every first for got i if just kindly last may might more must my need never no
not of or our please pls plz shall should the their they to u we who will would you your 4
"""
_QUOTES = {"“": "”", "„": "“”", "«": "»", "「": "」", "『": "』"}


def is_hand_retweet(text: str) -> bool:
    """Tell whether a post consists of words of others, behind a mark such as `RT @name`."""
    return _RETWEET.match(text) is not None


def keep_own_words(text: str) -> str:
    """Return the author's comment on a retweet by hand; the text as it is without a comment or a retweet."""
    mark = _find_mark(text) if "@" in text or "\uff20" in text else None
    if mark is None:
        return text
    before = text[: mark.start()].split()
    trim_end_of_text(before)
    after = text[_find_end_of_quote(text, mark.start("quote")) :] if mark["quote"] else ""
    own = " ".join((*before, *trim_head(after.split())))
    return own if _has_words(own) else text


def _find_mark(text: str) -> re.Match[str] | None:
    """Return where others' words begin behind a comment, or in quotation marks that a comment may follow."""
    first = _RETWEET.match(text)
    if first and not first["quote"]:
        return None
    return next((mark for mark in _LATER.finditer(text) if _is_mark(text, mark)), None)


def _is_mark(text: str, mark: re.Match[str]) -> bool:
    before = text[max(0, mark.start() - 20) : mark.start()].split()
    if mark["bare"] and before and before[-1].casefold() in _GOVERNING.split():
        return False
    return _has_words(text[mark.end() :])


def _has_words(text: str) -> bool:
    return any(char.isalnum() for char in text)


def _find_end_of_quote(text: str, start: int) -> int:
    """Return the index behind the closing mark of the quotation that begins at `start`, or the text's end."""
    opener, depth = text[start], 0
    if opener == '"':
        return text.rindex('"') + 1 if text.count('"', start) % 2 == 0 else len(text)
    for sign in re.finditer(f"[{opener}{_QUOTES[opener]}]", text[start:]):
        depth += 1 if sign[0] == opener else -1
        if not depth:
            return start + sign.end()
    return len(text)
