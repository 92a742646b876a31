"""Draw texts from a GPT-2, many at once: rows that have ended leave the batch, so short posts cost what they are.

The order is transformers' own: temperature, then the `top_k` likeliest, then the fewest of them that hold `top_p`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import DynamicCache, GPT2LMHeadModel

from tweetbot_trainer.learning.sampling import Sampling

#: Bytes of keys and values that a batch may grow to; beyond it texts are drawn batch after batch.
CACHE_LIMIT = 1024**3
#: Ended rows are dropped when they are this share of the batch: to drop one costs a copy of the others.
ENDED_SHARE = 0.2


def rows_at_once(model: GPT2LMHeadModel, tokens: int) -> int:
    """Return how many texts of so many tokens, prompt included, may be drawn together."""
    bytes_a_token = 2 * 4 * int(model.config.n_layer) * int(model.config.n_embd)
    return max(1, CACHE_LIMIT // (bytes_a_token * tokens))


@torch.inference_mode()
def drawn(
    model: GPT2LMHeadModel, start: Sequence[int], count: int, sampling: Sampling, *, end_mark: int
) -> list[list[int]]:
    """Return `count` continuations of the ids `start` as ids, without the end mark. Seed torch before."""
    device = model.lm_head.weight.device
    written: list[list[int]] = [[] for _ in range(count)]
    rows = torch.arange(count, device=device)
    ids = torch.tensor([list(start)] * count, device=device)
    cache = DynamicCache(config=model.config)
    alive = torch.ones(count, dtype=torch.bool, device=device)
    for step in range(sampling.max_new_tokens):
        logits = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1].float()
        if step < sampling.min_new_tokens:
            logits[:, end_mark] = -torch.inf
        chosen = torch.where(alive, choice(logits, sampling), end_mark)
        alive = alive & (chosen != end_mark)
        for row, token in zip(rows[alive].tolist(), chosen[alive].tolist(), strict=True):
            written[row].append(token)
        ended = len(rows) - int(alive.sum())
        if ended == len(rows):
            break
        if ended > ENDED_SHARE * len(rows):
            cache.batch_select_indices(alive.nonzero().flatten())
            rows, chosen = rows[alive], chosen[alive]
            alive = torch.ones(len(rows), dtype=torch.bool, device=device)
        ids = chosen.unsqueeze(1)
    return written


def choice(logits: Tensor, sampling: Sampling) -> Tensor:
    """Return one drawn id for each row of `logits` [rows, vocabulary]."""
    weights, ids = likeliest(logits, sampling)
    return ids.gather(1, torch.multinomial(weights, 1)).squeeze(1)


def likeliest(logits: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """Return the probabilities [rows, k] of the ids [rows, k] that may be drawn; those cut by top_p have none."""
    values, ids = (logits / sampling.temperature).topk(min(sampling.top_k, logits.size(-1)))
    weights = values.softmax(-1)
    before = weights.cumsum(-1) - weights
    return torch.where(before < sampling.top_p, weights, 0.0), ids
