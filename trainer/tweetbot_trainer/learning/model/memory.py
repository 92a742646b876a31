"""How much memory a training takes of its Pod, from the shape of its base; imports no torch.

Each weight is 4 bytes in float32. Of each weight that is trained the optimizer's two moments and the gradient are 12
more, and the best weights so far 4. A token of a forward pass leaves about 16 numbers for each channel of each layer to
the backward pass, and one for each entry of the vocabulary. Measured trainings took 1.0 to 1.4 times that, beside
300 to 770 MiB of the program itself, by the build of torch (docs/decisions/0060).
"""

import math
from dataclasses import dataclass, replace

from tweetbot_contract import reasons
from tweetbot_contract.spec.model import Lora
from tweetbot_contract.spec.quantities import read_quantity
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_trainer.learning.model.metadata import Gpt2Config
from tweetbot_trainer.learning.values import Hyperparameters, LoraConfig
from tweetbot_trainer.runtime.errors import SpecRefused

_GIB = 1024**3
#: Bytes of the program before it loads a model: at least, and with room for CUDA, samples and pictures.
PROGRAM, ROOMY_PROGRAM = 300 * 1024**2, _GIB
_WEIGHT, _MOMENTS, _GRADIENT, _BEST = 4, 8, 4, 4
#: Numbers per token, layer and channel that the backward pass needs, and how much more allocators take.
_NUMBERS, _SLACK = 16, 1.5
#: Tokens of a step that every dataset fills: fewer posts than make these are refused as too few.
_TOKENS = 1024


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes that a training takes at least, and bytes that it has room in."""

    least: int
    enough: int


def estimate_memory(config: Gpt2Config, values: Hyperparameters, *, gpu: bool) -> MemoryNeed:
    """Estimate the memory of a training's Pod; with `gpu`, weights and activations are the GPU's.

    A checkpoint passes through the Pod's memory on a GPU, too, and so do the best weights.
    """
    weights = count_weights(config)
    trained = count_adapter_weights(config, values.lora.rank) if values.lora else weights
    loaded = _WEIGHT * weights
    if gpu:
        kept = max(loaded, (_WEIGHT + _MOMENTS) * trained)
        return MemoryNeed(PROGRAM + kept, 2 * ROOMY_PROGRAM + kept + _BEST * trained)
    frozen = loaded if values.lora else 0
    states = frozen + (_WEIGHT + _MOMENTS + _GRADIENT) * trained
    token = _WEIGHT * (_NUMBERS * config.n_layer * config.n_embd + config.vocab_size)
    least = PROGRAM + states + min(values.batch_tokens, _TOKENS) * token
    return MemoryNeed(least, ROOMY_PROGRAM + states + _BEST * trained + int(_SLACK * values.batch_tokens * token))


def count_adapter_weights(config: Gpt2Config, rank: int) -> int:
    """Count the weights of LoRA adapters of this rank on every linear layer of the blocks."""
    layers = [shape for name, shape in config.list_tensors().items() if name.startswith("h.") and len(shape) == 2]
    return sum(rank * (inputs + outputs) for inputs, outputs in layers)


def require_memory(spec: TweetBotSpec, config: Gpt2Config, values: Hyperparameters) -> None:
    """Require resources.memory to hold a training of this base. Raises SpecRefused (BaseModelTooLarge)."""
    gpu = spec.resources.gpu.count > 0
    need, given = estimate_memory(config, values, gpu=gpu), read_quantity(spec.resources.memory) or 0
    if given >= need.least:
        return
    what = "LoRA adapters beside" if values.lora else "all"
    weights = count_weights(config)
    advice = f"set spec.resources.memory to {_round_up(need.enough)}"
    if not values.lora and values.recipe == "tweetbot":
        smaller = estimate_memory(config, replace(values, lora=LoraConfig(Lora().rank, Lora().alpha)), gpu=gpu)
        advice += f", or spec.model.method to LoRA and spec.resources.memory to {_round_up(smaller.enough)}"
    raise SpecRefused(
        reasons.BASE_MODEL_TOO_LARGE,
        f"Training {what} {weights / 1e6:,.0f} million weights of {spec.model.base} takes at least "
        f"{need.least / _GIB:.1f} GiB, and spec.resources.memory is {spec.resources.memory}: {advice}.",
    )


def count_weights(config: Gpt2Config) -> int:
    """Count the weights of a base; its head is the embedding."""
    return sum(math.prod(shape) for shape in config.list_tensors().values())


def _round_up(size: int) -> str:
    return f"{math.ceil(size / _GIB)}Gi"
