"""How much of what a model writes it merely remembers: runs of a sample that stand in the posts it was trained on.

A long run alone says little, since people repeat themselves: so the same is asked of the test posts, which training
never saw, and of as many bytes of the train posts (design, section 9, "Verbatim rate").
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tweetbot_trainer.data.cleaning.personal_data import personal_data

#: A run of so many characters, or so many words, counts as copied.
RUN_CHARACTERS, RUN_WORDS = 50, 8
#: So many times the train posts are cut down at random to the size of the test posts.
DRAWS = 20

#: Which samples, by their places, each post shares a run with; posts that share none are absent.
Shared = Mapping[int, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Memorisation:
    """Shares of the samples, 0 to 1. `verbatim_rate` and `word_rate` are against all train posts.

    `sized_rate` is against random train posts of as many bytes as the test posts have, `unseen_rate` against those:
    only what the first is above the second was remembered. `leaked` counts samples with an address, number or key that
    stands in a train post. `distinct` tells how many of the samples' one-, two- and
    three-word sequences differ.
    """

    samples: int
    verbatim_rate: float
    word_rate: float
    sized_rate: float
    unseen_rate: float
    leaked: int
    distinct: tuple[float, float, float]

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
        """Return those that the status and every tracker show, by the fields of `Metrics`."""
        return {
            "verbatim_rate": self.verbatim_rate,
            "verbatim_rate_unseen": self.unseen_rate,
            "leaked_samples": self.leaked,
            **{f"distinct{length}": share for length, share in enumerate(self.distinct, 1)},
        }


def memorisation_of(samples: Sequence[str], train: Sequence[str], test: Sequence[str], *, seed: int) -> Memorisation:
    """Compare samples, empty ones among them, with what was trained on and what was not."""
    by_train = shared_runs(samples, train, _character_runs)
    by_test = shared_runs(samples, test, _character_runs)
    size = sum(len(text.encode()) for text in test)
    draws = [_drawn_places(train, size, Random(f"{seed}/{draw}")) for draw in range(DRAWS)]  # noqa: S311
    return Memorisation(
        samples=len(samples),
        verbatim_rate=_share(by_train, range(len(train)), len(samples)),
        word_rate=_share(shared_runs(samples, train, _word_runs), range(len(train)), len(samples)),
        sized_rate=sum(_share(by_train, places, len(samples)) for places in draws) / DRAWS,
        unseen_rate=_share(by_test, range(len(test)), len(samples)),
        leaked=_leaked(samples, train),
        distinct=(_distinct(samples, 1), _distinct(samples, 2), _distinct(samples, 3)),
    )


def shared_runs(samples: Sequence[str], posts: Sequence[str], runs: Callable[[str], Iterable[str]]) -> Shared:
    """Return which samples share a run with which post; memory grows with the samples, not with the posts."""
    places: dict[str, set[int]] = defaultdict(set)
    for place, sample in enumerate(samples):
        for run in runs(sample):
            places[run].add(place)
    if not places:
        return {}
    found = ((post, [places[run] for run in runs(text) if run in places]) for post, text in enumerate(posts))
    return {post: frozenset[int]().union(*met) for post, met in found if met}


def _character_runs(text: str) -> Iterator[str]:
    return (text[start : start + RUN_CHARACTERS] for start in range(len(text) - RUN_CHARACTERS + 1))


def _word_runs(text: str) -> Iterator[str]:
    words = text.casefold().split()
    return (" ".join(words[start : start + RUN_WORDS]) for start in range(len(words) - RUN_WORDS + 1))


def _share(shared: Shared, posts: Iterable[int], samples: int) -> float:
    met = frozenset[int]().union(*(shared[post] for post in posts if post in shared))
    return len(met) / samples if samples else 0.0


def _drawn_places(posts: Sequence[str], size: int, random: Random) -> list[int]:
    """Return places of random posts that together have about so many bytes."""
    order = list(range(len(posts)))
    random.shuffle(order)
    drawn: list[int] = []
    for place in order:
        if size <= 0:
            break
        drawn.append(place)
        size -= len(posts[place].encode())
    return drawn


def _leaked(samples: Sequence[str], train: Sequence[str]) -> int:
    """Return how many samples hold personal data that stands in a train post: with redaction none can."""
    suspects = [found for sample in samples if (found := personal_data(sample))]
    return sum(any(one in text for one in found for text in train) for found in suspects)


def _distinct(samples: Sequence[str], length: int) -> float:
    sequences = [
        tuple(words[start : start + length])
        for words in (sample.casefold().split() for sample in samples)
        for start in range(len(words) - length + 1)
    ]
    return len(set(sequences)) / len(sequences) if sequences else 0.0
