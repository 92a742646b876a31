"""Write a finished model as the flat directory that transformers, vLLM and KServe load as it is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor

from tweetbot_trainer.learning.decoder.configs import DecoderConfig, Gpt2Config
from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.decoder.gpt2 import Gpt2Decoder
from tweetbot_trainer.learning.decoder.weights import save_weights
from tweetbot_trainer.learning.model.identity import CONFIG, WEIGHTS, BaseIdentity
from tweetbot_trainer.learning.model.marks import Marks, get_marks
from tweetbot_trainer.learning.model.tokenizer import write_tokenizer
from tweetbot_trainer.learning.sampling import SamplingParams
from tweetbot_trainer.learning.values import LoraConfig

GENERATION_CONFIG = "generation_config.json"
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
#: The version of transformers whose config.json this is: by it others know that the tokenizer needs no mending.
_FORMAT = "5.23.0"
#: What config.json says of every model, and of every GPT-2, though most of it means nothing to a language model.
_ALWAYS: dict[str, Any] = {"dtype": "float32", "pad_token_id": None, "transformers_version": _FORMAT, "use_cache": True}
_GPT2: dict[str, Any] = {
    "add_cross_attention": False,
    "architectures": ["GPT2LMHeadModel"],
    "model_type": "gpt2",
    "summary_activation": None,
    "summary_first_dropout": 0.1,
    "summary_proj_to_labels": True,
    "summary_type": "cls_index",
    "summary_use_proj": True,
    "tie_word_embeddings": True,
}
_ARCHITECTURES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}
#: What peft puts before the name of a parameter of the model that it wraps.
_PEFT_PREFIX = "base_model.model."


def save_model(model: Decoder, tokenizer: Tokenizer, sampling: SamplingParams, folder: Path) -> None:
    """Write weights, configuration and tokenizer into the folder. The same weights give the same bytes."""
    marks = get_marks(tokenizer)
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(model, folder / WEIGHTS)
    _write_json(folder / CONFIG, build_config(model.config, marks))
    # The class of GPT-2's tokenizer splits texts as GPT-2 does; the other reads how from tokenizer.json.
    tokenizer_class = "GPT2Tokenizer" if isinstance(model.config, Gpt2Config) else "PreTrainedTokenizerFast"
    write_tokenizer(tokenizer, folder, model.config.longest, tokenizer_class=tokenizer_class)
    _write_json(folder / GENERATION_CONFIG, build_generation_config(sampling, marks))


def build_config(config: DecoderConfig, marks: Marks) -> dict[str, Any]:
    """Return the content of config.json, in its order: what shapes the model, and nothing else that the base's said."""
    if isinstance(config, Gpt2Config):
        own = _GPT2 | config.model_dump()
    else:
        own = {"architectures": [_ARCHITECTURES[config.model_type]], "hidden_act": "silu"}
        own |= config.model_dump(exclude_none=True)
    return dict(sorted((_ALWAYS | own | {"bos_token_id": marks.begin, "eos_token_id": marks.end}).items()))


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
        "fan_in_fan_out": all(name.startswith(Gpt2Decoder.PREFIX) for name in tensors),  # its weights are [in, out]
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
