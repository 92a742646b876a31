"""How well a model predicts unseen posts: loss, perplexity, and bits per byte, which no tokenizer can flatter."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from tokenizers import Tokenizer

from tweetbot_trainer.learning.batches.examples import split_into_examples
from tweetbot_trainer.learning.batches.forward import compute_nats_by_example
from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.model.marks import get_marks
from tweetbot_trainer.learning.model.tokenizer import encode_all

#: Bootstrap resamples; more would not change the interval's second digit.
RESAMPLES = 1000
#: With fewer posts a bootstrap's interval is far too narrow: that of one post has no width.
FEWEST_POSTS = 10


@dataclass(frozen=True, slots=True)
class Likelihood:
    """The likelihood of some posts: `nats` summed over `labels`, which are their tokens and one end mark per post.

    `closed_bytes` are the posts' UTF-8 bytes plus one per post for its end mark. `posts` holds (nats, closed bytes) of
    each.
    """

    nats: float
    labels: int
    closed_bytes: int
    posts: tuple[tuple[float, int], ...] = ()

    @property
    def loss(self) -> float:
        """Return the mean cross-entropy in nats per token."""
        return self.nats / self.labels

    @property
    def perplexity(self) -> float:
        """Return exp(loss), or a finite huge value where that would overflow."""
        return math.exp(min(self.loss, 700.0))

    @property
    def bits_per_byte(self) -> float:
        """Return the sum of -log2 p over tokens and end marks, divided by the closed bytes (design, section 9)."""
        return self.nats / math.log(2) / self.closed_bytes


def measure_likelihood(model: Decoder, tokenizer: Tokenizer, texts: Sequence[str]) -> Likelihood:
    """Measure posts in float32, each alone after its begin mark, in windows if it is longer than the context."""
    encoded = encode_all(tokenizer, texts)
    marks, context = get_marks(tokenizer), model.config.context
    examples = [split_into_examples(text.tokens, marks, context) for text in encoded]
    every = [example for own in examples for example in own]
    nats = iter(compute_nats_by_example(model, every))
    by_post = [sum(next(nats) for _ in own) for own in examples]
    return Likelihood(
        nats=sum(by_post),
        labels=sum(example.labels for example in every),
        closed_bytes=sum(text.utf8_bytes + 1 for text in encoded),
        posts=tuple((one, text.utf8_bytes + 1) for one, text in zip(by_post, encoded, strict=True)),
    )


def compute_ratio(after: Likelihood, before: Likelihood) -> float:
    """Return the bits per byte of a model divided by those of the model `before`, over the same posts."""
    return sum(nats for nats, _ in after.posts) / sum(nats for nats, _ in before.posts)


def bootstrap_interval(after: Likelihood, before: Likelihood | None = None) -> tuple[float, float]:
    """Return the 95 % interval of the bits per byte, or of their ratio to those of the model `before`.

    A percentile bootstrap over posts, with a fixed seed; both models get the same resampled posts.
    """
    random = numpy.random.default_rng(0)
    nats, sizes = numpy.array(after.posts).T
    divisors, unit = (sizes, math.log(2)) if before is None else (numpy.array(before.posts)[:, 0], 1.0)
    # One resample after the other: all at once they would need 24 kB per post.
    resamples = (random.integers(0, len(nats), len(nats)) for _ in range(RESAMPLES))
    figures = [nats[drawn].sum() / divisors[drawn].sum() / unit for drawn in resamples]
    low, high = numpy.percentile(figures, (2.5, 97.5))
    return float(low), float(high)
