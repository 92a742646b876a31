"""GPT-2 as it lies on the hub: the layouts and configurations of its sizes, with small random weights."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

from builders.model import SAMPLING, a_saved_base
from tweetbot_trainer.learning.model.base import read_base
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.publishing.export import save_model
from tweetbot_trainer.runtime.errors import SpecRefused

IDENTITY = BaseIdentity("hf://gpt2", "hub", "607a30d783dfa663caf39e06633721c8d4cfcd7e")
#: What all of them say; the keys of one size are added to it.
SHARED: dict[str, Any] = {
    "activation_function": "gelu_new",
    "architectures": ["GPT2LMHeadModel"],
    "attn_pdrop": 0.1,
    "bos_token_id": 50256,
    "embd_pdrop": 0.1,
    "eos_token_id": 50256,
    "initializer_range": 0.02,
    "layer_norm_epsilon": 1e-05,
    "model_type": "gpt2",
    "n_ctx": 1024,
    "n_positions": 1024,
    "resid_pdrop": 0.1,
    "summary_activation": None,
    "summary_first_dropout": 0.1,
    "summary_proj_to_labels": True,
    "summary_type": "cls_index",
    "summary_use_proj": True,
    "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
    "vocab_size": 50257,
}
OLD_LABELS = {"_num_labels": 1, "id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}
#: Sizes as published, with the millions of parameters that they are known by.
SIZES: dict[str, tuple[dict[str, Any], int]] = {
    "distilgpt2": ({"n_embd": 768, "n_head": 12, "n_layer": 6, **OLD_LABELS}, 82),
    "gpt2": ({"n_embd": 768, "n_head": 12, "n_layer": 12, "n_inner": None}, 124),
    "gpt2-medium": ({"n_embd": 1024, "n_head": 16, "n_layer": 24, "n_special": 0, "predict_special_tokens": True}, 355),
    "gpt2-large": ({"n_embd": 1280, "n_head": 20, "n_layer": 36}, 774),
    "gpt2-xl": ({"n_embd": 1600, "n_head": 25, "n_layer": 48, "output_past": True}, 1558),
}


def bare(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return gpt2's own layout: no prefix, and the causal mask of each layer."""
    plain = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
    return plain | {f"h.{layer}.attn.bias": torch.ones(1, 1, 64, 64).tril() for layer in range(2)}


def prefixed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return DistilGPT-2's: prefix, masks as bytes, what masks put in their place, and a copy of the embedding."""
    masks = {f"transformer.h.{n}.attn.bias": torch.ones(1, 1, 64, 64, dtype=torch.uint8).tril() for n in range(2)}
    fillers = {f"transformer.h.{n}.attn.masked_bias": torch.tensor(-1e4) for n in range(2)}
    return tensors | masks | fillers | {"lm_head.weight": tensors["transformer.wte.weight"].clone()}


def written(folder: Path, size: str, layout: Any) -> dict[str, Tensor]:
    """Write a base of two small layers with the configuration and layout of a size, and return its weights."""
    a_saved_base(folder)
    small = json.loads((folder / "config.json").read_text())
    shape = {key: small[key] for key in ("n_embd", "n_head", "n_layer", "n_positions", "vocab_size")}
    (folder / "config.json").write_text(json.dumps(SHARED | SIZES[size][0] | shape | {"n_ctx": 64}))
    tensors = load_file(folder / "model.safetensors")
    save_file(layout(tensors), folder / "model.safetensors", metadata={"format": "pt"})
    return tensors


@pytest.mark.parametrize(("size", "layout"), [(size, layout) for size in SIZES for layout in (bare, prefixed)])
def test_every_layout_of_the_hub_is_read_and_published_again(tmp_path: Path, size: str, layout: Any) -> None:
    tensors = written(tmp_path / "base", size, layout)
    base = read_base(tmp_path / "base", IDENTITY)
    loaded = dict(base.model.named_parameters())
    assert set(loaded) == set(tensors)
    assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)
    assert base.model.lm_head is None
    save_model(base.model, base.tokenizer, SAMPLING, tmp_path / "model")
    again = GPT2LMHeadModel.from_pretrained(tmp_path / "model")
    assert all(torch.equal(again.get_parameter(name), tensors[name]) for name in tensors)


@pytest.mark.parametrize("size", SIZES)
def test_the_configurations_have_the_sizes_that_they_are_known_by(size: str) -> None:
    keys, millions = SIZES[size]
    with torch.device("meta"):
        model = GPT2LMHeadModel(GPT2Config.from_dict(SHARED | keys))
    assert round(sum(parameter.numel() for parameter in model.parameters()) / 1e6) == millions


def test_a_tokenizer_of_more_entries_than_the_weights_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "gpt2", bare)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"vocab_size": 256}))
    with pytest.raises(SpecRefused, match=r"its tokenizer has \d+ entries, its weights only 256"):
        read_base(tmp_path, IDENTITY)
