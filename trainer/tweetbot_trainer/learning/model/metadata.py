"""What a base's small parts say of it: config.json, tokenizer.json, and the table of tensors in model.safetensors.

`prepare` reads them of every base, so that what cannot be trained is refused before posts are paid for and a GPU is
waited for. Training reads them again. Imports no torch, and reads a few megabytes however large the weights are.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator
from tokenizers import Tokenizer

from tweetbot_trainer.learning.model.identity import CONFIG, TOKENIZER, WEIGHTS, make_missing_error, make_refusal
from tweetbot_trainer.learning.model.tokenizer import read_tokenizer
from tweetbot_trainer.learning.model.weights import WeightsTable, read_weights_table
from tweetbot_trainer.store.interface import ObjectNotFound

#: Opens a file of a base by its name. Raises ObjectNotFound.
OpenFile = Callable[[str], BinaryIO]
#: Largest accepted config.json in bytes; a real one is a page of JSON.
CONFIG_LIMIT = 1024 * 1024
#: Largest accepted tokenizer.json in bytes; gpt2's has 1.3 MB, that of a vocabulary of 256,000 has 34 MB.
TOKENIZER_LIMIT = 64 * 1024**2
#: Keys that make transformers load code, other weight formats, or a model that is no plain GPT-2.
_FORBIDDEN_KEYS = ("auto_map", "quantization_config", "custom_pipelines", "add_cross_attention")
#: Weights in formats that are not read, and what to do about each.
_OTHER_WEIGHTS = {
    "model.safetensors.index.json": "its weights are in several files: join them into one model.safetensors",
    "pytorch_model.bin": "its weights are a pickle, which can hold code: convert them to model.safetensors",
    "pytorch_model.bin.index.json": "its weights are pickles, which can hold code: convert them to model.safetensors",
}
#: How far two tensors are compared, in bytes. Training compares them whole.
_COMPARED = 65536
OWN_HEAD = "its head has weights of its own, and only a head tied to the embedding is supported"
#: Tensors of old files beside the weights: the causal masks, and the head, which is the embedding.
_HEAD, _NO_WEIGHTS = "lm_head.weight", (".attn.bias", ".attn.masked_bias", "lm_head.weight")
_Share = Annotated[float, Field(ge=0, le=1)]


class Gpt2Config(BaseModel):
    """The part of a GPT-2's config.json that shapes it; defaults and other names are transformers'.

    The largest sizes are far above those of gpt2-xl: a model of a billion layers would be built before its weights are
    found missing. The least n_positions leaves room for a few tokens after a prompt (`sampling.FEWEST_TOKENS`).
    """

    model_config = ConfigDict(strict=True, allow_inf_nan=False, frozen=True)

    n_layer: int = Field(12, ge=1, le=1024, validation_alias=AliasChoices("n_layer", "num_hidden_layers"))
    n_head: int = Field(12, ge=1, le=1024, validation_alias=AliasChoices("n_head", "num_attention_heads"))
    n_embd: int = Field(768, ge=1, le=65536, validation_alias=AliasChoices("n_embd", "hidden_size"))
    n_inner: int | None = Field(None, ge=1, le=262144)
    n_positions: int = Field(
        1024, ge=10, le=1048576, validation_alias=AliasChoices("n_positions", "max_position_embeddings")
    )
    vocab_size: int = Field(50257, ge=1, le=2097152)
    #: Those of transformers that a GPT-2 can be published with.
    activation_function: Literal[
        "gelu", "gelu_10", "gelu_fast", "gelu_new", "gelu_python", "gelu_pytorch_tanh", "leaky_relu", "linear", "mish",
        "quick_gelu", "relu", "relu2", "relu6", "sigmoid", "silu", "swish", "tanh",
    ] = "gelu_new"  # fmt: skip
    layer_norm_epsilon: float = Field(1e-5, gt=0, lt=1)
    initializer_range: float = Field(0.02, ge=0)
    resid_pdrop: _Share = 0.1
    embd_pdrop: _Share = 0.1
    attn_pdrop: _Share = 0.1
    scale_attn_weights: bool = True
    scale_attn_by_inverse_layer_idx: bool = False
    reorder_and_upcast_attn: bool = False

    @model_validator(mode="after")
    def _check_heads(self) -> Self:
        if self.n_embd % self.n_head:
            raise ValueError(f"n_embd {self.n_embd} is no multiple of n_head {self.n_head}")
        return self

    def list_tensors(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each tensor of the weights, without the head."""
        width, inner = self.n_embd, self.n_inner or 4 * self.n_embd
        block = {
            "ln_1.weight": (width,),
            "ln_1.bias": (width,),
            "attn.c_attn.weight": (width, 3 * width),
            "attn.c_attn.bias": (3 * width,),
            "attn.c_proj.weight": (width, width),
            "attn.c_proj.bias": (width,),
            "ln_2.weight": (width,),
            "ln_2.bias": (width,),
            "mlp.c_fc.weight": (width, inner),
            "mlp.c_fc.bias": (inner,),
            "mlp.c_proj.weight": (inner, width),
            "mlp.c_proj.bias": (width,),
        }
        return {
            "wte.weight": (self.vocab_size, width),
            "wpe.weight": (self.n_positions, width),
            **{f"h.{index}.{name}": shape for index in range(self.n_layer) for name, shape in block.items()},
            "ln_f.weight": (width,),
            "ln_f.bias": (width,),
        }


@dataclass(frozen=True, slots=True)
class BaseMetadata:
    """A base that can be trained, as far as can be seen without its weights."""

    config: Gpt2Config
    tokenizer: Tokenizer


def read_metadata(uri: str, open_file: OpenFile) -> BaseMetadata:
    """Read a base's small parts. Raises SpecRefused (BaseModelNotFound, BaseModelRefused) with what is wrong."""
    config = _check_config(_parse_config(_read_file(uri, CONFIG, open_file, CONFIG_LIMIT), uri), uri)
    text = _read_file(uri, TOKENIZER, open_file, TOKENIZER_LIMIT)
    tokenizer = read_tokenizer(text, uri, config.vocab_size)
    try:
        with open_file(WEIGHTS) as stream:
            _check_weights(read_weights_table(stream, uri), config, stream, uri)
    except ObjectNotFound as missing:
        raise _find_other_weights(uri, open_file) or make_missing_error(uri, WEIGHTS) from missing
    return BaseMetadata(config, tokenizer)


def _read_file(uri: str, name: str, open_file: OpenFile, limit: int) -> bytes:
    try:
        with open_file(name) as stream:
            if stream.seek(0, os.SEEK_END) > limit:
                raise make_refusal(uri, f"its {name} is longer than {limit} bytes")
            stream.seek(0)
            return stream.read()
    except ObjectNotFound as missing:
        raise make_missing_error(uri, name) from missing


def _find_other_weights(uri: str, open_file: OpenFile) -> Exception | None:
    for name, advice in _OTHER_WEIGHTS.items():
        try:
            open_file(name).close()
        except ObjectNotFound:
            continue
        return make_refusal(uri, f"it has no {WEIGHTS} but {name}; {advice}")
    return None


def _parse_config(body: bytes, uri: str) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise make_refusal(uri, f"its {CONFIG} is not JSON") from error
    if not isinstance(content, dict):
        raise make_refusal(uri, f"its {CONFIG} is not a JSON object")
    return content


def _check_config(content: dict[str, Any], uri: str) -> Gpt2Config:
    if content.get("model_type") != "gpt2":
        found_type = str(content.get("model_type"))[:40]
        raise make_refusal(uri, f"its model_type is {found_type!r}, and only gpt2 is supported")
    if found := [key for key in _FORBIDDEN_KEYS if content.get(key)]:
        raise make_refusal(uri, f"its {CONFIG} has {found[0]}, which is not supported")
    if content.get("tie_word_embeddings") is False:
        raise make_refusal(uri, OWN_HEAD)
    try:
        return Gpt2Config.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        words = f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": Value error, ")
        raise make_refusal(uri, f"its {CONFIG} is not a GPT-2's: {words[:300]}") from error


def _check_weights(table: WeightsTable, config: Gpt2Config, stream: BinaryIO, uri: str) -> None:
    expected = config.list_tensors()
    found = {name.removeprefix("transformer."): name for name in table.tensors}
    if lacking := [name for name in expected if name not in found]:
        text = f"its {WEIGHTS} lacks {len(lacking)} tensors, the first is transformer.{lacking[0]}"
        raise make_refusal(uri, text)
    for short, shape in expected.items():
        if (given := table.tensors[found[short]].shape) != shape:
            text = f"its {WEIGHTS} does not fit its {CONFIG}: {found[short]} is {list(given)} instead of {list(shape)}"
            raise make_refusal(uri, text)
    if unknown := sorted(
        name for short, name in found.items() if short not in expected and not name.endswith(_NO_WEIGHTS)
    ):
        text = f"its {WEIGHTS} has {len(unknown)} tensors too many for its {CONFIG}: {unknown[0]}"
        raise make_refusal(uri, text)
    _check_head(table, found["wte.weight"], stream, uri)


def _check_head(table: WeightsTable, embedding: str, stream: BinaryIO, uri: str) -> None:
    """Require a head, if there is one, to have the embedding's weights."""
    head, tied = table.tensors.get(_HEAD), table.tensors[embedding]
    if head is None:
        return
    same = (head.dtype, head.shape) == (tied.dtype, tied.shape)
    if not same or table.read_start(stream, head, _COMPARED) != table.read_start(stream, tied, _COMPARED):
        raise make_refusal(uri, OWN_HEAD)
