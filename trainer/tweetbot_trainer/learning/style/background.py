"""Texts of many people, as counts of n-grams: what an author is compared with.

`background-en.json.xz` is made by tests/bench/tweetbot_style_bench/make_background.py from English posts,
reviews and newspaper snippets (LICENSE-vaderSentiment.txt) and sayings (LICENSE-fortunes.txt). It holds no texts.
"""

import functools
import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from tweetbot_trainer.learning.style.ngrams import NgramModel
from tweetbot_trainer.learning.style.views import View, make_function_word_view, mask_topics
from tweetbot_trainer.store.hashing import compute_sha256

FILE = "background-en.json.xz"
#: Of the unpacked content: packers differ by version.
SHA256 = "33ba9e3b684f79a11dbdd7c2b0a9ab52ce28cb87c6cd7966623b60d2b33f1e91"
#: Characters of an n-gram, and function words of one.
CHARACTERS, WORDS = 5, 3


@dataclass(frozen=True, slots=True)
class Background:
    """One view of many people's texts: their n-grams with a model, and by kind those of texts that it has not seen."""

    view: View
    counts: Mapping[str, int]
    model: NgramModel
    held_out: Mapping[str, Mapping[str, int]]


@functools.cache
def load_backgrounds() -> tuple[Background, Background]:
    """Load the background of characters and that of function words. Raises ValueError if the file is another."""
    content = lzma.decompress((files(__package__) / FILE).read_bytes())
    if compute_sha256(content) != SHA256:
        raise ValueError(f"{FILE} is not the one that this version was calibrated with")
    fields = json.loads(content)
    words = make_function_word_view(fields["functionWords"])
    return _build(fields["characters"], mask_topics, CHARACTERS), _build(fields["words"], words, WORDS)


def _build(fields: dict[str, Any], view: View, order: int) -> Background:
    return Background(view, fields["model"], NgramModel(fields["model"], order), fields["heldOut"])
