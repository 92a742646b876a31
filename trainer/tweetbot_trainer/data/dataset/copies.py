"""Detect copies of posts by hashes, which take less memory than the posts and are compared faster.

Anybody who has the hashes, and can compute them, can ask whether a text copies a post, and so read posts by guessing
one character after the other. So hashes that are stored are keyed, and belong to the dataset, never to a model
(decision 42).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load

from tweetbot_trainer.data.cleaning.duplicates import compute_signatures
from tweetbot_trainer.data.post_length import collapse_whitespace

#: This many equal characters in a row count as copied.
NGRAM_CHARACTERS = 50
#: Estimated Jaccard similarity of a near-copy. Cleaning compares exactly, at 0.85; 128 hashes estimate that to within
#: 0.03, so this finds 95 % of what cleaning would call a near-duplicate.
SIMILARITY = 0.8
#: The share of signature bytes that agree by chance between unrelated texts.
_CHANCE = 1 / 256
_KEY_CHECK, _SIGNATURES, _NGRAMS = "keyCheck", "signatures", "ngrams"

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class CopyDetector:
    """Hashes of the posts: MinHash signatures, [posts, 128] uint8, and their n-grams of 50 characters, sorted uint64.

    Without a key they are for the memory of one process only.
    """

    signatures: npt.NDArray[np.uint8]
    ngrams: Hashes
    key: bytes = field(default=b"", repr=False)

    @classmethod
    def from_posts(cls, posts: Iterable[str], *, key: bytes = b"") -> "CopyDetector":
        """Hash the posts; the same posts and key give the same bytes."""
        lines = [line for post in posts if (line := collapse_whitespace(post))]
        return cls(compute_signatures(lines, key=key), _sort_distinct(_hash_ngrams(lines, key)), key)

    @classmethod
    def decode(cls, content: bytes, *, key: bytes) -> "CopyDetector":
        """Decode what `encode` made. Raises ValueError, also if that had another key."""
        try:
            tensors = load(content)
            found = cls(tensors[_SIGNATURES], tensors[_NGRAMS], key)
            same_key = tensors[_KEY_CHECK].tobytes() == _make_key_check(key)
        except (SafetensorError, LookupError) as error:
            raise ValueError(str(error)) from error
        if found.signatures.dtype != np.uint8 or found.ngrams.dtype != np.uint64 or found.signatures.ndim != 2:
            raise ValueError("its arrays have other types")
        if not same_key:
            raise ValueError("it was made with another key")
        return found

    def encode(self) -> bytes:
        """Return the hashes as a safetensors file. Raises ValueError if they have no key."""
        if not self.key:
            raise ValueError("hashes without a key are not stored")
        key_check = np.frombuffer(_make_key_check(self.key), dtype=np.uint8)
        return _pack_tensors({_NGRAMS: self.ngrams, _KEY_CHECK: key_check, _SIGNATURES: self.signatures})

    def is_copy(self, text: str, *, given: str = "") -> bool:
        """Tell whether a text is nearly a post, or repeats 50 characters of one after the prompt `given`."""
        line = collapse_whitespace(text)
        own = line[len(collapse_whitespace(given)) :]
        return self._repeats(own) or self._compute_similarity(line) >= SIMILARITY

    def _repeats(self, line: str) -> bool:
        hashes = _hash_ngrams([line], self.key)
        places = np.searchsorted(self.ngrams, hashes)
        inside = places < len(self.ngrams)
        return bool((self.ngrams[places[inside]] == hashes[inside]).any())

    def _compute_similarity(self, line: str) -> float:
        if not len(self.signatures):
            return 0.0
        equal = (self.signatures == compute_signatures([line], key=self.key)).mean(axis=1).max()
        return float((equal - _CHANCE) / (1 - _CHANCE))


def _hash_ngrams(lines: Sequence[str], key: bytes) -> Hashes:
    """Hash every n-gram of 50 characters that lies within one of the lines."""
    hashes, compute_hash = bytearray(), partial(blake2b, key=key, digest_size=8)
    for line in lines:
        ends = range(NGRAM_CHARACTERS, len(line) + 1)
        ngrams = [line[end - NGRAM_CHARACTERS : end].encode("utf-8", "surrogatepass") for end in ends]
        hashes += b"".join([compute_hash(ngram).digest() for ngram in ngrams])
    return np.frombuffer(hashes, dtype="<u8").astype(np.uint64, copy=False)


def _sort_distinct(hashes: Hashes) -> Hashes:
    """Sort the hashes where they are and return the distinct ones. np.unique needs seven times their memory."""
    hashes.sort()
    first = np.ones(len(hashes), dtype=np.bool_)
    np.not_equal(hashes[1:], hashes[:-1], out=first[1:])
    distinct: Hashes = hashes[first]
    return distinct


def _pack_tensors(tensors: dict[str, npt.NDArray[Any]]) -> bytes:
    """Return the tensors, those with the largest numbers first, as a safetensors file.

    `safetensors.numpy.save` gives the same bytes, and copies every tensor twice on the way, which was prepare's peak.
    """
    header: dict[str, Any] = {}
    end = 0
    for name, tensor in tensors.items():
        start, end = end, end + tensor.nbytes
        dtype = f"U{8 * tensor.itemsize}"
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [start, end]}
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return b"".join(
        (len(head).to_bytes(8, "little"), head, *(np.ascontiguousarray(each).data for each in tensors.values()))
    )


def _make_key_check(key: bytes) -> bytes:
    """Return what tells one key from another, and nothing about it."""
    return blake2b(b"key check", key=key, digest_size=16).digest()
