"""LoRA: beside each linear layer of a GPT-2 a product of two narrow matrices, which alone are trained.

    y = x W + b + alpha/rank * x A^T B^T

W, b and everything else are frozen. A is drawn from the seed and B starts at zero, so training starts at the base.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from transformers import GPT2LMHeadModel
from transformers.pytorch_utils import Conv1D

from tweetbot_trainer.learning.values import LoraConfig

#: Every linear layer of a GPT-2 block, below `transformer.h.<block>`: adapters on attention alone learn less
#: ("LoRA Without Regret", Thinking Machines 2025).
LAYERS = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")


class LoraLinear(nn.Module):
    """A frozen linear layer and its adapter: `lora_A` [rank, in] and `lora_B` [out, rank], laid out as in PEFT.

    The frozen weight of a Conv1D is [in, out], the transpose of nn.Linear's.
    """

    def __init__(self, frozen: Conv1D, lora: LoraConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.frozen, self.scale = frozen, lora.scale
        inputs, outputs = frozen.weight.shape
        self.lora_A = nn.Parameter(torch.empty(lora.rank, inputs))
        self.lora_B = nn.Parameter(torch.zeros(outputs, lora.rank))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5), generator=generator)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the layer's outputs [..., out] for inputs [..., in]."""
        flat = inputs.flatten(0, -2)
        base = torch.addmm(self.frozen.bias, flat, self.frozen.weight)
        both = torch.addmm(base, flat @ self.lora_A.t(), self.lora_B.t(), alpha=self.scale)
        return both.view(*inputs.shape[:-1], -1)

    @torch.no_grad()
    def merge(self) -> Conv1D:
        """Add the adapter to the layer's weight and return the layer; the adapter must not be used after that."""
        self.frozen.weight += self.scale * (self.lora_B @ self.lora_A).t()
        return self.frozen


def attach_adapters(model: GPT2LMHeadModel, lora: LoraConfig, seed: int) -> None:
    """Freeze the model and wrap each of its linear layers in an adapter, drawn on the CPU from the seed alone."""
    model.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for owner, name in _find_layers(model):
        adapted = LoraLinear(getattr(owner, name), lora, generator)
        setattr(owner, name, adapted.to(model.device))


def merge_adapters(model: GPT2LMHeadModel) -> dict[str, Tensor]:
    """Merge the adapters into the weights, remove them, and return their tensors on the CPU by name.

    After that the model is an ordinary GPT-2 again, with all weights trainable.
    """
    tensors = {name: one.detach().cpu() for name, one in model.named_parameters() if "lora_" in name}
    for owner, name in _find_layers(model):
        setattr(owner, name, getattr(owner, name).merge())
    model.requires_grad_(True)
    return tensors


def _find_layers(model: GPT2LMHeadModel) -> Iterator[tuple[nn.Module, str]]:
    for block in model.transformer.h:
        for layer in LAYERS:
            part, _, name = layer.partition(".")
            yield getattr(block, part), name
