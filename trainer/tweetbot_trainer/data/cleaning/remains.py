"""Signs that only lead to a link or to another's words, and are left over without it: dashes, colons, arrows.

Words are taken off the end of a list, so a hostile text takes linear time.
"""

import re
import unicodedata

_ARROW_BLOCKS = ((0x2190, 0x2200), (0x2798, 0x27B0), (0x27B1, 0x27BF), (0x27F0, 0x2800), (0x2900, 0x2980))
_ARROWS = "".join(chr(code) for block in _ARROW_BLOCKS for code in range(*block)) + "➔⬅⬆⬇⏩⏬▶►▷▸▹◀◄▼▽▾☛☞☟☝👆👇👈👉🫵🔗"
#: Emoji's variation selectors and skin tones belong to the sign before them.
_MODIFIERS = "\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d-"
#: Dashes, colons, bars and arrows lead to a link even when they end a word.
_ATTACHED = _DASHES + ":\ufe55\uff1a|¦│┃\uff5c\uff0f>»\u203a" + _ARROWS + _MODIFIERS
#: These lead to one only when they stand alone.
_ALONE = _ATTACHED + "<=~/\\*\u2044\uff5e\u301c\u3030•·\u2219\u2027\u30fb●▪■◆"
#: Faces made of such signs alone: `:/`, `:|`, `;->`, `>:/`, `=/`.
_FACE = re.compile(r"[<>|]?(?:[:;]['^o-]?(?:[/\\]+|\|+|[<>])|=-?[/\\|]+)")
#: Faces that end with a colon: `(:`, also at the end of a word; `):`, `D-:` and `c:` only as a word.
_LEFT_FACE = re.compile(r"(?:[)\]}]{1,3}|[Dc])['^o-]?:|.*[(\[{]['^o-]?:")
#: A word that follows a link without a space, as in `https://… -Title`.
_DASHED = re.compile(rf"[|>→{_DASHES}]+(?=[^\W\d_]{{2}})")
#: Announce a link, as in `via https://…` and `RE: https://…`.
_LABEL = re.compile(r"/?(?:(?:via|vía|h/t|ht):?|(?:re|rn|qt):)", re.IGNORECASE)
#: Wait for more when they end a text: these as words, commas also at the end of one.
_COMMAS = ",;、\uff0c\uff1b\u060c\u061b"
_WAITING = "&+([{“„«「『【\uff08" + _COMMAS
#: An opening quotation mark farther away is not that of the closing one.
_QUOTED_WORDS = 40


def trim_tail(words: list[str]) -> None:
    """Take off the end of the words what only leads to something that was removed after them."""
    while words and (_is_leading_last(words) or _LABEL.fullmatch(words[-1])):
        words.pop()
    if words:
        words[-1] = _trim_word(words[-1])


def trim_end_of_text(words: list[str]) -> None:
    """Take off the last words what only leads to, or waits for, something that was removed after them."""
    trim_tail(words)
    while words and not words[-1].strip(_WAITING):
        words.pop()
        trim_tail(words)
    if words and "&" not in words[-1] and _has_content(rest := words[-1].rstrip(_COMMAS)):
        words[-1] = rest


def trim_head(words: list[str]) -> list[str]:
    """Return the words without what only followed something that was removed before them."""
    first = next((index for index, word in enumerate(words) if not _is_lead(word)), len(words))
    following = words[first:]
    if following and (dash := _DASHED.match(following[0])):
        following[0] = following[0][dash.end() :]
    return following


def _is_leading_last(words: list[str]) -> bool:
    """Tell whether the last word only leads on, and closes no quotation such as « this »."""
    last = words[-1]
    return _is_lead(last) and not (
        last in "»\u203a" and any("«" in word or "\u2039" in word for word in words[-_QUOTED_WORDS:])
    )


def _is_lead(word: str) -> bool:
    """Tell whether a word consists of leading signs alone, and is no face."""
    return not word.strip(_ALONE) and bool(word.strip(_MODIFIERS)) and not _FACE.fullmatch(word)


def _trim_word(word: str) -> str:
    """Return the word without the leading signs at its end; faces such as `-_-`, `(:` and `lol:|` stay."""
    signs = word[len(word.rstrip(_ATTACHED)) :].lstrip(_MODIFIERS)  # what comes first modifies an emoji that stays
    rest = word[: len(word) - len(signs)]
    if not signs or not _has_content(rest) or _FACE.fullmatch(signs) or _LEFT_FACE.fullmatch(word):
        return word
    return word if _is_closing(rest, signs) else rest.rstrip("=" if signs[0] == ">" else "")


def _is_closing(rest: str, signs: str) -> bool:
    return any(
        sign in signs and opener in rest
        for sign, opener in ((">", "<"), ("»", "«"), ("\u203a", "\u2039"), ("\uff0f", "\uff3c"))
    )


def _has_content(word: str) -> bool:
    return any(char.isalnum() or unicodedata.category(char) == "So" for char in word)
