"""Tiny random models of each family, made by transformers, and ours with the same weights."""

from typing import Any

import torch
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    PreTrainedConfig,
    Qwen2Config,
    Qwen3Config,
)

from tweetbot_trainer.learning.decoder import configs
from tweetbot_trainer.learning.decoder.attention import PackedAttention
from tweetbot_trainer.learning.decoder.build import build_decoder
from tweetbot_trainer.learning.decoder.decoder import Decoder

MARK = 40
_GPT2 = {"vocab_size": 41, "n_positions": 24, "n_embd": 16, "n_layer": 2, "n_head": 2, "eos_token_id": MARK}
_LLAMA: dict[str, Any] = {
    "vocab_size": 41, "max_position_embeddings": 24, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "eos_token_id": MARK, "bos_token_id": MARK,
}  # fmt: skip
_LONG = {"factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 12}
#: What config.json may say of a family that changes how it computes.
CONFIGS: dict[str, PreTrainedConfig] = {
    "gpt2": GPT2Config(**_GPT2),
    "gpt2, scaled by layer": GPT2Config(**_GPT2, scale_attn_by_inverse_layer_idx=True),
    "gpt2, unscaled": GPT2Config(**_GPT2, scale_attn_weights=False),
    "llama": LlamaConfig(**_LLAMA),
    "llama, tied": LlamaConfig(**_LLAMA, tie_word_embeddings=True, rope_parameters={"rope_theta": 100.0}),
    "llama, stretched": LlamaConfig(
        **_LLAMA, rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 1000.0}
    ),
    "llama 3": LlamaConfig(**_LLAMA, rope_parameters={"rope_type": "llama3", "rope_theta": 50.0, **_LONG}),
    "qwen2": Qwen2Config(**_LLAMA, tie_word_embeddings=True),
    "qwen3": Qwen3Config(**_LLAMA, tie_word_embeddings=True, head_dim=8),
}


def build_theirs(name: str) -> Any:
    """Build transformers' model with weights far from the start, where attention, biases and norms hardly matter."""
    torch.manual_seed(3)
    model = AutoModelForCausalLM.from_config(CONFIGS[name], dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


def build_ours(theirs: Any) -> Decoder:
    """Build our model with the weights of theirs, in evaluation mode."""
    content = theirs.config.to_dict()
    kind = configs.Gpt2Config if content["model_type"] == "gpt2" else configs.LlamaConfig
    model = build_decoder(kind.model_validate(content)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(theirs.get_parameter(name))
    return model


def copy_to_transformers(model: Decoder) -> Any:
    """Return transformers' GPT-2 with the weights of ours, in training mode as it."""
    theirs = GPT2LMHeadModel(GPT2Config(**model.config.model_dump()))
    theirs.load_state_dict(dict(model.named_parameters()), strict=False)
    return theirs.train(model.training)


def compute_logits(model: Decoder, ids: Tensor) -> Tensor:
    """Return [texts, tokens, vocabulary] of ids [texts, tokens]."""
    texts, tokens = ids.shape
    positions = torch.arange(tokens).repeat(texts)
    hidden = model.compute_hidden_states(ids.flatten(), positions, PackedAttention([(texts, tokens)]))
    return model.compute_logits(hidden).view(texts, tokens, -1)
