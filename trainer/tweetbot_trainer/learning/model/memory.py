"""Whether a training has room in the memory of its Pod, from the shape of its base; imports no torch."""

from dataclasses import replace

from tweetbot_contract import reasons
from tweetbot_contract.spec.memory import GIB, Load, estimate_pod, format_gibibytes, resolve_memory
from tweetbot_contract.spec.model import Lora
from tweetbot_contract.spec.quantities import read_quantity
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_trainer.learning.decoder.configs import DecoderConfig, build_shape
from tweetbot_trainer.learning.values import Hyperparameters
from tweetbot_trainer.runtime.errors import SpecRefused

#: Weights from which on several GPUs may train a base.
LARGE_BASE = 1_000_000_000


def build_load(config: DecoderConfig, values: Hyperparameters) -> Load:
    """Return what a training with these values takes memory for."""
    return Load(build_shape(config), values.lora.rank if values.lora else None, values.batch_tokens)


def require_memory(spec: TweetBotSpec, config: DecoderConfig, values: Hyperparameters) -> None:
    """Require the training's Pod to hold a training of this base. Raises SpecRefused (BaseModelTooLarge)."""
    load, memory = build_load(config, values), resolve_memory(spec)
    need = estimate_pod(spec, load)
    if (read_quantity(memory) or 0) >= need.least:
        return
    advice = f"set spec.resources.memory to {format_gibibytes(need.enough)}"
    if not values.lora and values.recipe == "tweetbot":
        smaller = format_gibibytes(estimate_pod(spec, replace(load, rank=Lora().rank)).enough)
        advice += f", or spec.model.method to LoRA and spec.resources.memory to {smaller}"
    raise SpecRefused(
        reasons.BASE_MODEL_TOO_LARGE,
        f"Training {describe_load(load)} of {spec.model.base} takes at least {need.least / GIB:.1f} GiB, "
        f"and spec.resources.memory is {memory}: {advice}.",
    )


def require_use_of_gpus(spec: TweetBotSpec, weights: int) -> None:
    """Require a base of this many weights to be worth the GPUs that are asked for. Raises SpecRefused."""
    count = spec.resources.gpu.count
    if count > 1 and weights < LARGE_BASE:
        raise SpecRefused(
            reasons.SPEC_REFUSED,
            f"spec.resources.gpu.count is {count}, and {spec.model.base} has fewer than {LARGE_BASE / 1e9:.0f} billion "
            "weights: for so few, several GPUs wait for each other longer than they compute. Set it to 1.",
        )


def describe_load(load: Load) -> str:
    """Say what is trained: all weights of a base, or adapters beside them."""
    what = "all" if load.rank is None else "LoRA adapters beside"
    return f"{what} {load.shape.weights / 1e6:,.0f} million weights"
