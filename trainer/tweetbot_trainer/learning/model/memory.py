"""Whether a training has room in the memory of its Pod, from the shape of its base; imports no torch."""

from dataclasses import replace

from tweetbot_contract import reasons
from tweetbot_contract.spec.memory import GIB, Load, format_gibibytes, resolve_memory
from tweetbot_contract.spec.model import Lora
from tweetbot_contract.spec.quantities import read_quantity
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_trainer.learning.decoder.configs import DecoderConfig, build_shape
from tweetbot_trainer.learning.values import Hyperparameters
from tweetbot_trainer.runtime.errors import SpecRefused


def build_load(config: DecoderConfig, values: Hyperparameters) -> Load:
    """Return what a training with these values takes memory for."""
    return Load(build_shape(config), values.lora.rank if values.lora else None, values.batch_tokens)


def require_memory(spec: TweetBotSpec, config: DecoderConfig, values: Hyperparameters) -> None:
    """Require the training's Pod to hold a training of this base. Raises SpecRefused (BaseModelTooLarge)."""
    load, gpu, memory = build_load(config, values), spec.resources.gpu.count > 0, resolve_memory(spec)
    need = load.estimate_pod(gpu=gpu)
    if (read_quantity(memory) or 0) >= need.least:
        return
    advice = f"set spec.resources.memory to {format_gibibytes(need.enough)}"
    if not values.lora and values.recipe == "tweetbot":
        smaller = format_gibibytes(replace(load, rank=Lora().rank).estimate_pod(gpu=gpu).enough)
        advice += f", or spec.model.method to LoRA and spec.resources.memory to {smaller}"
    raise SpecRefused(
        reasons.BASE_MODEL_TOO_LARGE,
        f"Training {describe_load(load)} of {spec.model.base} takes at least {need.least / GIB:.1f} GiB, "
        f"and spec.resources.memory is {memory}: {advice}.",
    )


def describe_load(load: Load) -> str:
    """Say what is trained: all weights of a base, or adapters beside them."""
    what = "all" if load.rank is None else "LoRA adapters beside"
    return f"{what} {load.shape.weights / 1e6:,.0f} million weights"
