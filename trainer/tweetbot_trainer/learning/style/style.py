"""Score how much a model's samples are written like the author's posts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy
import numpy.typing as npt

from tweetbot_trainer.learning.style.background import Background, load_backgrounds
from tweetbot_trainer.learning.style.ngrams import NgramModel, split_ngrams

#: Posts under which no score is told. With fewer, groups of posts are attributed worse and the interval is too wide
#: (docs/experiments.md).
FEWEST_TRAIN_POSTS, FEWEST_HELD_OUT_POSTS = 100, 30
#: Nats that the background needs for a letter of a post in another language, and the share of such posts among the
#: held-out ones from which on the background says nothing about the author. In English one post in ten takes as many,
#: in German and Italian nine in ten.
FOREIGN_NATS, FOREIGN_SHARE = 3.5, 0.25
#: Bootstrap resamples; more would not change the interval's second digit.
RESAMPLES = 1000

#: By text that is not empty: the summed log ratio of the author's likelihood to the background's in nats, and the
#: number of characters.
Ratios = npt.NDArray[numpy.float64]


@dataclass(frozen=True, slots=True)
class Score:
    """Where samples lie between other people's texts, 0, and the author's held-out posts, 1, with its 95 % interval.

    0 is the kind of other people's texts that comes closest to the author.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Style:
    """The score by characters and that by function words alone; `untold` says why there is none."""

    score: Score | None = None
    function_words: Score | None = None
    untold: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the scores and their intervals, or the reason, under the names that reports use."""
        words = asdict(self.function_words) if self.function_words else None
        return {"score": asdict(self.score) if self.score else None, "functionWords": words, "untold": self.untold}

    def as_metrics(self) -> dict[str, Any]:
        """Return the figures that the contract's `Metrics` has, by its fields."""
        score, words = self.score, self.function_words
        return {
            "style_score": score and score.value,
            "style_score_low": score and score.low,
            "style_score_high": score and score.high,
            "function_word_score": words and words.value,
            "style_not_measured": self.untold,
        }


def measure_style(samples: Sequence[str], train: Sequence[str], held_out: Sequence[str]) -> Style:
    """Score samples by an author's posts, of which the model has not seen `held_out`; or say why there is no score."""
    if len(train) < FEWEST_TRAIN_POSTS or len(held_out) < FEWEST_HELD_OUT_POSTS:
        needed = f"{FEWEST_TRAIN_POSTS} posts to train on and {FEWEST_HELD_OUT_POSTS} held out"
        return Style(untold=f"it takes {needed}, and there are {len(train)} and {len(held_out)}")
    characters, words = load_backgrounds()
    if _is_foreign(characters, held_out):
        return Style(untold="texts of other people are known in English only, and many of these posts are not")
    score = compute_score(characters, samples, train, held_out)
    if score is None:
        return Style(untold="the author's own held-out posts cannot be told from other people's texts")
    return Style(score, compute_score(words, samples, train, held_out))


def compute_score(
    background: Background, samples: Sequence[str], train: Sequence[str], held_out: Sequence[str]
) -> Score | None:
    """Score samples in one view; None if the held-out posts do not clearly lie above other people's texts."""
    author = NgramModel.from_texts(map(background.view, train), background.model.order)
    of_samples, of_posts = (_measure_ratios(background, author, texts) for texts in (samples, held_out))
    if not len(of_samples) or not len(of_posts):
        return None
    floor = max(_measure_counts(background, author, counts) for counts in background.held_out.values())
    ceilings, found = _resample(of_posts, seed=0), _resample(of_samples, seed=1)
    if numpy.percentile(ceilings, 2.5) <= floor:
        return None
    low, high = numpy.percentile((found - floor) / (ceilings - floor), (2.5, 97.5))
    value = (_compute_mean(of_samples) - floor) / (_compute_mean(of_posts) - floor)
    return Score(float(value), float(low), float(high))


def _is_foreign(background: Background, posts: Sequence[str]) -> bool:
    nats = [found for post in posts if (found := _measure_letters(background, post)) is not None]
    return sum(found > FOREIGN_NATS for found in nats) > FOREIGN_SHARE * len(nats)


def _measure_letters(background: Background, post: str) -> float | None:
    """Return the background's nats per letter of a post, or None if it has none: emoji are of no language."""
    ngrams = [ngram for ngram in split_ngrams(background.view(post), background.model.order) if ngram[-1].isalpha()]
    return sum(map(background.model.compute_nats, ngrams)) / len(ngrams) if ngrams else None


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
