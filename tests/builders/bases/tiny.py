"""Tiny random bases of each family in a folder, as transformers saves them: in bfloat16, the embedding padded."""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    LlamaConfig,
    PreTrainedConfig,
    Qwen2Config,
    Qwen3Config,
)

from builders.bases.known import a_tokenizer

#: Embeddings, of which the tokenizer has fewer.
_ROWS = 320
_CHATML = {"<|endoftext|>": 300, "<|im_start|>": 301, "<|im_end|>": 302}
_LLAMA3 = {"<|begin_of_text|>": 300, "<|end_of_text|>": 301, "<|eot_id|>": 302}
_SIZES: dict[str, Any] = {
    "vocab_size": _ROWS, "max_position_embeddings": 128, "hidden_size": 32, "intermediate_size": 64,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
}  # fmt: skip
_LONG = {"factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
FAMILIES: dict[str, tuple[PreTrainedConfig, dict[str, int]]] = {
    "GPT-2": (
        GPT2Config(vocab_size=_ROWS, n_positions=128, n_embd=32, n_layer=2, n_head=4, eos_token_id=300),
        {"<|endoftext|>": 300},
    ),
    "SmolLM2": (LlamaConfig(**_SIZES, tie_word_embeddings=True, eos_token_id=300), _CHATML),
    "Llama 3": (
        LlamaConfig(
            **_SIZES,
            tie_word_embeddings=True,
            bos_token_id=300,
            eos_token_id=301,
            rope_parameters={"rope_type": "llama3", "rope_theta": 5000.0, **_LONG},
        ),
        _LLAMA3,
    ),
    "Qwen2.5": (Qwen2Config(**_SIZES, tie_word_embeddings=True, eos_token_id=300), _CHATML),
    "Qwen3": (Qwen3Config(**_SIZES, tie_word_embeddings=True, head_dim=16, eos_token_id=300), _CHATML),
}


def write_tiny_base(folder: Path, family: str) -> Path:
    """Write the base of a family, with its chat template if bases of it have one, and return the folder."""
    config, special = FAMILIES[family]
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.to(torch.bfloat16).save_pretrained(folder)
    a_tokenizer(special).save(str(folder / "tokenizer.json"))
    end = "<|end_of_text|>" if "<|end_of_text|>" in special else "<|endoftext|>"
    stated = {"eos_token": end} | ({"chat_template": "{{ messages }}"} if family.startswith("Qwen") else {})
    (folder / "tokenizer_config.json").write_text(json.dumps(stated), encoding="utf-8")
    return folder
