"""The activations that a config.json may name, by transformers' names. Each is one kernel where torch has one."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

Activation = Callable[[Tensor], Tensor]

#: One formula: what transformers computes for `gelu_new` and `gelu_fast` in eight kernels.
_GELU_TANH = partial(functional.gelu, approximate="tanh")

ACTIVATIONS: dict[str, Activation] = {
    "gelu": functional.gelu,
    "gelu_10": lambda x: functional.gelu(x).clamp(-10, 10),
    "gelu_fast": _GELU_TANH,
    "gelu_new": _GELU_TANH,
    "gelu_python": functional.gelu,
    "gelu_pytorch_tanh": _GELU_TANH,
    "leaky_relu": functional.leaky_relu,
    "linear": lambda x: x,
    "mish": functional.mish,
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "relu": functional.relu,
    "relu2": lambda x: functional.relu(x).square(),
    "relu6": functional.relu6,
    "sigmoid": torch.sigmoid,
    "silu": functional.silu,
    "swish": functional.silu,
    "tanh": torch.tanh,
}
