"""Load a base model: from scratch, the hub or a folder; a GPT-2 in safetensors and nothing else."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils.logging import disable_progress_bar

from tweetbot_trainer.learning.model import hub, scratch
from tweetbot_trainer.learning.model.identity import (
    CONFIG,
    FILES,
    TOKENIZER,
    WEIGHTS,
    BaseIdentity,
    make_missing_error,
    make_refusal,
)
from tweetbot_trainer.learning.model.tokenizer import read_tokenizer
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store.hashing import compute_sha256
from tweetbot_trainer.store.interface import ObjectNotFound

#: Writes the object at an address into a file (`ObjectStore.download`). Raises ObjectNotFound.
Download = Callable[[str, Path], None]
#: Largest accepted config.json in bytes; a real one is a page of JSON.
CONFIG_LIMIT = 1024 * 1024
#: Largest accepted tokenizer.json in bytes; gpt2's has 1.3 MB, that of a vocabulary of 256,000 has 34 MB.
TOKENIZER_LIMIT = 64 * 1024**2
#: Keys that make transformers load code, other weight formats, or a model that is no plain GPT-2.
_FORBIDDEN_KEYS = ("auto_map", "quantization_config", "custom_pipelines", "add_cross_attention")
#: Largest sizes that are accepted, far above those of gpt2-xl: a model of a billion layers would be built before its
#: weights are found missing.
_LARGEST = {
    "n_layer": 1024,
    "n_head": 1024,
    "n_embd": 65536,
    "n_inner": 262144,
    "n_positions": 1048576,
    "vocab_size": 2097152,
}
_OWN_HEAD = "its head has weights of its own, and only a head tied to the embedding is supported"
#: Tensors of old files beside the weights: the causal masks, and the head, which is the embedding.
_NO_WEIGHTS = (".attn.bias", ".attn.masked_bias", "lm_head.weight")


@dataclass(frozen=True, slots=True)
class Base:
    """A model in float32 on the CPU, its tokenizer, and which base it is."""

    model: GPT2LMHeadModel
    tokenizer: Tokenizer
    identity: BaseIdentity


def load_base(
    identity: BaseIdentity,
    *,
    train_texts: Sequence[str],
    seed: int,
    folder: Path,
    download: Download,
    retry_budget: RetryBudget,
) -> Base:
    """Load the base; downloads go to `folder`, and a scratch base's tokenizer is trained on `train_texts`.

    Retries an unavailable hub within `retry_budget`. Raises SpecRefused (BaseModelNotFound, BaseModelRefused),
    NotAuthorized or TemporaryError.
    """
    if identity.kind == "scratch":
        model, tokenizer = scratch.create_base(identity.uri, train_texts, seed)
        return Base(model, tokenizer, identity)
    folder.mkdir(parents=True, exist_ok=True)
    if name := identity.hub_name:
        retry_budget.call(lambda: hub.download(name, identity.digest, folder))
    else:
        _fetch(identity, folder, download)
    return read_base(folder, identity)


def read_base(folder: Path, identity: BaseIdentity) -> Base:
    """Read the base in a folder. Raises SpecRefused (BaseModelNotFound, BaseModelRefused) with what is wrong."""
    for name in FILES:
        if not (folder / name).is_file():
            raise make_missing_error(identity.uri, name)
    config = _read_config(folder / CONFIG, identity.uri)
    if (folder / TOKENIZER).stat().st_size > TOKENIZER_LIMIT:
        raise make_refusal(identity.uri, f"its {TOKENIZER} is longer than {TOKENIZER_LIMIT} bytes")
    tokenizer = read_tokenizer(folder / TOKENIZER, identity.uri, config.vocab_size)
    torch.manual_seed(0)
    return Base(_load_weights(folder, config, identity.uri), tokenizer, identity)


def _fetch(identity: BaseIdentity, folder: Path, download: Download) -> None:
    expected = {CONFIG: identity.config, TOKENIZER: identity.tokenizer, WEIGHTS: identity.digest}
    for name in FILES:
        try:
            download(f"{identity.uri}/{name}", folder / name)
        except ObjectNotFound as missing:
            raise make_missing_error(identity.uri, name) from missing
        if compute_sha256(folder / name) != expected[name]:
            raise make_refusal(identity.uri, f"{name} was replaced during the run; start another run")


def _read_config(path: Path, uri: str) -> GPT2Config:
    content = _parse_config(path, uri)
    if content.get("model_type") != "gpt2":
        found_type = str(content.get("model_type"))[:40]
        raise make_refusal(uri, f"its model_type is {found_type!r}, and only gpt2 is supported")
    if found := [key for key in _FORBIDDEN_KEYS if content.get(key)]:
        raise make_refusal(uri, f"its {CONFIG} has {found[0]}, which is not supported")
    if content.get("tie_word_embeddings") is False:
        raise make_refusal(uri, _OWN_HEAD)
    try:
        config = GPT2Config.from_dict(content)
        sizes = {key: int(getattr(config, key) or 0) for key in _LARGEST}
    except Exception as error:
        raise make_refusal(uri, f"its {CONFIG} is not a GPT-2's") from error
    if wrong := [key for key, largest in _LARGEST.items() if not 0 <= sizes[key] <= largest]:
        raise make_refusal(uri, f"its {CONFIG} has a {wrong[0]} above {_LARGEST[wrong[0]]}, or below 0")
    return config


def _parse_config(path: Path, uri: str) -> dict[str, Any]:
    try:
        if path.stat().st_size > CONFIG_LIMIT:
            raise make_refusal(uri, f"its {CONFIG} is longer than {CONFIG_LIMIT} bytes")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise make_refusal(uri, f"its {CONFIG} is not JSON") from error
    if not isinstance(content, dict):
        raise make_refusal(uri, f"its {CONFIG} is not a JSON object")
    return content


def _load_weights(folder: Path, config: GPT2Config, uri: str) -> GPT2LMHeadModel:
    disable_progress_bar()  # stderr carries our JSON lines
    try:
        model, loading = GPT2LMHeadModel.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except (SafetensorError, RuntimeError, ValueError, OSError) as error:
        raise make_refusal(uri, f"its {WEIGHTS} is damaged or does not fit its {CONFIG}") from error
    if lacking := sorted({*loading["missing_keys"], *loading["mismatched_keys"]} - {"lm_head.weight"}):
        raise make_refusal(uri, f"its {WEIGHTS} lacks {len(lacking)} tensors, the first is {lacking[0]}")
    if unknown := sorted(name for name in loading["unexpected_keys"] if not name.endswith(_NO_WEIGHTS)):
        raise make_refusal(uri, f"its {WEIGHTS} has {len(unknown)} tensors too many for its {CONFIG}: {unknown[0]}")
    if model.lm_head.weight is not model.transformer.wte.weight:
        raise make_refusal(uri, _OWN_HEAD)
    return model
