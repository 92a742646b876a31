"""One forward pass over examples, from ids to cross-entropy in nats, without padding (docs/decisions/0034).

The examples lie end to end in one stream. What works on each position alone (embeddings, norms, linear layers, the
activation) runs on the whole stream; attention runs on each example alone; the head runs on label positions only.
The modules are those of transformers' GPT2LMHeadModel, called as modules, so that LoRA layers can replace them.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import GPT2LMHeadModel

from tweetbot_trainer.learning.batches.batching import split_into_micro_batches
from tweetbot_trainer.learning.batches.cross_entropy import compute_cross_entropy
from tweetbot_trainer.learning.batches.examples import Example
from tweetbot_trainer.learning.batches.packing import PackedBatch, pack

#: Input positions per forward pass without gradients: the logits of more would need more memory than training does.
POSITIONS = 1024


def compute_example_losses(model: GPT2LMHeadModel, examples: Sequence[Example]) -> Tensor:
    """Return each example's loss in nats, summed over its labels: [examples] float64 on the CPU."""
    by_label = compute_label_losses(model, pack(examples)).double().cpu()
    owners = torch.tensor([index for index, example in enumerate(examples) for _ in range(example.labels)])
    return torch.zeros(len(examples), dtype=torch.float64).index_add_(0, owners, by_label)


def compute_total_loss(model: GPT2LMHeadModel, examples: Sequence[Example]) -> Tensor:
    """Return the loss in nats summed over all labels: a float32 scalar on the model's device."""
    return compute_label_losses(model, pack(examples)).sum()


def compute_label_losses(model: GPT2LMHeadModel, batch: PackedBatch) -> Tensor:
    """Return the loss in nats of each label: [labels] float32 on the model's device."""
    device = model.lm_head.weight.device
    hidden = _compute_hidden_states(model, batch).index_select(0, batch.label_positions.to(device))
    return compute_cross_entropy(model.lm_head(hidden).float(), batch.targets.to(device))


def _compute_hidden_states(model: GPT2LMHeadModel, batch: PackedBatch) -> Tensor:
    """Return the last hidden states, [tokens, channels]."""
    body, device = model.transformer, model.lm_head.weight.device
    x: Tensor = body.drop(body.wte(batch.ids.to(device)) + body.wpe(batch.positions.to(device)))
    for block in body.h:
        x = x + _compute_attention(block.attn, block.ln_1(x), batch.equal_length_groups)
        x = x + block.mlp(block.ln_2(x))
    normed: Tensor = body.ln_f(x)
    return normed


def _compute_attention(attn: Any, x: Tensor, groups: Sequence[tuple[int, int]]) -> Tensor:
    """Return the attention's output, [tokens, channels]: one causal call per group of examples of the same length.

    Examples are the batch dimension of a call, so none sees another and no mask is needed.
    """
    heads, width = attn.num_heads, attn.head_dim
    dropped = attn.attn_dropout.p if attn.training else 0.0
    parts = attn.c_attn(x).split([count * length for count, length in groups])  # each [count * length, 3 * channels]
    seen = []
    for part, (count, length) in zip(parts, groups, strict=True):
        q, k, v = part.view(count, length, 3, heads, width).transpose(1, 3).unbind(2)  # [count, heads, length, width]
        out = functional.scaled_dot_product_attention(q, k, v, dropout_p=dropped, is_causal=True, scale=attn.scaling)
        seen.append(out.transpose(1, 2).reshape(count * length, heads * width))
    added: Tensor = attn.resid_dropout(attn.c_proj(torch.cat(seen)))
    return added


@torch.no_grad()
def compute_nats_by_example(model: GPT2LMHeadModel, examples: Sequence[Example]) -> list[float]:
    """Evaluate without dropout, in float32: each example's loss in nats, summed over its labels, in their order."""
    training = model.training
    model.eval()
    order = sorted(range(len(examples)), key=lambda index: len(examples[index].ids))
    found = [
        float(one)
        for group in split_into_micro_batches([examples[index] for index in order], POSITIONS)
        for one in compute_example_losses(model, group)
    ]
    model.train(training)
    return [nats for _, nats in sorted(zip(order, found, strict=True))]


@torch.no_grad()
def compute_total_nats(model: GPT2LMHeadModel, examples: Sequence[Example]) -> float:
    """Evaluate without dropout, in float32: the loss in nats summed over the labels of all examples."""
    training = model.training
    model.eval()
    by_length = sorted(examples, key=lambda example: len(example.ids))
    total = sum(float(compute_total_loss(model, group)) for group in split_into_micro_batches(by_length, POSITIONS))
    model.train(training)
    return total
