"""`scratch://mini` and `scratch://small`: small GPT-2s with random weights, which need no download."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

from tweetbot_trainer.learning.model.marks import get_marks
from tweetbot_trainer.learning.model.tokenizer import train_tokenizer


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a GPT-2; its tokenizer has at most `vocabulary` entries."""

    layers: int
    channels: int
    heads: int
    context: int
    vocabulary: int = 1024


SHAPES = {
    "scratch://mini": Shape(layers=4, channels=128, heads=4, context=256),
    "scratch://small": Shape(layers=6, channels=256, heads=4, context=512, vocabulary=4096),
}


def create_base(uri: str, train_texts: Sequence[str], seed: int) -> tuple[GPT2LMHeadModel, Tokenizer]:
    """Create weights drawn from the seed, and a tokenizer trained on the train texts alone."""
    shape = SHAPES[uri]
    tokenizer = train_tokenizer(train_texts, shape.vocabulary)
    return create_model(tokenizer, seed, shape), tokenizer


def create_model(tokenizer: Tokenizer, seed: int, shape: Shape) -> GPT2LMHeadModel:
    """Create an untrained GPT-2 of that shape for the tokenizer."""
    mark = get_marks(tokenizer).end
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(with_added_tokens=True),
        n_positions=shape.context,
        n_embd=shape.channels,
        n_layer=shape.layers,
        n_head=shape.heads,
        bos_token_id=mark,
        eos_token_id=mark,
    )
    torch.manual_seed(seed)
    return GPT2LMHeadModel(config)
