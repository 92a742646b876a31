"""The text rules of the recipe `modern`: every entity and every kind of link, any script, nothing private."""

import html
import re
from collections.abc import Callable

from tweetbot_trainer.cleaning import privacy

END_MARK = "<|endoftext|>"
#: What stands in place of an end mark that an author typed: no longer a token that ends a post.
TAMED_MARK = "<endoftext>"
#: Scripts without spaces between words, and how many letters we count as one word in each: our own rough means.
_UNSPACED: tuple[tuple[tuple[tuple[int, int], ...], int], ...] = (
    (((0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)), 2),  # Kana, Han
    (((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF)), 4),  # Thai, Lao, Burmese, Khmer
)
#: A link ends at white space or where an unspaced script or full-width punctuation goes on.
_ADDRESS = r"[^\s\u3000-\u9fff\uac00-\ud7ff\uff00-\uffef]*"
_LINK = re.compile(
    rf"https?:/{_ADDRESS}|(?<![\w@.-])(?:www\.\w|pic\.twitter\.com/|t\.co/|youtu\.be/|bit\.ly/){_ADDRESS}",
    re.IGNORECASE,
)
_OLD_RETWEET = re.compile(r"\s*RT @[a-z0-9_]", re.IGNORECASE | re.ASCII)
_MENTION = re.compile(r"(?<![A-Za-z0-9_@/.])@[A-Za-z0-9_]{1,50}")
#: C0 and C1 controls and the byte-order mark.
_CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), 0xFEFF), " ")
#: What one rule leaves may be another's work; a text that still changes after so many rounds was made to.
ROUNDS = 10


def unescaped(text: str) -> str:
    """Return the text with HTML entities resolved once: twice would spoil posts about HTML."""
    return html.unescape(text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def without_controls(text: str) -> str:
    """Return the text with a space for each control character and byte-order mark."""
    return text.translate(_CONTROLS)


def without_links(text: str) -> str:
    """Return the text with a space for each link, whatever its case, with or without a scheme."""
    return _LINK.sub(" ", text)


def tamed(text: str) -> str:
    """Return the text with literal end marks made harmless."""
    return text.replace(END_MARK, TAMED_MARK)


def one_spaced(text: str) -> str:
    """Return the text on one line, with single spaces."""
    return " ".join(text.split())


def anonymous_mentions(text: str) -> str:
    """Return the text with @user for each @name."""
    return _MENTION.sub("@user", text)


def tidied(text: str, *, mentions: bool, private: bool) -> str:
    """Return the text after all rules but `unescaped`; doing it again changes nothing.

    `mentions` replaces @names, `private` replaces personal data.
    """
    rules: tuple[Callable[[str], str], ...] = (without_controls, without_links)
    rules += (privacy.redacted,) if private else ()
    rules += (anonymous_mentions,) if mentions else ()
    rules += (tamed, one_spaced)
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


def word_count(text: str) -> int:
    """Return how many words a post has: links, @names, #tags and signs count none, unspaced scripts by letters."""
    return sum(_words_in(chunk) for chunk in text.split() if not chunk.startswith(("@", "#")))


def _words_in(chunk: str) -> int:
    if chunk.isascii():
        return int(any(sign.isalnum() for sign in chunk))
    letters = [sign for sign in chunk if sign.isalnum()]
    by_script = [sum(_is_in(sign, ranges) for sign in letters) for ranges, _ in _UNSPACED]
    unspaced = sum(-(-count // size) for count, (_, size) in zip(by_script, _UNSPACED, strict=True))
    return unspaced + (len(letters) > sum(by_script))


def _is_in(sign: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= ord(sign) <= last for first, last in ranges)
