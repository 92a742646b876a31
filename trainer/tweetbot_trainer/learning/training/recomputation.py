"""Whether a training drops activations after the forward pass, as its memory is too small to keep them."""

from dataclasses import replace

import torch

from tweetbot_contract import reasons
from tweetbot_contract.spec.memory import GIB, Load, format_gibibytes
from tweetbot_contract.spec.model import Lora
from tweetbot_trainer.learning.decoder.configs import DecoderConfig
from tweetbot_trainer.learning.model.memory import build_load, describe_load
from tweetbot_trainer.learning.training.device import Device
from tweetbot_trainer.learning.values import Hyperparameters
from tweetbot_trainer.runtime.errors import SpecRefused


def choose_recomputation(
    config: DecoderConfig,
    values: Hyperparameters,
    device: Device,
    *,
    pod_memory: int | None,
    gpu_memory: int | None = None,
) -> bool:
    """Tell whether the training recomputes, by the bytes of its Pod or, on a GPU, of that.

    `gpu_memory` is what torch says of the GPU unless given. Raises SpecRefused (OutOfMemory) if the GPU is too small
    for that, too.
    """
    load = build_load(config, values)
    if device.device_type == "cpu":
        return pod_memory is not None and pod_memory < load.estimate_pod(gpu=False).plain
    given = gpu_memory or int(torch.cuda.get_device_properties(0).total_memory)
    need = load.estimate_gpu(bf16=device.bf16)
    if given < need.least:
        raise SpecRefused(reasons.OUT_OF_MEMORY, _describe_lack(load, device, given))
    return given < need.plain


def _describe_lack(load: Load, device: Device, given: int) -> str:
    need = load.estimate_gpu(bf16=device.bf16)
    advice = f"ask for a GPU with {format_gibibytes(need.enough)}"
    if load.rank is None:
        smaller = replace(load, rank=Lora().rank).estimate_gpu(bf16=device.bf16)
        advice += f", or set spec.model.method to LoRA, for which {format_gibibytes(smaller.enough)} are enough"
    return (
        f"Training {describe_load(load)} takes at least {need.least / GIB:.1f} GiB of a GPU's memory, "
        f"and {device.name} has {given / GIB:.1f} GiB: {advice}."
    )
