"""Counting a post's words, in any script."""

import re

#: Scripts without spaces between words, and how many letters (not marks) count as one word: averages that we measured,
#: rounded down so that a sentence of three short words ("ฉันรักเธอ", "我爱你哦") is no short post.
_UNSPACED: tuple[tuple[str, float], ...] = (
    ("\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af\u3005-\u3007", 1.5),  # Han
    ("\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f", 2),  # Kana
    ("\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\uaa60-\uaa7f\u1780-\u17ff", 3),  # Thai, Lao, Tibetan, Burmese, Khmer
)
_SCRIPTS = tuple((re.compile(f"[{ranges}]"), size) for ranges, size in _UNSPACED)
#: Characters that end a link without a space: those scripts, full-width punctuation and emoji.
UNSPACED_RANGES = "".join(ranges for ranges, _ in _UNSPACED) + "\u3000-\u303f\uff00-\uffef\uac00-\ud7ff\u2600-\u27bf"
UNSPACED_RANGES += "\U0001f000-\U0001faff"
_LETTER_OR_DIGIT = re.compile(r"[A-Za-z0-9]")
#: A name or a tag, whatever punctuation precedes it.
_NAME_OR_TAG = re.compile(r"[^\w@#\uff20\uff03]*[@#\uff20\uff03]\w")


def count_words(text: str) -> int:
    """Count a post's words: @names, #tags and punctuation do not count, unspaced scripts count by their letters."""
    return sum(_count_chunk_words(chunk) for chunk in text.split() if not _NAME_OR_TAG.match(chunk))


def _count_chunk_words(chunk: str) -> int:
    if chunk.isascii():
        return int(_LETTER_OR_DIGIT.search(chunk) is not None)
    letters = "".join(char for char in chunk if char.isalnum())
    counts = [(len(script.findall(letters)), size) for script, size in _SCRIPTS]
    unspaced = sum(-int(-count // size) for count, size in counts)
    return unspaced + (len(letters) > sum(count for count, _ in counts))
