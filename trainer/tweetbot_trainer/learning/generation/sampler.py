"""Draw texts from a GPT-2, many at once: rows that have ended leave the batch, so short posts cost what they are.

The order is transformers' own: temperature, then the `top_k` likeliest, then the fewest of them that hold `top_p`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import DynamicCache, GPT2LMHeadModel

from tweetbot_trainer.learning.sampling import SamplingParams

#: Bytes of keys and values that a batch may grow to; beyond it texts are drawn batch after batch.
CACHE_LIMIT = 1024**3
#: Ended rows are dropped when they are this share of the batch: to drop one costs a copy of the others.
ENDED_SHARE = 0.2


def compute_batch_size(model: GPT2LMHeadModel, tokens: int) -> int:
    """Return how many texts of so many tokens, prompt included, may be drawn together."""
    bytes_a_token = 2 * 4 * int(model.config.n_layer) * int(model.config.n_embd)
    return max(1, CACHE_LIMIT // (bytes_a_token * tokens))


@torch.inference_mode()
def sample(
    model: GPT2LMHeadModel, start: Sequence[int], count: int, config: SamplingParams, *, end_mark: int
) -> list[list[int]]:
    """Return `count` continuations of the ids `start` as ids, without the end mark. Seed torch before."""
    device = model.lm_head.weight.device
    written: list[list[int]] = [[] for _ in range(count)]
    indices = torch.arange(count, device=device)
    ids = torch.tensor([list(start)] * count, device=device)
    cache = DynamicCache(config=model.config)
    alive = torch.ones(count, dtype=torch.bool, device=device)
    for step in range(config.max_new_tokens):
        logits = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1].float()
        if step < config.min_new_tokens:
            logits[:, end_mark] = -torch.inf
        chosen = torch.where(alive, sample_next_tokens(logits, config), end_mark)
        alive = alive & (chosen != end_mark)
        for index, token in zip(indices[alive].tolist(), chosen[alive].tolist(), strict=True):
            written[index].append(token)
        ended = len(indices) - int(alive.sum())
        if ended == len(indices):
            break
        if ended > ENDED_SHARE * len(indices):
            cache.batch_select_indices(alive.nonzero().flatten())
            indices, chosen = indices[alive], chosen[alive]
            alive = torch.ones(len(indices), dtype=torch.bool, device=device)
        ids = chosen.unsqueeze(1)
    return written


def sample_next_tokens(logits: Tensor, config: SamplingParams) -> Tensor:
    """Return one drawn id for each row of `logits` [rows, vocabulary]."""
    weights, ids = filter_top_k_top_p(logits, config)
    return ids.gather(1, torch.multinomial(weights, 1)).squeeze(1)


def filter_top_k_top_p(logits: Tensor, config: SamplingParams) -> tuple[Tensor, Tensor]:
    """Return the probabilities [rows, k] of the ids [rows, k] that may be drawn; those cut by top_p have none."""
    values, ids = (logits / config.temperature).topk(min(config.top_k, logits.size(-1)))
    weights = values.softmax(-1)
    before = weights.cumsum(-1) - weights
    return torch.where(before < config.top_p, weights, 0.0), ids
