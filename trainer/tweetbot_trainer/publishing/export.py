"""Write a finished model as the flat directory that transformers, vLLM and KServe load as it is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor
from transformers import GPT2LMHeadModel
from transformers.utils.logging import disable_progress_bar

from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.model.marks import Marks, get_marks
from tweetbot_trainer.learning.model.tokenizer import write_tokenizer
from tweetbot_trainer.learning.sampling import SamplingParams
from tweetbot_trainer.learning.values import LoraConfig

GENERATION_CONFIG = "generation_config.json"
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
#: What peft puts before the name of a parameter of the model that it wraps.
_PEFT_PREFIX = "base_model.model."


def save_model(model: GPT2LMHeadModel, tokenizer: Tokenizer, sampling: SamplingParams, folder: Path) -> None:
    """Write weights, configuration and tokenizer into the folder. The same weights give the same bytes."""
    marks = get_marks(tokenizer)
    folder.mkdir(parents=True, exist_ok=True)
    vars(model.config).pop("prefix", None)  # of a base published before decision 61: pipelines would put it in front
    model.config.bos_token_id, model.config.eos_token_id = marks.begin, marks.end
    disable_progress_bar()  # stderr carries our JSON lines
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)  # safetensors makes it readable to its owner only
    write_tokenizer(tokenizer, folder, model.config.n_positions, tokenizer_class="GPT2Tokenizer")
    _write_json(folder / GENERATION_CONFIG, build_generation_config(sampling, marks))


def build_generation_config(sampling: SamplingParams, marks: Marks) -> dict[str, Any]:
    """Return every generation value: for one that is left out each library has a default of its own."""
    return {
        "bos_token_id": marks.begin,
        "do_sample": True,
        "eos_token_id": marks.end,
        "max_new_tokens": sampling.max_new_tokens,
        "min_new_tokens": sampling.min_new_tokens,
        "num_beams": 1,
        "pad_token_id": marks.end,
        "repetition_penalty": 1.0,
        "temperature": sampling.temperature,
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
    }


def save_adapter(tensors: Mapping[str, Tensor], lora: LoraConfig, base: BaseIdentity, folder: Path) -> None:
    """Write an adapter in peft's format. `tensors`, of shape [rank, in] and [out, rank], are named as in the model."""
    folder.mkdir(parents=True, exist_ok=True)
    named = {f"{_PEFT_PREFIX}{name}.weight": tensor.contiguous() for name, tensor in tensors.items()}
    save_file(named, folder / ADAPTER_WEIGHTS, metadata={"format": "pt"})
    (folder / ADAPTER_WEIGHTS).chmod(0o644)  # safetensors makes it readable to its owner only
    _write_json(folder / ADAPTER_CONFIG, build_peft_config(tensors, lora, base))


def build_peft_config(tensors: Mapping[str, Tensor], lora: LoraConfig, base: BaseIdentity) -> dict[str, Any]:
    """Return the content of adapter_config.json. The address of a base in a bucket is private, so it is left out."""
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


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
