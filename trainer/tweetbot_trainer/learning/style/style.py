"""Score how much a model's samples are written like the author's posts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tweetbot_trainer.learning.style.background import Background, load_backgrounds
from tweetbot_trainer.learning.style.ngrams import split_ngrams
from tweetbot_trainer.learning.style.scale import Score, fit_scale

#: Posts under which no score is told. With fewer, groups of posts are attributed worse and the interval is too wide
#: (docs/experiments.md).
FEWEST_TRAIN_POSTS, FEWEST_HELD_OUT_POSTS = 100, 30
#: Nats that the background needs for a letter of a post in another language, and the share of such posts among the
#: held-out ones from which on the background says nothing about the author. At most 7 % of an English account's posts
#: take as many, and three quarters of an Italian one's.
FOREIGN_NATS, FOREIGN_SHARE = 3.5, 0.25


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
    scale, of_words = fit_scale(characters, train, held_out), fit_scale(words, train, held_out)
    if scale is None:
        return Style(untold="the author's own held-out posts cannot be told from other people's texts")
    score = scale.measure(samples)
    if score is None:
        return Style(untold="the model wrote nothing")
    return Style(score, of_words.measure(samples) if of_words else None)


def _is_foreign(background: Background, posts: Sequence[str]) -> bool:
    nats = [found for post in posts if (found := _measure_letters(background, post)) is not None]
    return sum(found > FOREIGN_NATS for found in nats) > FOREIGN_SHARE * len(nats)


def _measure_letters(background: Background, post: str) -> float | None:
    """Return the background's nats per letter of a post, or None if it has none: capitals and emoji are no language."""
    text = background.view(post).lower()
    ngrams = [ngram for ngram in split_ngrams(text, background.model.order) if ngram[-1].isalpha()]
    return sum(map(background.model.compute_nats, ngrams)) / len(ngrams) if ngrams else None
