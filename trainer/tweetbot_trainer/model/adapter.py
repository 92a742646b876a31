"""Write trained LoRA adapters by themselves, in the form of the peft library, beside the model that they are in."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from tweetbot_trainer.model.identity import BaseIdentity
from tweetbot_trainer.training.values import LoraValues

#: The files of a PEFT adapter.
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
#: What peft puts before the name of a parameter of the model that it wraps.
_WRAPPED = "base_model.model."


def save_adapter(tensors: Mapping[str, Tensor], lora: LoraValues, base: BaseIdentity, folder: Path) -> None:
    """Write the adapters' tensors, by their names in the model, and what peft must know of them."""
    folder.mkdir(parents=True, exist_ok=True)
    named = {f"{_WRAPPED}{name}.weight": tensor.contiguous() for name, tensor in tensors.items()}
    save_file(named, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / WEIGHTS).chmod(0o644)  # safetensors leaves it readable to its owner alone
    (folder / CONFIG).write_text(json.dumps(peft_config(tensors, lora, base), indent=2) + "\n", encoding="utf-8")


def peft_config(tensors: Mapping[str, Tensor], lora: LoraValues, base: BaseIdentity) -> dict[str, Any]:
    """Return the content of adapter_config.json; a base in a bucket stays unnamed, its address is nobody's business."""
    return {
        "base_model_name_or_path": base.hub_name,
        "bias": "none",
        "fan_in_fan_out": True,  # GPT-2's layers hold their weights as [in, out]
        "inference_mode": True,
        "lora_alpha": lora.alpha,
        "lora_dropout": 0.0,
        "peft_type": "LORA",
        "r": lora.rank,
        "revision": base.digest if base.hub_name else None,
        "target_modules": sorted({name.split(".")[-2] for name in tensors}),
        "task_type": "CAUSAL_LM",
    }
