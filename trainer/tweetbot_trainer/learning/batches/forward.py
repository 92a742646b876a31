"""One forward pass over windows: from ids to summed cross-entropy, without padding, the head on label positions only.

The windows lie one behind the other as one stream: whatever works on one position at a time (embeddings, norms,
products, the activation) works on all of it, and attention on each window alone. The modules are those of transformers'
GPT2LMHeadModel, called as modules, so that others of the same call may stand in their places.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import GPT2LMHeadModel

from tweetbot_trainer.learning.batches.cross_entropy import compute_cross_entropy
from tweetbot_trainer.learning.batches.examples import Example, split_into_micro_batches
from tweetbot_trainer.learning.batches.packing import PackedBatch, pack


def compute_example_losses(model: GPT2LMHeadModel, examples: Sequence[Example]) -> Tensor:
    """Return each window's cross-entropy in nats, summed over its labels: [windows], on the CPU, in float64."""
    by_label = compute_label_losses(model, pack(examples)).double().cpu()
    owners = torch.tensor([index for index, example in enumerate(examples) for _ in range(example.labels)])
    return torch.zeros(len(examples), dtype=torch.float64).index_add_(0, owners, by_label)


def compute_total_loss(model: GPT2LMHeadModel, examples: Sequence[Example]) -> Tensor:
    """Return the cross-entropy in nats summed over all labels of the windows, a scalar on the model's device."""
    return compute_label_losses(model, pack(examples)).sum()


def compute_label_losses(model: GPT2LMHeadModel, batch: PackedBatch) -> Tensor:
    """Return the cross-entropy in nats of each of the stream's labels: [labels], on the model's device."""
    device = model.lm_head.weight.device
    hidden = _compute_hidden_states(model, batch).index_select(0, batch.label_positions.to(device))
    return compute_cross_entropy(model.lm_head(hidden).float(), batch.targets.to(device))


def _compute_hidden_states(model: GPT2LMHeadModel, batch: PackedBatch) -> Tensor:
    """Return what the head reads: [tokens, channels]."""
    body, device = model.transformer, model.lm_head.weight.device
    x: Tensor = body.drop(body.wte(batch.ids.to(device)) + body.wpe(batch.positions.to(device)))
    for block in body.h:
        x = x + _compute_attention(block.attn, block.ln_1(x), batch.equal_length_groups)
        x = x + block.mlp(block.ln_2(x))
    normed: Tensor = body.ln_f(x)
    return normed


def _compute_attention(attn: Any, x: Tensor, groups: Sequence[tuple[int, int]]) -> Tensor:
    """Return what attention adds to [tokens, channels], each window looking at itself alone."""
    heads, width = attn.num_heads, attn.head_dim
    dropped = attn.attn_dropout.p if attn.training else 0.0
    parts = attn.c_attn(x).split([count * length for count, length in groups])
    seen = []
    for part, (count, length) in zip(parts, groups, strict=True):
        q, k, v = part.view(count, length, 3, heads, width).transpose(1, 3).unbind(2)
        out = functional.scaled_dot_product_attention(q, k, v, dropout_p=dropped, is_causal=True, scale=attn.scaling)
        seen.append(out.transpose(1, 2).reshape(count * length, heads * width))
    added: Tensor = attn.resid_dropout(attn.c_proj(torch.cat(seen)))
    return added


#: Positions of one forward pass without gradients: the logits of more would need more memory than training does.
POSITIONS = 1024


@torch.no_grad()
def compute_nats_by_example(model: GPT2LMHeadModel, examples: Sequence[Example]) -> list[float]:
    """Return each window's cross-entropy, without dropout, in float32; the model's mode is kept."""
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
    """Return the cross-entropy summed over all labels, without dropout, in float32; the model's mode is kept."""
    training = model.training
    model.eval()
    by_length = sorted(examples, key=lambda example: len(example.ids))
    total = sum(float(compute_total_loss(model, group)) for group in split_into_micro_batches(by_length, POSITIONS))
    model.train(training)
    return total
