"""GPT-2 as it lies on the hub: the layouts and configurations of its sizes, with small random weights."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, GPT2LMHeadModel

from builders.bases.known import list_published, read_published
from builders.model import SAMPLING, a_saved_base
from tweetbot_trainer.learning.decoder.configs import build_shape
from tweetbot_trainer.learning.model.base import read_base
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.model.metadata import check_config
from tweetbot_trainer.publishing.export import save_model
from tweetbot_trainer.runtime.errors import SpecRefused

IDENTITY = BaseIdentity("hf://gpt2", "hub", "607a30d783dfa663caf39e06633721c8d4cfcd7e")
#: The configuration of each size, as published.
SIZES = {name: entry["config"] for name, entry in read_published("gpt2")["models"].items()}


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
    (folder / "config.json").write_text(json.dumps(SIZES[size] | shape | {"n_ctx": 64}))
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


@pytest.mark.parametrize(("name", "config"), [(name, entry["config"]) for _, name, entry in list_published()])
def test_transformers_counts_as_many_weights_in_each_published_configuration(name: str, config: dict[str, Any]) -> None:
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config))
    assert sum(each.numel() for each in model.parameters()) == build_shape(check_config(config, name)).weights


def test_a_tokenizer_of_more_entries_than_the_weights_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "openai-community/gpt2", bare)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"vocab_size": 256}))
    with pytest.raises(SpecRefused, match=r"its tokenizer has \d+ entries, its weights only 256"):
        read_base(tmp_path, IDENTITY)
