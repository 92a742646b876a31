"""The scale of one view of an author: other people's texts at 0, the author's held-out posts at 1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy
import numpy.typing as npt

from tweetbot_trainer.learning.style.background import Background
from tweetbot_trainer.learning.style.ngrams import NgramModel, split_ngrams

#: Bootstrap resamples; more would not change the interval's second digit.
RESAMPLES = 1000

#: By text that is not empty: the summed log ratio of the author's likelihood to the background's in nats, and the
#: number of characters.
Ratios = npt.NDArray[numpy.float64]


@dataclass(frozen=True, slots=True)
class Score:
    """Where samples lie on the scale, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Scale:
    """The author's model, beside the background's, and the mean ratios in nats per character at 0 and 1.

    0 is the kind of other people's texts that comes closest to the author. `ceilings` are bootstrapped means of the
    held-out posts.
    """

    background: Background
    author: NgramModel
    floor: float
    ceiling: float
    ceilings: npt.NDArray[numpy.float64]

    def measure(self, samples: Sequence[str]) -> Score | None:
        """Return the score of samples and its interval over samples and held-out posts; None if all are empty."""
        ratios = _measure_ratios(self.background, self.author, samples)
        if not len(ratios):
            return None
        found = _resample(ratios, seed=1)
        low, high = numpy.percentile((found - self.floor) / (self.ceilings - self.floor), (2.5, 97.5))
        value = (_compute_mean(ratios) - self.floor) / (self.ceiling - self.floor)
        return Score(value, float(low), float(high))


def fit_scale(background: Background, train: Sequence[str], held_out: Sequence[str]) -> Scale | None:
    """Count the author's n-grams and measure both ends; None if they do not lie clearly apart."""
    author = NgramModel.from_texts(map(background.view, train), background.model.order)
    ratios = _measure_ratios(background, author, held_out)
    if not len(ratios):
        return None
    floor = max(_measure_counts(background, author, counts) for counts in background.held_out.values())
    ceilings = _resample(ratios, seed=0)
    if numpy.percentile(ceilings, 2.5) <= floor:
        return None
    return Scale(background, author, floor, _compute_mean(ratios), ceilings)


def _measure_ratios(background: Background, author: NgramModel, texts: Sequence[str]) -> Ratios:
    split = [ngrams for text in texts if (ngrams := split_ngrams(background.view(text), author.order))]
    ratios = [(sum(_compute_ratio(background, author, ngram) for ngram in own), len(own)) for own in split]
    return numpy.array(ratios, dtype=numpy.float64).reshape(-1, 2)


def _measure_counts(background: Background, author: NgramModel, counts: Mapping[str, int]) -> float:
    total = sum(count * _compute_ratio(background, author, ngram) for ngram, count in counts.items())
    return total / sum(counts.values())


def _compute_ratio(background: Background, author: NgramModel, ngram: str) -> float:
    return background.model.compute_nats(ngram) - author.compute_nats(ngram)


def _compute_mean(ratios: Ratios) -> float:
    return float(ratios[:, 0].sum() / ratios[:, 1].sum())


def _resample(ratios: Ratios, *, seed: int) -> npt.NDArray[numpy.float64]:
    """Return the mean ratio per character of RESAMPLES bootstrap samples of the texts."""
    random = numpy.random.default_rng(seed)
    drawn = (ratios[random.integers(0, len(ratios), len(ratios))] for _ in range(RESAMPLES))
    return numpy.array([_compute_mean(one) for one in drawn])
