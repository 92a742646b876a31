"""`scratch://mini`: a GPT-2 of four small layers from nothing, for demos and trials without any download."""

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

from tweetbot_trainer.model.tokenizer import end_mark_id, learned_tokenizer

LAYERS, CHANNELS, HEADS, CONTEXT = 4, 128, 4, 256


def new_mini(train_texts: Sequence[str], seed: int) -> tuple[GPT2LMHeadModel, Tokenizer]:
    """Return weights drawn from the seed, and a tokenizer that has seen the train part and nothing else."""
    tokenizer = learned_tokenizer(train_texts)
    return new_model(tokenizer, seed, layers=LAYERS, channels=CHANNELS, heads=HEADS, context=CONTEXT), tokenizer


def new_model(
    tokenizer: Tokenizer, seed: int, *, layers: int, channels: int, heads: int, context: int
) -> GPT2LMHeadModel:
    """Return an untrained GPT-2 of that shape for the tokenizer."""
    mark = end_mark_id(tokenizer)
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(with_added_tokens=True),
        n_positions=context,
        n_embd=channels,
        n_layer=layers,
        n_head=heads,
        bos_token_id=mark,
        eos_token_id=mark,
    )
    torch.manual_seed(seed)
    return GPT2LMHeadModel(config)
