"""What of a text is compared: its characters without names and links, or its function words alone."""

import re
from collections.abc import Callable, Sequence

from tweetbot_trainer.data.cleaning.personal_data import PLACEHOLDERS
from tweetbot_trainer.data.post_length import collapse_whitespace

#: Turns a text into the string whose n-grams are counted.
View = Callable[[str], str]

#: Whom and what a post is about is no matter of style. Each kind is one character of the private use area.
_MASKS = (
    (re.compile("|".join(map(re.escape, PLACEHOLDERS))), "\ue003"),
    (re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE), "\ue000"),
    (re.compile(r"(?<!\w)[@\uff20]\w[\w.\-]*(?:@[\w.\-]+)?"), "\ue001"),
    (re.compile(r"(?<!\w)[#\uff03]\w+"), "\ue002"),
    (re.compile(r"\d+"), "0"),
)
_TOKEN = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*|[^\w\s]|_")
#: Any word that is no function word.
CONTENT_WORD = "_"
_FIRST_WORD = 0xE100


def mask_topics(text: str) -> str:
    """Replace links, @names, #tags, numbers and personal data by one character each, and white space by one space."""
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return collapse_whitespace(text)


def make_function_word_view(words: Sequence[str]) -> View:
    """Return a view with one character for each function word, punctuation mark or other word."""
    codes = {word: chr(_FIRST_WORD + index) for index, word in enumerate(words)}

    def encode_function_words(text: str) -> str:
        tokens = _TOKEN.findall(mask_topics(text).casefold().replace("\u2019", "'"))
        return "".join(codes.get(token) or (CONTENT_WORD if token[0].isalpha() else token[0]) for token in tokens)

    return encode_function_words
