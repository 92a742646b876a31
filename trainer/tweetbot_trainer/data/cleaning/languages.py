"""Which language a post is in: as its source says, else as its text tells."""

import functools
import importlib.metadata
import re
from typing import Protocol

from tweetbot_trainer.data.posts import Post

#: Labels of X that name no language: undetermined, no text, only media, only tags, a quoted post's, too short.
_NONE = frozenset({"und", "zxx", "art", "qam", "qct", "qht", "qme", "qst"})
#: Codes that X still writes and what ISO 639-1 says today; varieties that sources and filters know by a wider code.
_TODAY = {
    "in": "id",
    "iw": "he",
    "ji": "yi",
    "fil": "tl",
    "nb": "no",
    "nn": "no",
    "cmn": "zh",
    "yue": "zh",
    "wuu": "zh",
}
#: Share of the probability from which a text counts as told; a few words of chat rarely get there.
CERTAINTY = 0.6
_NO_WORDS = re.compile(r"[@#\uff20\uff03]\w+|\[[a-z]+\]")


class _Detector(Protocol):
    def classify(self, text: str) -> tuple[str, float]: ...


def normalize_code(code: str) -> str:
    """Return the ISO 639 code in use today, without region or script."""
    language = code.lower().replace("_", "-").split("-")[0]
    return _TODAY.get(language, language)


def parse_label(label: str | None) -> str | None:
    """Return the language that a source's label names; None where it names none."""
    code = normalize_code(label or "")
    return None if code in _NONE else code or None


def detect_language(text: str) -> str | None:
    """Return the language that a text is surely in, names, tags and placeholders apart; None where it is not sure."""
    language, certainty = _load_detector().classify(_NO_WORDS.sub(" ", text).strip())
    return None if certainty < CERTAINTY else parse_label(language)


def is_foreign(post: Post, text: str, languages: tuple[str, ...]) -> bool:
    """Tell whether a post is in none of these languages; one that neither label nor text places is in any."""
    language = parse_label(post.lang) or detect_language(text)
    return language is not None and language not in languages


def describe_detector() -> str:
    """Return what decides where a source labels nothing."""
    return f"py3langid={importlib.metadata.version('py3langid')}"


@functools.cache
def _load_detector() -> _Detector:
    """Load the model once it is needed: half a second, a hundred megabytes."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    detector: _Detector = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return detector
