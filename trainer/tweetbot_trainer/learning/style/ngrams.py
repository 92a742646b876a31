"""A Witten-Bell model of n-grams: how likely each character of a text is after those before it."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

#: Stands before a text's first character, so that beginnings count.
START = "\x02"
#: Probability of a character that was never seen: one in as many as a writing system may have.
UNSEEN = 1 / 5000


def split_ngrams(text: str, order: int) -> list[str]:
    """Return an n-gram of `order` characters for each character of the text, which is its last."""
    padded = START * (order - 1) + text
    return [padded[end - order : end] for end in range(order, len(padded) + 1)]


def count_ngrams(texts: Iterable[str], order: int) -> Counter[str]:
    """Count the n-grams of texts."""
    counts = Counter[str]()
    for text in texts:
        counts.update(split_ngrams(text, order))
    return counts


class NgramModel:
    """Probabilities from counts of n-grams of one order; shorter ones are counted from them (Witten and Bell, 1991).

    At each order p = (count + kinds * p of the next lower order) / (total + kinds), where `total` characters of
    different `kinds` followed the context.
    """

    def __init__(self, counts: Mapping[str, int], order: int) -> None:
        self.order = order
        self._counts: list[Mapping[str, int]] = []
        self._followers: list[Mapping[str, tuple[int, int]]] = []
        self._known: dict[str, float] = {"": UNSEEN}
        for length in range(order, 0, -1):
            self._counts.insert(0, counts)
            self._followers.insert(0, _count_followers(counts))
            counts = _shorten(counts) if length > 1 else counts

    def compute_nats(self, ngram: str) -> float:
        """Return -ln p of an n-gram's last character after the others."""
        return -math.log(self._known.get(ngram) or self._compute_probability(ngram))

    def _compute_probability(self, ngram: str) -> float:
        """Return p from that of the n-gram without its first character: many n-grams share it."""
        rest = ngram[1:]
        lower = self._known.get(rest) or self._compute_probability(rest)
        found = self._followers[len(rest)].get(ngram[:-1])
        if found is None:
            probability = lower
        else:
            total, kinds = found
            probability = (self._counts[len(rest)].get(ngram, 0) + kinds * lower) / (total + kinds)
        self._known[ngram] = probability
        return probability


def _shorten(counts: Mapping[str, int]) -> Mapping[str, int]:
    """Count the n-grams without their first character."""
    shorter = defaultdict[str, int](int)
    for ngram, count in counts.items():
        shorter[ngram[1:]] += count
    return dict(shorter)


def _count_followers(counts: Mapping[str, int]) -> Mapping[str, tuple[int, int]]:
    """Return for each context how many characters followed it, and how many different ones."""
    totals, kinds = defaultdict[str, int](int), defaultdict[str, int](int)
    for ngram, count in counts.items():
        totals[ngram[:-1]] += count
        kinds[ngram[:-1]] += 1
    return {context: (total, kinds[context]) for context, total in totals.items()}
