"""LoRA: beside each linear layer of the blocks a product of two narrow matrices, which alone are trained.

    y = W x + b + alpha/rank * B A x

W, b and everything else are frozen. A is drawn from the seed and B starts at zero, so training starts at the base.
Adapters on attention alone learn less ("LoRA Without Regret", Thinking Machines 2025).
"""

import math

import torch
from torch import Tensor, nn

from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.decoder.layers import Conv1D, Linear
from tweetbot_trainer.learning.values import LoraConfig


class LoraLinear(nn.Module):
    """A frozen linear layer and its adapter: `lora_A` [rank, in] and `lora_B` [out, rank], laid out as in PEFT."""

    def __init__(self, frozen: Conv1D | Linear, lora: LoraConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.frozen, self.scale = frozen, lora.scale
        outputs, inputs = frozen.matrix.shape
        self.lora_A = nn.Parameter(torch.empty(lora.rank, inputs))
        self.lora_B = nn.Parameter(torch.zeros(outputs, lora.rank))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5), generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Return [tokens, out] for x [tokens, in]."""
        return torch.addmm(self.frozen(x), x @ self.lora_A.t(), self.lora_B.t(), alpha=self.scale)

    @torch.no_grad()
    def merge(self) -> Conv1D | Linear:
        """Add the adapter to the layer's weight and return the layer; the adapter must not be used after that."""
        self.frozen.matrix.add_(self.scale * (self.lora_B @ self.lora_A))
        return self.frozen


def attach_adapters(model: Decoder, lora: LoraConfig, seed: int) -> None:
    """Freeze the model and wrap each of its linear layers in an adapter, drawn on the CPU from the seed alone."""
    model.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for owner, name in model.iter_linear_layers():
        adapted = LoraLinear(getattr(owner, name), lora, generator)
        setattr(owner, name, adapted.to(model.device))


def merge_adapters(model: Decoder) -> dict[str, Tensor]:
    """Merge the adapters into the weights, remove them, and return their tensors on the CPU by name.

    After that the model is an ordinary one again, with all weights trainable.
    """
    tensors = {name: one.detach().cpu() for name, one in model.named_parameters() if "lora_" in name}
    for owner, name in model.iter_linear_layers():
        setattr(owner, name, getattr(owner, name).merge())
    model.requires_grad_(True)
    return tensors
