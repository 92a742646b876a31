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

from tweetbot_trainer.learning.batches.cross_entropy import cross_entropy
from tweetbot_trainer.learning.batches.packing import Stream, stream_of
from tweetbot_trainer.learning.batches.windows import Window, parts_of


def losses(model: GPT2LMHeadModel, windows: Sequence[Window]) -> Tensor:
    """Return each window's cross-entropy in nats, summed over its labels: [windows], on the CPU, in float64."""
    by_label = stream_losses(model, stream_of(windows)).double().cpu()
    owners = torch.tensor([row for row, window in enumerate(windows) for _ in range(window.labels)])
    return torch.zeros(len(windows), dtype=torch.float64).index_add_(0, owners, by_label)


def summed_loss(model: GPT2LMHeadModel, windows: Sequence[Window]) -> Tensor:
    """Return the cross-entropy in nats summed over all labels of the windows, a scalar on the model's device."""
    return stream_losses(model, stream_of(windows)).sum()


def stream_losses(model: GPT2LMHeadModel, stream: Stream) -> Tensor:
    """Return the cross-entropy in nats of each of the stream's labels: [labels], on the model's device."""
    device = model.lm_head.weight.device
    hidden = _hidden(model, stream).index_select(0, stream.places.to(device))
    return cross_entropy(model.lm_head(hidden).float(), stream.targets.to(device))


def _hidden(model: GPT2LMHeadModel, stream: Stream) -> Tensor:
    """Return what the head reads: [tokens, channels]."""
    body, device = model.transformer, model.lm_head.weight.device
    x: Tensor = body.drop(body.wte(stream.ids.to(device)) + body.wpe(stream.positions.to(device)))
    for block in body.h:
        x = x + _attention(block.attn, block.ln_1(x), stream.runs)
        x = x + block.mlp(block.ln_2(x))
    normed: Tensor = body.ln_f(x)
    return normed


def _attention(attn: Any, x: Tensor, runs: Sequence[tuple[int, int]]) -> Tensor:
    """Return what attention adds to [tokens, channels], each window looking at itself alone."""
    heads, width = attn.num_heads, attn.head_dim
    dropped = attn.attn_dropout.p if attn.training else 0.0
    parts = attn.c_attn(x).split([windows * length for windows, length in runs])
    seen = []
    for part, (windows, length) in zip(parts, runs, strict=True):
        q, k, v = part.view(windows, length, 3, heads, width).transpose(1, 3).unbind(2)
        out = functional.scaled_dot_product_attention(q, k, v, dropout_p=dropped, is_causal=True, scale=attn.scaling)
        seen.append(out.transpose(1, 2).reshape(windows * length, heads * width))
    added: Tensor = attn.resid_dropout(attn.c_proj(torch.cat(seen)))
    return added


#: Positions of one forward pass without gradients: the logits of more would need more memory than training does.
POSITIONS = 1024


@torch.no_grad()
def nats_by_window(model: GPT2LMHeadModel, windows: Sequence[Window]) -> list[float]:
    """Return each window's cross-entropy, without dropout, in float32; the model's mode is kept."""
    training = model.training
    model.eval()
    places = sorted(range(len(windows)), key=lambda place: len(windows[place].ids))
    found = [
        float(one)
        for group in parts_of([windows[place] for place in places], POSITIONS)
        for one in losses(model, group)
    ]
    model.train(training)
    return [nats for _, nats in sorted(zip(places, found, strict=True))]


@torch.no_grad()
def nats_of(model: GPT2LMHeadModel, windows: Sequence[Window]) -> float:
    """Return the cross-entropy summed over all labels, without dropout, in float32; the model's mode is kept."""
    training = model.training
    model.eval()
    by_length = sorted(windows, key=lambda window: len(window.ids))
    total = sum(float(summed_loss(model, group)) for group in parts_of(by_length, POSITIONS))
    model.train(training)
    return total
