"""A decoder's weights as a safetensors file, under transformers' names."""

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from tweetbot_trainer.learning.decoder.decoder import Decoder

_HEAD = "lm_head.weight"


class HeadDiffers(ValueError):
    """The file has a head of its own for a model whose head is tied to the embedding."""


@torch.no_grad()
def load_weights(model: Decoder, path: Path) -> None:
    """Copy the weights of a file into the model, converted to its number format.

    Names may lack the body's prefix, and other tensors are left alone: old files hold the causal masks. Raises
    HeadDiffers; SafetensorError, KeyError, RuntimeError or OSError if the file does not fit the model.
    """
    with safe_open(path, "pt") as file:
        names = {name.removeprefix(model.PREFIX): name for name in file.keys()}  # noqa: SIM118  # it is no mapping
        for name, parameter in model.named_parameters():
            parameter.copy_(file.get_tensor(names[name.removeprefix(model.PREFIX)]))
        head = file.get_tensor(_HEAD) if model.lm_head is None and _HEAD in names else model.embedding.weight
        if not torch.equal(head.to(model.embedding.weight.dtype), model.embedding.weight):
            raise HeadDiffers(f"{path.name} has a head of its own")


def save_weights(model: Decoder, path: Path) -> None:
    """Write all weights. The same weights give the same bytes. Raises OSError."""
    tensors = {name: parameter.detach().cpu().contiguous() for name, parameter in model.named_parameters()}
    save_file(tensors, path, metadata={"format": "pt"})
    path.chmod(0o644)  # safetensors makes it readable to its owner only
