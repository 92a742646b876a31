"""The layers that blocks are made of, named and laid out as in transformers, without initial values.

Weights are read from a file or drawn by `learning.model.scratch`, so drawing them here would be thrown away.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Conv1D(nn.Module):
    """A linear layer of GPT-2: its weight is [in, out], the transpose of Linear's."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.empty(outputs))

    @property
    def matrix(self) -> Tensor:
        """The weight as [out, in], in the same memory."""
        return self.weight.t()

    def forward(self, x: Tensor) -> Tensor:
        """Return [tokens, out] for x [tokens, in]."""
        return torch.addmm(self.bias, x, self.weight)


class Linear(nn.Module):
    """A linear layer of the other families, with or without a bias."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None

    @property
    def matrix(self) -> Tensor:
        """The weight as [out, in]."""
        return self.weight

    def forward(self, x: Tensor) -> Tensor:
        """Return [tokens, out] for x [tokens, in]."""
        return functional.linear(x, self.weight, self.bias)


class Embedding(nn.Module):
    """A vector for each id."""

    def __init__(self, entries: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(entries, channels))

    def forward(self, ids: Tensor) -> Tensor:
        """Return [tokens, channels] for ids [tokens]."""
        return functional.embedding(ids, self.weight)


class LayerNorm(nn.Module):
    """Normalizes by mean and variance."""

    def __init__(self, channels: int, epsilon: float) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(channels)), nn.Parameter(torch.empty(channels))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Return x [tokens, channels] normalized."""
        return functional.layer_norm(x, self.weight.shape, self.weight, self.bias, self.epsilon)


class RmsNorm(nn.Module):
    """Normalizes by the root mean square of the last dimension."""

    def __init__(self, channels: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Return x [..., channels] normalized, computed in float32."""
        return functional.rms_norm(x.float(), self.weight.shape, self.weight, self.epsilon).to(x.dtype)
