"""Attacks on posts by what is published with a model: reading them out, and testing whether a phrase was in one.

Up to issue 13, models carried `training_posts.hashes`: a polynomial in a public number, modulo 2**64, of every 50
characters. `encode_old_hashes` makes such a file, so that the attacks can be seen to work.
"""

import gzip
import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tweetbot_trainer.data.cleaning.duplicates import compute_signatures, normalize

Words = npt.NDArray[np.uint64]

WINDOW, FACTOR = 50, 0x9E3779B97F4A7C15
#: Printable ASCII: the attack tries each of these characters for the one that leaves a window and the one that enters.
ALPHABET = range(32, 127)
#: Bases of known rolling hashes: ours of old, FNV's prime, Knuth's, Java's.
FACTORS = (FACTOR, 0x100000001B3, 6364136223846793005, 31)
_HASHES: tuple[Callable[[bytes], Any], ...] = (
    hashlib.md5,
    hashlib.sha1,
    hashlib.sha256,
    hashlib.sha512,
    hashlib.blake2b,
    hashlib.blake2s,
    lambda text: hashlib.blake2b(text, digest_size=8),
    lambda text: hashlib.blake2b(text, digest_size=16),
    lambda text: hashlib.blake2s(text, digest_size=8),
)
#: Bytes of a digest that are searched for, as a file may cut digests.
_CUT = 8


def hash_windows(text: str, *, window: int = WINDOW, factor: int = FACTOR) -> list[int]:
    """Hash every window of a text by Horner's rule, modulo 2**64."""
    hashes = []
    for start in range(len(text) - window + 1):
        value = 0
        for char in text[start : start + window]:
            value = (value * factor + ord(char)) % 2**64
        hashes.append(value)
    return hashes


def encode_old_hashes(posts: Sequence[str]) -> bytes:
    """Return the file that models carried."""
    words = sorted({value for post in posts for value in hash_windows(post)})
    content: bytes = save({"signatures": compute_signatures(posts), "runs": np.array(words, dtype=np.uint64)})
    return content


def read_posts(words: Words) -> set[str]:
    """Read posts of at least 100 characters of ASCII out of the hashes of their windows, without knowing any.

    The next window's hash is (hash - first * FACTOR**49) * FACTOR + last: two unknown characters, and the file has it.
    """
    words = np.unique(words)
    edges = _find_next_windows(words)
    starts = set(edges) - {after for after, _, _ in edges.values()}
    return {post for start in starts if (post := _follow(edges, start))}


def _find_next_windows(words: Words) -> dict[int, tuple[int, str, str]]:
    """Map a window's place to that of the next one, the character that leaves and the one that enters."""
    top = pow(FACTOR, WINDOW - 1, 2**64)
    edges: dict[int, tuple[int, str, str]] = {}
    for first in ALPHABET:
        bases = (words - np.uint64(first * top % 2**64)) * np.uint64(FACTOR)
        places = np.searchsorted(words, bases + np.uint64(ALPHABET.start))
        inside = np.flatnonzero(places < len(words))
        entering = words[places[inside]] - bases[inside]
        found = entering < ALPHABET.stop
        for place, last in zip(inside[found].tolist(), entering[found].tolist(), strict=True):
            edges[place] = int(places[place]), chr(first), chr(last)
    return edges


def _follow(edges: Mapping[int, tuple[int, str, str]], start: int) -> str | None:
    """Return the text along a chain of windows; None if it is shorter than two windows."""
    left, entered, at = "", "", start
    while at in edges and len(left) < len(edges):
        at, first, last = edges[at]
        left, entered = left + first, entered + last
    return left + entered[-WINDOW:] if len(left) >= WINDOW else None


def list_words(content: bytes) -> Words:
    """Return everything in a file that may be an array of 8-byte values, sorted: from each of eight places to begin."""
    shifted = (np.frombuffer(content[shift : len(content) - (len(content) - shift) % 8], "<u8") for shift in range(8))
    return np.sort(np.concatenate([*shifted]).astype(np.uint64))  # ten times as fast as `unique`


def list_wide_arrays(content: bytes) -> list[Words]:
    """Return the arrays of a safetensors file whose values have 8 bytes, the whole of another file, none of a text."""
    try:
        return [array.ravel().view(np.uint64) for array in load(content).values() if array.dtype.itemsize == 8]
    except SafetensorError:
        pass
    try:
        content.decode()
    except UnicodeDecodeError:
        return [np.frombuffer(content[: len(content) - len(content) % 8], "<u8").astype(np.uint64)]
    return []


def unpack(content: bytes) -> Iterator[bytes]:
    """Yield a file's content, and what it unpacks to."""
    yield content
    with suppress(zstandard.ZstdError):
        yield zstandard.ZstdDecompressor().stream_reader(content).read()
    with suppress(OSError, EOFError, zlib.error):
        yield gzip.decompress(content)


def find_tested_phrases(content: bytes, posts: Sequence[str]) -> set[str]:
    """Return the posts of which the file betrays a guessed phrase, by any public hash or signature."""
    words, hexes = list_words(content), set(_list_hexes(content))
    return {post for post in posts if _betrays(content, words, hexes, post)}


def _betrays(content: bytes, words: Words, hexes: set[bytes], post: str) -> bool:
    numbers, digests, signature = _guess(post)
    places = np.searchsorted(words, numbers)
    inside = places < len(words)
    in_array = bool((words[places[inside]] == numbers[inside]).any())
    return in_array or not hexes.isdisjoint(digests) or signature in content


@cache
def _guess(post: str) -> tuple[Words, frozenset[bytes], bytes]:
    """Return what a file may have of a post: 8-byte numbers, digests in hex, the start of its signature."""
    digests = list(_digest(post))
    numbers = [value for factor in FACTORS for value in hash_windows(post, factor=factor)]
    numbers += [int.from_bytes(digest, order) for digest in digests for order in ("little", "big")]
    signature = compute_signatures([post])[0, : 2 * _CUT].tobytes()
    return np.array(numbers, dtype=np.uint64), frozenset(digest.hex().encode() for digest in digests), signature


def _list_hexes(content: bytes) -> Iterator[bytes]:
    """Yield every run of hex digits that is as long as a cut digest, wherever it begins."""
    for found in re.finditer(rb"[0-9a-f]{16,}", content.lower()):
        run = found[0]
        yield from (run[start : start + 2 * _CUT] for start in range(len(run) - 2 * _CUT + 1))


def _digest(post: str) -> Iterator[bytes]:
    """Yield the first bytes of digests of a post and of its windows."""
    for text in {post, normalize(post), post.casefold(), *_split_windows(post)}:
        yield from (make(text.encode()).digest()[:_CUT] for make in _HASHES)


def find_plain_runs(content: bytes, posts: Iterable[str]) -> set[str]:
    """Return runs of 50 characters of a post that stand in the file, in UTF-8, in UTF-16 or as JSON escapes."""
    texts = [content.decode(coding, "replace") for coding in ("utf-8", "utf-16-le", "utf-16-be")]
    texts.append(content.decode("unicode_escape", "replace") if content[:1] in b"{[" else "")
    whole = "\n".join(texts)
    return {run for post in posts if _may_hold(whole, post) for run in _split_windows(post) if run in whole}


def _may_hold(whole: str, post: str) -> bool:
    """Look for every 25 characters of a post first: one of these is in any run of 50."""
    half = WINDOW // 2
    return any(post[start : start + half] in whole for start in range(0, len(post) - half + 1, half))


def _split_windows(post: str) -> Iterator[str]:
    return (post[start : start + WINDOW] for start in range(len(post) - WINDOW + 1))
