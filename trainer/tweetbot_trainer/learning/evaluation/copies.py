"""Whether a text copies a post that the model was trained on, told from hashes: no post can be read out of them.

The hashes lie in the model's directory, so that whoever has the model can keep copies back, and needs no dataset.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tweetbot_trainer.data.cleaning.duplicates import signatures
from tweetbot_trainer.data.post_length import one_line
from tweetbot_trainer.learning.evaluation.memorization import RUN_CHARACTERS

#: Content as safetensors; the name is another, since servers load every file of that ending as weights.
HASHES_FILE = "training_posts.hashes"
SCHEMA = "1"
#: Estimated Jaccard similarity of a near-copy. Cleaning compares exactly, at 0.85; 128 hashes estimate that to within
#: 0.03, so this finds 95 % of what cleaning would call a near-duplicate.
SIMILARITY = 0.8
#: Share of bytes by which signatures of unlike texts agree by chance.
_CHANCE = 1 / 256
#: Posts hashed at once.
_BLOCK = 2000
#: Between two posts; no text on one line holds it.
_SEPARATOR = "\x00"
_FACTOR = 0x9E3779B97F4A7C15

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class TrainingPosts:
    """Hashes of the posts: `signatures` [posts, 128] bytes, and each run of 50 characters, ascending, [runs]."""

    signatures: npt.NDArray[np.uint8]
    runs: Hashes

    @classmethod
    def of(cls, posts: Sequence[str]) -> "TrainingPosts":
        """Return the hashes of posts. The same posts give the same bytes."""
        lines = [line for post in posts if (line := one_line(post))]
        blocks = (lines[start : start + _BLOCK] for start in range(0, len(lines), _BLOCK))
        return cls(signatures(lines), np.unique(np.concatenate([_no_hashes(), *map(_runs_of, blocks)])))

    @classmethod
    def decoded(cls, content: bytes) -> "TrainingPosts":
        """Return what `encoded` wrote. Raises ValueError."""
        try:
            tensors = load(content)
            found = cls(tensors["signatures"], tensors["runs"])
        except (SafetensorError, LookupError) as error:
            raise ValueError(str(error)) from error
        if found.signatures.dtype != np.uint8 or found.runs.dtype != np.uint64 or found.signatures.ndim != 2:
            raise ValueError("its arrays are of other types")
        return found

    def encoded(self) -> bytes:
        """Return the file's content."""
        tensors: dict[str, npt.NDArray[Any]] = {"signatures": self.signatures, "runs": self.runs}
        content: bytes = save(tensors, metadata={"schema": SCHEMA})
        return content

    def copied(self, text: str, *, given: str = "") -> bool:
        """Tell whether a text repeats a post: nearly all of one, or 50 characters in a row after the prompt `given`."""
        line = one_line(text)
        own = line[len(one_line(given)) :]
        return bool(np.isin(_runs_of([own]), self.runs).any()) or self._nearest(line) >= SIMILARITY

    def _nearest(self, line: str) -> float:
        if not len(self.signatures):
            return 0.0
        equal = (self.signatures == signatures([line])).mean(axis=1).max()
        return float((equal - _CHANCE) / (1 - _CHANCE))


def _runs_of(lines: Iterable[str]) -> Hashes:
    """Return a hash of every run of 50 characters that lies within one of the lines."""
    codes = np.frombuffer(_SEPARATOR.join(lines).encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    count = len(codes) - RUN_CHARACTERS + 1
    if count <= 0:
        return _no_hashes()
    sums = np.zeros(count, dtype=np.uint64)
    for place in range(RUN_CHARACTERS):  # a polynomial in an odd number, modulo 2**64, by Horner's rule
        sums = sums * np.uint64(_FACTOR) + codes[place : place + count]
    separators = np.concatenate([[0], np.cumsum(codes == 0)])
    whole: Hashes = sums[separators[RUN_CHARACTERS:] == separators[:count]]
    return whole


def _no_hashes() -> Hashes:
    return np.empty(0, dtype=np.uint64)
