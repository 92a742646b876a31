"""Sample many texts from a model at once; texts that have ended leave the batch, so short ones cost little.

Logits are processed in transformers' order: temperature, then top-k, then top-p.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from tweetbot_trainer.learning.decoder.attention import KeyValueCache
from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.sampling import SamplingParams

#: Most bytes of keys and values in the cache of a batch; more texts are sampled in several batches.
CACHE_LIMIT = 1024**3
#: Drop ended texts from the batch once they are this share of it: dropping copies the cache of all others.
ENDED_SHARE = 0.2


def compute_batch_size(model: Decoder, tokens: int) -> int:
    """Return how many texts of this many tokens, prompt included, fit into one batch."""
    config = model.config
    bytes_per_token = 2 * 4 * config.layers * config.kv_heads * config.head_width
    return max(1, CACHE_LIMIT // (bytes_per_token * tokens))


def sample(
    model: Decoder,
    start: Sequence[int],
    count: int,
    config: SamplingParams,
    *,
    end_mark: int,
    generator: torch.Generator | None = None,
) -> list[list[int]]:
    """Sample `count` continuations of the ids `start`, as ids without the end mark; by default by torch's generator."""
    written: list[list[int]] = [[] for _ in range(count)]
    for ended in iter_samples(model, start, count, config, end_mark=end_mark, generator=generator):
        for index, ids in ended:
            written[index] = ids
    return written


@torch.inference_mode()
def iter_samples(
    model: Decoder,
    start: Sequence[int],
    count: int,
    config: SamplingParams,
    *,
    end_mark: int,
    generator: torch.Generator | None = None,
) -> Iterator[list[tuple[int, list[int]]]]:
    """Yield after each step the texts that end with it: which of the `count`, and its ids, as `sample` returns them."""
    device = model.device
    written: list[list[int]] = [[] for _ in range(count)]
    indices = torch.arange(count, device=device)  # [batch]: which text each element of the batch is
    alive = torch.ones(count, dtype=torch.bool, device=device)  # [batch]: the text has not ended
    ids = torch.tensor([list(start)] * count, device=device)  # [batch, tokens]: those that the cache lacks
    cache = KeyValueCache(count)
    for step in range(config.max_new_tokens):
        logits = model.compute_next_logits(ids, cache).float()
        if step < config.min_new_tokens:
            logits[:, end_mark] = -torch.inf
        chosen = torch.where(alive, sample_next_tokens(logits, config, generator), end_mark)
        before, alive = alive, alive & (chosen != end_mark)
        for index, token in zip(indices[alive].tolist(), chosen[alive].tolist(), strict=True):
            written[index].append(token)
        last = before if step == config.max_new_tokens - 1 else before & ~alive
        yield [(index, written[index]) for index in indices[last].tolist()]
        ended = len(indices) - int(alive.sum())
        if ended == len(indices):
            break
        if ended > ENDED_SHARE * len(indices):
            cache.keep(alive.nonzero().flatten())
            indices, chosen = indices[alive], chosen[alive]
            alive = torch.ones(len(indices), dtype=torch.bool, device=device)
        ids = chosen.unsqueeze(1)


def sample_next_tokens(logits: Tensor, config: SamplingParams, generator: torch.Generator | None = None) -> Tensor:
    """Sample an id, [batch] int64, for each element of `logits` [batch, vocabulary] float32."""
    weights, ids = filter_top_k_top_p(logits, config)
    return ids.gather(1, torch.multinomial(weights, 1, generator=generator)).squeeze(1)


def filter_top_k_top_p(logits: Tensor, config: SamplingParams) -> tuple[Tensor, Tensor]:
    """Return the top-k ids, [batch, k] int64, and their probabilities, [batch, k] float32, 0 for those cut by top-p."""
    values, ids = (logits / config.temperature).topk(min(config.top_k, logits.size(-1)))
    weights = values.softmax(-1)
    before = weights.cumsum(-1) - weights
    return torch.where(before < config.top_p, weights, 0.0), ids
