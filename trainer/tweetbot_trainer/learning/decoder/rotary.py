"""Rotary positions: each pair of a head's numbers is turned by an angle that grows with the position.

The pairs are (number i, number i + width / 2), as in all checkpoints that transformers reads.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tweetbot_trainer.learning.decoder.configs import LlamaConfig, RopeScaling


@dataclass(frozen=True, slots=True)
class Rotation:
    """Cosines and sines of a stream's angles, [tokens, 1, width / 2] float32 each."""

    cosines: Tensor
    sines: Tensor

    @classmethod
    def from_positions(cls, positions: Tensor, frequencies: Tensor) -> "Rotation":
        """Compute the angles of positions [tokens] for frequencies [width / 2], in radians per position."""
        angles = (positions.float().unsqueeze(1) * frequencies).unsqueeze(1)
        return cls(angles.cos(), angles.sin())

    def rotate(self, x: Tensor) -> Tensor:
        """Rotate queries or keys, [tokens, heads, width]."""
        rotated: Tensor = _Rotate.apply(x.float(), self.cosines, self.sines)
        return rotated.to(x.dtype)


def compute_frequencies(config: LlamaConfig) -> Tensor:
    """Compute the frequencies of each pair, [width / 2] float32 on the CPU."""
    exponents = torch.arange(0, config.head_width, 2, dtype=torch.float32) / config.head_width
    frequencies = 1.0 / config.rope_theta**exponents
    return frequencies if config.rope_scaling is None else _scale_frequencies(frequencies, config.rope_scaling)


def _scale_frequencies(frequencies: Tensor, scaling: RopeScaling) -> Tensor:
    """Divide all frequencies by the factor, or as Llama 3.1 those of long waves alone, and blend towards short ones."""
    context, low, high = scaling.original_max_position_embeddings, scaling.low_freq_factor, scaling.high_freq_factor
    if context is None or low is None or high is None:  # rope_type linear
        return frequencies / scaling.factor
    waves = context * frequencies / (2 * math.pi)  # how many fit into the context
    kept = ((waves - low) / (high - low)).clamp(0, 1)
    return (1 - kept) * frequencies / scaling.factor + kept * frequencies


class _Rotate(torch.autograd.Function):
    """A rotation's gradient is the rotation back, so nothing but the angles is kept."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
        ctx.save_for_backward(cosines, sines)
        return _rotate_pairs(x, cosines, sines, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        cosines, sines = ctx.saved_tensors
        return _rotate_pairs(gradients[0], cosines, sines, -1), None, None


def _rotate_pairs(x: Tensor, cosines: Tensor, sines: Tensor, direction: int) -> Tensor:
    """Rotate [tokens, heads, width] forwards (1) or back (-1)."""
    first, second = x.chunk(2, -1)
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    one, two = out.chunk(2, -1)
    torch.mul(first, cosines, out=one).addcmul_(second, sines, value=-direction)
    torch.mul(second, cosines, out=two).addcmul_(first, sines, value=direction)
    return out
