"""`scratch://mini` and `scratch://small`: small GPT-2s with random weights, which need no download."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer

from tweetbot_trainer.learning.decoder.build import build_decoder
from tweetbot_trainer.learning.decoder.configs import DecoderConfig, Gpt2Config
from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.model.tokenizer import train_tokenizer


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a GPT-2; its tokenizer has at most `vocabulary` entries."""

    layers: int
    channels: int
    heads: int
    context: int
    vocabulary: int = 1024

    def build_config(self, entries: int) -> Gpt2Config:
        """Return the configuration of a GPT-2 of this shape whose tokenizer has this many entries."""
        return Gpt2Config(
            vocab_size=entries,
            n_positions=self.context,
            n_embd=self.channels,
            n_layer=self.layers,
            n_head=self.heads,
        )


SHAPES = {
    "scratch://mini": Shape(layers=4, channels=128, heads=4, context=256),
    "scratch://small": Shape(layers=6, channels=256, heads=4, context=512, vocabulary=4096),
}


def create_base(uri: str, train_texts: Sequence[str], seed: int) -> tuple[Decoder, Tokenizer]:
    """Create weights drawn from the seed, and a tokenizer trained on the train texts alone."""
    shape = SHAPES[uri]
    tokenizer = train_tokenizer(train_texts, shape.vocabulary)
    return create_model(tokenizer, seed, shape), tokenizer


def create_model(tokenizer: Tokenizer, seed: int, shape: Shape) -> Decoder:
    """Create an untrained GPT-2 of that shape for the tokenizer."""
    return draw_model(shape.build_config(tokenizer.get_vocab_size(with_added_tokens=True)), seed)


@torch.no_grad()
def draw_model(config: DecoderConfig, seed: int) -> Decoder:
    """Create a GPT-2 with the initial weights that transformers' GPT2LMHeadModel has after the same seed; or a Llama.

    That class draws every matrix twice, and those that write to the residual stream a third time, narrower.
    """
    model = build_decoder(config)
    torch.manual_seed(seed)
    matrices = {name: weight for name, weight in model.named_parameters() if weight.dim() == 2}
    for weight in matrices.values():
        weight.normal_()
    for name, weight in model.named_parameters():
        if name not in matrices:
            weight.fill_(float(name.endswith("weight")))  # a norm's; the rest are biases
            continue
        weight.normal_(std=config.initializer_range)
        if name.endswith("c_proj.weight"):
            weight.normal_(std=config.initializer_range / math.sqrt(2 * config.layers))
    return model
