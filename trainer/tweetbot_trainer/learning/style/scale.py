"""The scale of one view of an author: other people's texts at 0, the author's held-out posts at 1.

Two things would otherwise pass for style (docs/experiments.md). A model of few texts finds rare words less likely than
one of many, so that plain words alone would score high: both models are counted from as many characters. And sampled
texts hold fewer surprises than written ones: means are taken among characters that are equally surprising, and added up
by how often the author's held-out posts have such characters.
"""

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy
import numpy.typing as npt

from tweetbot_trainer.learning.style.background import Background
from tweetbot_trainer.learning.style.ngrams import NgramModel, count_ngrams, split_ngrams

#: Bootstrap resamples; more would not change the interval's second digit.
RESAMPLES = 1000
#: Where one stratum of surprise ends and the next begins, in the whole background's nats for a character.
STRATA = (0.1, 0.3, 0.7, 1.5, 3.0, 5.0, 8.0)

#: By stratum, and before that by text: the summed log ratio of the author's likelihood to the others' in nats, and the
#: number of characters.
Sums = npt.NDArray[numpy.float64]


@dataclass(frozen=True, slots=True)
class Score:
    """Where samples lie on the scale, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Contrast:
    """The author's model and one of other people's texts, counted from as many characters."""

    background: Background
    author: NgramModel
    others: NgramModel
    _known: dict[str, tuple[int, float]] = field(default_factory=dict)

    def sum_texts(self, texts: Iterable[str]) -> Sums:
        """Return the sums of each text that is not empty, [texts, strata, 2]."""
        split = (split_ngrams(self.background.view(text), self.author.order) for text in texts)
        sums = [self._sum_ngrams((ngram, 1) for ngram in ngrams) for ngrams in split if ngrams]
        return numpy.array(sums, dtype=numpy.float64).reshape(-1, len(STRATA) + 1, 2)

    def sum_counts(self, counts: Mapping[str, int]) -> Sums:
        """Return the sums of counted n-grams, [strata, 2]."""
        return numpy.array(self._sum_ngrams(counts.items()))

    def _sum_ngrams(self, counts: Iterable[tuple[str, int]]) -> list[list[float]]:
        sums = [[0.0, 0.0] for _ in range(len(STRATA) + 1)]
        for ngram, count in counts:
            stratum, ratio = self._known.get(ngram) or self._compare(ngram)
            sums[stratum][0] += count * ratio
            sums[stratum][1] += count
        return sums

    def _compare(self, ngram: str) -> tuple[int, float]:
        ratio = self.others.compute_nats(ngram) - self.author.compute_nats(ngram)
        found = self._known[ngram] = bisect(STRATA, self.background.model.compute_nats(ngram)), ratio
        return found


@dataclass(frozen=True, slots=True)
class Scale:
    """The ends of the scale as mean ratios in nats per character.

    0 is the kind of other people's texts that comes closest to the author. `ceilings` are bootstrapped means of the
    held-out posts, `weights` the shares of their characters by stratum.
    """

    contrast: Contrast
    weights: npt.NDArray[numpy.float64]
    floor: float
    ceiling: float
    ceilings: npt.NDArray[numpy.float64]

    def measure(self, samples: Sequence[str]) -> Score | None:
        """Return the score of samples and its interval over samples and held-out posts; None if all are empty."""
        sums = self.contrast.sum_texts(samples)
        if not len(sums):
            return None
        found = _resample(sums, self.weights, seed=1)
        low, high = numpy.percentile((found - self.floor) / (self.ceilings - self.floor), (2.5, 97.5))
        value = (_compute_mean(sums.sum(axis=0), self.weights) - self.floor) / (self.ceiling - self.floor)
        return Score(float(value), float(low), float(high))


def fit_scale(background: Background, train: Sequence[str], held_out: Sequence[str]) -> Scale | None:
    """Count the author's n-grams and measure both ends; None if they do not lie clearly apart."""
    contrast = _make_contrast(background, train)
    sums = contrast.sum_texts(held_out)
    if not len(sums):
        return None
    total = sums.sum(axis=0)
    weights = (total[:, 1] + 1) / (total[:, 1] + 1).sum()  # none is 0: samples may have no other characters
    floor = max(float(_compute_mean(contrast.sum_counts(own), weights)) for own in background.held_out.values())
    ceilings = _resample(sums, weights, seed=0)
    if numpy.percentile(ceilings, 2.5) <= floor:
        return None
    return Scale(contrast, weights, floor, float(_compute_mean(total, weights)), ceilings)


def _make_contrast(background: Background, train: Sequence[str]) -> Contrast:
    """Count both models from as many characters: those of the train posts, or of the background if it has fewer."""
    order, counts = background.model.order, background.counts
    most, texts, size = sum(counts.values()), list[str](), 0
    for text in Random(0).sample(train, len(train)):  # noqa: S311
        if size >= most:
            break
        texts.append(background.view(text))
        size += len(texts[-1])
    others = _thin(counts, min(1.0, size / most))
    return Contrast(background, NgramModel(count_ngrams(texts, order), order), NgramModel(others, order))


def _thin(counts: Mapping[str, int], share: float) -> Mapping[str, int]:
    """Return the counts of a random share of the characters."""
    drawn = numpy.random.default_rng(0).binomial(list(counts.values()), share).tolist()
    return {ngram: count for ngram, count in zip(counts, drawn, strict=True) if count}


def _compute_mean(sums: Sums, weights: npt.NDArray[numpy.float64]) -> npt.NDArray[numpy.float64]:
    """Return the mean ratio of sums [..., strata, 2], by the weights of the strata that are not empty."""
    ratios, characters = sums[..., 0], sums[..., 1]
    present = weights * (characters > 0)
    means: npt.NDArray[numpy.float64] = (present * ratios / numpy.maximum(characters, 1)).sum(-1) / present.sum(-1)
    return means


def _resample(sums: Sums, weights: npt.NDArray[numpy.float64], *, seed: int) -> npt.NDArray[numpy.float64]:
    """Return the mean ratio per character of RESAMPLES bootstrap samples of the texts."""
    random, count = numpy.random.default_rng(seed), len(sums)
    drawn = (sums[random.integers(0, count, count)].sum(axis=0) for _ in range(RESAMPLES))
    return _compute_mean(numpy.array(list(drawn)), weights)
