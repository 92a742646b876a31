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
from tweetbot_trainer.learning.model.tokenizer import END_MARK, get_end_mark_id, write_tokenizer
from tweetbot_trainer.learning.sampling import SamplingParams
from tweetbot_trainer.learning.values import LoraConfig

GENERATION_CONFIG = "generation_config.json"
#: What save_model writes; the card joins them.
MODEL_FILES = ("config.json", GENERATION_CONFIG, "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def save_model(model: GPT2LMHeadModel, tokenizer: Tokenizer, config: SamplingParams, folder: Path) -> None:
    """Write MODEL_FILES into the folder; the same weights give the same bytes."""
    mark = get_end_mark_id(tokenizer)
    folder.mkdir(parents=True, exist_ok=True)
    model.config.prefix = END_MARK  # the text-generation pipeline puts it before every prompt
    model.config.bos_token_id = model.config.eos_token_id = mark
    disable_progress_bar()  # stderr carries our JSON lines
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)  # safetensors leaves it readable to its owner alone
    write_tokenizer(tokenizer, folder, model.config.n_positions)
    settings = json.dumps(build_generation_config(config, mark), indent=2, sort_keys=True) + "\n"
    (folder / GENERATION_CONFIG).write_text(settings, encoding="utf-8")


def build_generation_config(config: SamplingParams, end_mark: int) -> dict[str, Any]:
    """Return every generation value: what is left out, each library fills in with a default of its own."""
    return {
        "bos_token_id": end_mark,
        "do_sample": True,
        "eos_token_id": end_mark,
        "max_new_tokens": config.max_new_tokens,
        "min_new_tokens": config.min_new_tokens,
        "num_beams": 1,
        "pad_token_id": end_mark,
        "repetition_penalty": 1.0,
        "temperature": config.temperature,
        "top_k": config.top_k,
        "top_p": config.top_p,
    }


#: The files of a PEFT adapter.
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
#: What peft puts before the name of a parameter of the model that it wraps.
_WRAPPED = "base_model.model."


def save_adapter(tensors: Mapping[str, Tensor], lora: LoraConfig, base: BaseIdentity, folder: Path) -> None:
    """Write the adapters' tensors, by their names in the model, and what peft must know of them."""
    folder.mkdir(parents=True, exist_ok=True)
    named = {f"{_WRAPPED}{name}.weight": tensor.contiguous() for name, tensor in tensors.items()}
    save_file(named, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / WEIGHTS).chmod(0o644)  # safetensors leaves it readable to its owner alone
    (folder / CONFIG).write_text(json.dumps(build_peft_config(tensors, lora, base), indent=2) + "\n", encoding="utf-8")


def build_peft_config(tensors: Mapping[str, Tensor], lora: LoraConfig, base: BaseIdentity) -> dict[str, Any]:
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
