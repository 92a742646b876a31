"""A post's language: as its source labels it, else as its text suggests."""

import functools
import importlib.metadata
import re
from collections.abc import Sequence
from typing import Protocol

from tweetbot_trainer.data.posts import Post

#: X's labels that name no language: undetermined, no text, only media, only tags, a quoted post's, too short.
_NONE = frozenset({"und", "zxx", "art", "qam", "qct", "qht", "qme", "qst"})
#: Outdated codes that X still writes, and varieties that sources and filters know by a wider code.
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
#: Probability from which the detector is believed; a few words of chat rarely reach it.
CERTAINTY = 0.6
_NO_WORDS = re.compile(r"[@#\uff20\uff03]\w+|\[[a-z]+\]")


class _Detector(Protocol):
    def classify(self, text: str) -> tuple[str, float]: ...


def normalize_code(code: str) -> str:
    """Return today's ISO 639 code, without region or script."""
    language = code.lower().replace("_", "-").split("-")[0]
    return _TODAY.get(language, language)


def parse_label(label: str | None) -> str | None:
    """Return the language that a source's label names, if any."""
    code = normalize_code(label or "")
    return None if code in _NONE else code or None


def detect_language(text: str) -> str | None:
    """Return the language of a text without its names, tags and placeholders; None if uncertain."""
    language, certainty = _load_detector().classify(_NO_WORDS.sub(" ", text).strip())
    return None if certainty < CERTAINTY else parse_label(language)


def is_foreign(post: Post, text: str, languages: tuple[str, ...]) -> bool:
    """Tell whether a post is in none of these languages; one of unknown language is not foreign."""
    language = parse_label(post.lang) or detect_language(text)
    return language is not None and language not in languages


def sample_evenly(texts: Sequence[str], limit: int) -> Sequence[str]:
    """Return at most `limit` of the texts, at equal distances."""
    return texts[:: -(-len(texts) // limit) or 1]


def describe_detector() -> str:
    """Return name and version of the detector that decides where a source labels nothing."""
    return f"py3langid={importlib.metadata.version('py3langid')}"


@functools.cache
def _load_detector() -> _Detector:
    """Load the model, which takes half a second and a hundred megabytes."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    detector: _Detector = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return detector
