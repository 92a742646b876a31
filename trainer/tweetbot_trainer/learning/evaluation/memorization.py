"""How much of what a model writes it has memorized: passages of its samples that occur in the training posts.

A long common passage alone says little, since people repeat themselves. So the rate is also measured against the test
posts, which training never saw, and against train posts of the same size in bytes (design, section 9, "Verbatim rate").
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tweetbot_trainer.data.cleaning.personal_data import find_personal_data
from tweetbot_trainer.data.dataset.copies import NGRAM_CHARACTERS

#: This many equal words in a row count as copied, as NGRAM_CHARACTERS do.
NGRAM_WORDS = 8
#: How many random selections of train posts, as large as the test posts, are averaged.
DRAWS = 20

#: By index of a post, the indices of the samples that share an n-gram with it; posts without any are absent.
SampleMatches = Mapping[int, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Memorization:
    """How much the samples repeat. Rates are shares of the samples, 0 to 1.

    `verbatim_rate` (characters) and `word_rate` are against all train posts; `sized_rate` is against random train posts
    with as many bytes as the test posts, and `unseen_rate` against the test posts: the difference of these two is what
    was memorized. `leaked` counts samples with personal data of a train post. `distinct` are the shares of different
    sequences among the samples' one-, two- and three-word sequences. `has_passages` tells whether any train post is so
    long that `verbatim_rate` can find it repeated.
    """

    samples: int
    verbatim_rate: float
    word_rate: float
    sized_rate: float
    unseen_rate: float
    leaked: int
    distinct: tuple[float, float, float]
    has_passages: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return the figures under the names that reports use."""
        return {
            "samples": self.samples,
            "verbatimRate": self.verbatim_rate,
            "verbatimWordsRate": self.word_rate,
            "verbatimRateSized": self.sized_rate,
            "verbatimRateUnseen": self.unseen_rate,
            "leaked": self.leaked,
            "distinct": list(self.distinct),
        }

    def as_metrics(self) -> dict[str, Any]:
        """Return the figures that the contract's `Metrics` has, by its fields; what says nothing is left out."""
        return {
            "verbatim_rate": self.verbatim_rate if self.has_passages else None,
            "verbatim_rate_unseen": self.unseen_rate,
            "leaked_samples": self.leaked,
            **{f"distinct{length}": share for length, share in enumerate(self.distinct, 1)},
        }


def measure_memorization(
    samples: Sequence[str], train: Sequence[str], test: Sequence[str], *, seed: int
) -> Memorization:
    """Compare samples with the posts of training and test; empty samples count as samples."""
    count, every = len(samples), range(len(train))
    by_train = find_shared_ngrams(samples, train, _split_character_ngrams)
    by_test = find_shared_ngrams(samples, test, _split_character_ngrams)
    words = find_shared_ngrams(samples, train, _split_word_ngrams)
    size = sum(len(text.encode()) for text in test)
    draws = [_draw_posts(train, size, Random(f"{seed}/{draw}")) for draw in range(DRAWS)]  # noqa: S311
    return Memorization(
        samples=count,
        verbatim_rate=_compute_share(by_train, every, count),
        word_rate=_compute_share(words, every, count),
        sized_rate=sum(_compute_share(by_train, indices, count) for indices in draws) / DRAWS,
        unseen_rate=_compute_share(by_test, range(len(test)), count),
        leaked=_count_leaked(samples, train),
        has_passages=any(len(text) >= NGRAM_CHARACTERS for text in train),
        distinct=(_compute_distinct(samples, 1), _compute_distinct(samples, 2), _compute_distinct(samples, 3)),
    )


def find_shared_ngrams(
    samples: Sequence[str], posts: Sequence[str], split_ngrams: Callable[[str], Iterable[str]]
) -> SampleMatches:
    """Find the samples that share an n-gram with each post; memory grows with the samples, not with the posts."""
    sample_indices: dict[str, set[int]] = defaultdict(set)
    for index, sample in enumerate(samples):
        for ngram in split_ngrams(sample):
            sample_indices[ngram].add(index)
    if not sample_indices:
        return {}
    found = (
        (post, [sample_indices[ngram] for ngram in split_ngrams(text) if ngram in sample_indices])
        for post, text in enumerate(posts)
    )
    return {post: frozenset[int]().union(*met) for post, met in found if met}


def _split_character_ngrams(text: str) -> Iterator[str]:
    return (text[start : start + NGRAM_CHARACTERS] for start in range(len(text) - NGRAM_CHARACTERS + 1))


def _split_word_ngrams(text: str) -> Iterator[str]:
    words = text.casefold().split()
    return (" ".join(words[start : start + NGRAM_WORDS]) for start in range(len(words) - NGRAM_WORDS + 1))


def _compute_share(shared: SampleMatches, posts: Iterable[int], samples: int) -> float:
    met = frozenset[int]().union(*(shared[post] for post in posts if post in shared))
    return len(met) / samples if samples else 0.0


def _draw_posts(posts: Sequence[str], size: int, random: Random) -> list[int]:
    """Draw indices of posts, without repetition, until they have `size` bytes together."""
    order = list(range(len(posts)))
    random.shuffle(order)
    drawn: list[int] = []
    for index in order:
        if size <= 0:
            break
        drawn.append(index)
        size -= len(posts[index].encode())
    return drawn


def _count_leaked(samples: Sequence[str], train: Sequence[str]) -> int:
    """Count the samples with personal data of a train post; with redaction there can be none."""
    suspects = [found for sample in samples if (found := find_personal_data(sample))]
    return sum(any(one in text for one in found for text in train) for found in suspects)


def _compute_distinct(samples: Sequence[str], length: int) -> float:
    sequences = [
        tuple(words[start : start + length])
        for words in (sample.casefold().split() for sample in samples)
        for start in range(len(words) - length + 1)
    ]
    return len(set(sequences)) / len(sequences) if sequences else 0.0
