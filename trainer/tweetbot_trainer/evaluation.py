"""How well a model predicts unseen posts: loss, perplexity, and bits per byte, which no tokenizer can flatter."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from tweetbot_trainer.model.tokenizer import encode_all, end_mark_id
from tweetbot_trainer.training.forward import summed_loss
from tweetbot_trainer.training.windows import Window, padded, windows_of_all

#: Positions, padding included, of one forward pass without gradients.
POSITIONS = 16_384


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How probable some posts are: `nats` summed over `labels` tokens, each post's closing end mark among them.

    `closed_bytes` are the posts' UTF-8 bytes, and one a post for its closing mark.
    """

    nats: float
    labels: int
    closed_bytes: int

    @property
    def loss(self) -> float:
        """Return the mean cross-entropy in nats a token."""
        return self.nats / self.labels

    @property
    def perplexity(self) -> float:
        """Return exp(loss), or the largest float where that overflows."""
        return math.exp(min(self.loss, 700.0))

    @property
    def bits_per_byte(self) -> float:
        """Return sum of -log2 p over tokens and closing marks / (bytes + 1) a post (design, section 9)."""
        return self.nats / math.log(2) / self.closed_bytes


def likelihood_of(model: GPT2LMHeadModel, tokenizer: Tokenizer, texts: Sequence[str]) -> Likelihood:
    """Measure the posts in float32, each alone after an end mark, windowed where longer than the context."""
    encoded = encode_all(tokenizer, texts)
    windows = windows_of_all(encoded, end_mark_id(tokenizer), model.config.n_positions)
    return Likelihood(
        nats=nats_of(model, windows),
        labels=sum(window.labels for window in windows),
        closed_bytes=sum(text.utf8_bytes + 1 for text in encoded),
    )


@torch.no_grad()
def nats_of(model: GPT2LMHeadModel, windows: Sequence[Window]) -> float:
    """Return the cross-entropy summed over all labels, without dropout, in float32; the model's mode is kept."""
    training = model.training
    model.eval()
    by_length = sorted(windows, key=lambda window: len(window.ids))
    total = sum(float(summed_loss(model, group)) for group in padded(by_length, POSITIONS))
    model.train(training)
    return total
