"""Which tokens of a stream see which: posts end to end, each alone, or texts that are written token by token.

q [tokens, heads, width], k and v [tokens, key-value heads, width]  →  [tokens, heads * width]
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

#: Tokens that a cache has room for at first.
FEWEST_TOKENS = 32


class Attention(Protocol):
    """Computes the attention of each layer of a forward pass."""

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, *, scale: float, dropout: float) -> Tensor:
        """Return each token's attention output; `scale` multiplies the scores, `dropout` drops their weights."""


@dataclass(frozen=True, slots=True)
class PackedAttention:
    """Examples end to end in one stream: one causal call per group of neighbours of the same length.

    `groups` are (examples, length). Examples are the batch dimension of a call, so none sees another and no mask is
    needed.
    """

    groups: Sequence[tuple[int, int]]

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, *, scale: float, dropout: float) -> Tensor:
        """Attend within each example."""
        sizes = [count * length for count, length in self.groups]
        seen = []
        split = (torch.split(each, sizes) for each in (q, k, v))
        for (count, _), *parts in zip(self.groups, *split, strict=True):
            query, key, value = (_batch_texts(part, count) for part in parts)
            out = functional.scaled_dot_product_attention(
                query, key, value, dropout_p=dropout, is_causal=True, scale=scale, enable_gqa=_is_grouped(q, k)
            )
            seen.append(_join_texts(out))
        return torch.cat(seen)


@dataclass(slots=True)
class KeyValueCache:
    """The keys and values of a batch of texts of one length so far, in every layer: each [texts, heads, room, width].

    A forward pass takes the texts' next tokens, text after text; `advance` counts them when all layers have seen them.
    """

    texts: int
    length: int = 0
    _keys: dict[int, Tensor] = field(default_factory=dict)
    _values: dict[int, Tensor] = field(default_factory=dict)

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, *, scale: float, dropout: float) -> Tensor:
        """Add the new tokens' keys and values, and let the tokens see their text up to themselves."""
        query, key, value = (_batch_texts(each, self.texts) for each in (q, k, v))
        out = functional.scaled_dot_product_attention(
            query,
            self._append(self._keys, layer, key),
            self._append(self._values, layer, value),
            dropout_p=dropout,
            is_causal=query.shape[2] > 1,  # a first pass: there is nothing before it
            scale=scale,
            enable_gqa=_is_grouped(q, k),
        )
        return _join_texts(out)

    def advance(self, tokens: int) -> None:
        """Count the tokens of a text that all layers have seen."""
        self.length += tokens

    def keep(self, indices: Tensor) -> None:
        """Drop all texts but these."""
        self.texts = len(indices)
        for tensors in (self._keys, self._values):
            for layer, tensor in tensors.items():
                tensors[layer] = tensor[:, :, : self.length].index_select(0, indices)

    def _append(self, tensors: dict[int, Tensor], layer: int, added: Tensor) -> Tensor:
        """Append to a layer's tensor, whose room doubles when it is full, and return all up to the added tokens."""
        end = self.length + added.shape[2]
        tensor = tensors.get(layer, added[:, :, :0])
        if end > tensor.shape[2]:
            roomy = added.new_empty(self.texts, added.shape[1], max(2 * end, FEWEST_TOKENS), added.shape[3])
            roomy[:, :, : self.length] = tensor[:, :, : self.length]
            tensor = tensors[layer] = roomy
        tensor[:, :, self.length : end] = added
        return tensor[:, :, :end]


def _batch_texts(x: Tensor, texts: int) -> Tensor:
    """Return [texts, heads, tokens, width] of a stream [texts * tokens, heads, width]."""
    return x.view(texts, -1, *x.shape[1:]).transpose(1, 2)


def _join_texts(x: Tensor) -> Tensor:
    """Return the stream [texts * tokens, heads * width] of [texts, heads, tokens, width]."""
    texts, heads, tokens, width = x.shape
    return x.transpose(1, 2).reshape(texts * tokens, heads * width)


def _is_grouped(q: Tensor, k: Tensor) -> bool:
    """Tell whether several heads share a key."""
    return q.shape[1] != k.shape[1]
