"""Detect copies of training posts by hashes, from which no post can be recovered.

The hashes are published in the model's directory: anyone who generates with the model can exclude copies without the
dataset.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tweetbot_trainer.data.cleaning.duplicates import compute_signatures
from tweetbot_trainer.data.post_length import collapse_whitespace
from tweetbot_trainer.learning.evaluation.memorization import NGRAM_CHARACTERS

#: A safetensors file under another suffix: model servers load every *.safetensors as weights.
HASHES_FILE = "training_posts.hashes"
SCHEMA = "1"
#: Estimated Jaccard similarity of a near-copy. Cleaning compares exactly, at 0.85; 128 hashes estimate that to within
#: 0.03, so this finds 95 % of what cleaning would call a near-duplicate.
SIMILARITY = 0.8
#: The share of signature bytes that agree by chance between unrelated texts.
_CHANCE = 1 / 256
#: Posts hashed at once.
_BLOCK = 2000
#: Stands between two posts; no single-line text contains it.
_SEPARATOR = "\x00"
_FACTOR = 0x9E3779B97F4A7C15

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class CopyDetector:
    """Hashes of the posts: MinHash signatures, [posts, 128] uint8, and their n-grams of 50 characters, sorted."""

    signatures: npt.NDArray[np.uint8]
    ngrams: Hashes

    @classmethod
    def from_posts(cls, posts: Sequence[str]) -> "CopyDetector":
        """Hash the posts; the same posts give the same bytes."""
        lines = [line for post in posts if (line := collapse_whitespace(post))]
        blocks = (lines[start : start + _BLOCK] for start in range(0, len(lines), _BLOCK))
        ngrams = np.concatenate([_hash_ngrams([]), *map(_hash_ngrams, blocks)])
        return cls(compute_signatures(lines), np.unique(ngrams))

    @classmethod
    def decode(cls, content: bytes) -> "CopyDetector":
        """Decode the content of a file that `encode` made. Raises ValueError."""
        try:
            tensors = load(content)
            found = cls(tensors["signatures"], tensors["runs"])
        except (SafetensorError, LookupError) as error:
            raise ValueError(str(error)) from error
        if found.signatures.dtype != np.uint8 or found.ngrams.dtype != np.uint64 or found.signatures.ndim != 2:
            raise ValueError("its arrays have other types")
        return found

    def encode(self) -> bytes:
        """Return the content of HASHES_FILE."""
        tensors: dict[str, npt.NDArray[Any]] = {"signatures": self.signatures, "runs": self.ngrams}
        content: bytes = save(tensors, metadata={"schema": SCHEMA})
        return content

    def is_copy(self, text: str, *, given: str = "") -> bool:
        """Tell whether a text is nearly a post, or repeats 50 characters of one after the prompt `given`."""
        line = collapse_whitespace(text)
        own = line[len(collapse_whitespace(given)) :]
        return bool(np.isin(_hash_ngrams([own]), self.ngrams).any()) or self._compute_similarity(line) >= SIMILARITY

    def _compute_similarity(self, line: str) -> float:
        if not len(self.signatures):
            return 0.0
        equal = (self.signatures == compute_signatures([line])).mean(axis=1).max()
        return float((equal - _CHANCE) / (1 - _CHANCE))


def _hash_ngrams(lines: Iterable[str]) -> Hashes:
    """Hash every n-gram of 50 characters that lies within one of the lines."""
    codes = np.frombuffer(_SEPARATOR.join(lines).encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    count = max(0, len(codes) - NGRAM_CHARACTERS + 1)
    sums = np.zeros(count, dtype=np.uint64)
    for offset in range(NGRAM_CHARACTERS):  # a polynomial in an odd number, modulo 2**64, by Horner's rule
        sums = sums * np.uint64(_FACTOR) + codes[offset : offset + count]
    # separators[i] counts those before character i: an n-gram is whole if the count is the same at both of its ends
    separators = np.concatenate([[0], np.cumsum(codes == 0)])
    whole: Hashes = sums[separators[NGRAM_CHARACTERS:] == separators[:count]]
    return whole
