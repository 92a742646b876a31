"""What a base's small parts say of it: config.json, tokenizer.json, and the table of tensors in model.safetensors.

`prepare` reads them of every base, so that what cannot be trained is refused before posts are paid for and a GPU is
waited for. Training reads them again. Imports no torch, and reads a few megabytes however large the weights are.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from pydantic import ValidationError
from tokenizers import Tokenizer

from tweetbot_contract.spec.known_bases import FAMILIES, OTHER_TYPES, list_families
from tweetbot_trainer.learning.decoder.configs import DecoderConfig, Gpt2Config, LlamaConfig
from tweetbot_trainer.learning.model.identity import (
    CONFIG,
    GENERATION_CONFIG,
    TOKENIZER,
    TOKENIZER_CONFIG,
    WEIGHTS,
    make_missing_error,
    make_refusal,
)
from tweetbot_trainer.learning.model.marks import require_marks
from tweetbot_trainer.learning.model.tokenizer import read_tokenizer
from tweetbot_trainer.learning.model.weights import WeightsTable, read_weights_table
from tweetbot_trainer.runtime.errors import NotAuthorized
from tweetbot_trainer.store.interface import ObjectNotFound

#: Opens a file of a base by its name. Raises ObjectNotFound.
OpenFile = Callable[[str], BinaryIO]
#: Largest accepted config.json in bytes; a real one is a page of JSON.
CONFIG_LIMIT = 1024 * 1024
#: Largest accepted tokenizer.json in bytes; gpt2's has 1.3 MB, that of a vocabulary of 256,000 has 34 MB.
TOKENIZER_LIMIT = 64 * 1024**2
#: Files that may say what ends a text; a folder of three files is a whole base.
_OPTIONAL = (GENERATION_CONFIG, TOKENIZER_CONFIG)
#: Weights in formats that are not read, and what to do about each.
_OTHER_WEIGHTS = {
    "model.safetensors.index.json": "its weights are in several files: join them into one model.safetensors",
    "pytorch_model.bin": "its weights are a pickle, which can hold code: convert them to model.safetensors",
    "pytorch_model.bin.index.json": "its weights are pickles, which can hold code: convert them to model.safetensors",
}
#: How far two tensors are compared, in bytes. Training compares them whole.
_COMPARED = 65536
OWN_HEAD = "its head has weights of its own, and only a head tied to the embedding is supported"
#: Tensors of old files beside the weights: the causal masks, frequencies of rotary positions, and a head that is tied.
_HEAD = "lm_head.weight"
_NO_WEIGHTS = (".attn.bias", ".attn.masked_bias", ".rotary_emb.inv_freq", _HEAD)


@dataclass(frozen=True, slots=True)
class BaseMetadata:
    """A base that can be trained, as far as can be seen without its weights."""

    config: DecoderConfig
    tokenizer: Tokenizer


def read_metadata(uri: str, open_file: OpenFile) -> BaseMetadata:
    """Read a base's small parts. Raises SpecRefused (BaseModelNotFound, BaseModelRefused) with what is wrong."""
    content = _parse_object(_read_file(uri, CONFIG, open_file, CONFIG_LIMIT), CONFIG, uri)
    config = check_config(content, uri)
    text = _read_file(uri, TOKENIZER, open_file, TOKENIZER_LIMIT)
    tokenizer = read_tokenizer(text, uri, config.vocabulary)
    require_marks(tokenizer, {CONFIG: content, **_read_optional(uri, open_file)}, uri)
    try:
        with open_file(WEIGHTS) as stream:
            _check_weights(read_weights_table(stream, uri), config, stream, uri)
    except ObjectNotFound as missing:
        raise _find_other_weights(uri, open_file) or make_missing_error(uri, WEIGHTS) from missing
    return BaseMetadata(config, tokenizer)


def _read_optional(uri: str, open_file: OpenFile) -> dict[str, dict[str, Any]]:
    """Read what may be missing. Who may not list a bucket is refused a file that is not there."""
    found = {}
    for name in _OPTIONAL:
        try:
            with open_file(name) as stream:
                found[name] = _parse_object(stream.read(CONFIG_LIMIT), name, uri)
        except (ObjectNotFound, NotAuthorized):
            continue
    return found


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


def _parse_object(body: bytes, name: str, uri: str) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise make_refusal(uri, f"its {name} is not JSON") from error
    if not isinstance(content, dict):
        raise make_refusal(uri, f"its {name} is not a JSON object")
    return content


def check_config(content: dict[str, Any], uri: str) -> DecoderConfig:
    """Return the part of a config.json that shapes a model. Raises SpecRefused, which names the key and the reason."""
    kind = str(content.get("model_type"))[:40]
    families = list_families(kind)
    if not families:
        taken = ", ".join(dict.fromkeys(family.model_type for family in FAMILIES))
        why = f": {OTHER_TYPES[kind]}" if kind in OTHER_TYPES else ""
        raise make_refusal(uri, f"its model_type is {kind!r}{why}; only {taken} are supported")
    if wrong := next((each for each in families[0].refused if each.applies(content)), None):
        raise make_refusal(uri, f"its {CONFIG} has {wrong.key} {_quote(content[wrong.key])}: {wrong.why}")
    return _read_gpt2(content, uri) if kind == "gpt2" else _read_llama(content, uri)


def _quote(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _read_gpt2(content: dict[str, Any], uri: str) -> Gpt2Config:
    if content.get("tie_word_embeddings") is False:
        raise make_refusal(uri, OWN_HEAD)
    try:
        return Gpt2Config.model_validate(content)
    except ValidationError as error:
        raise _refuse_values(error, "a GPT-2's", uri) from error


def _read_llama(content: dict[str, Any], uri: str) -> LlamaConfig:
    named = content.get("architectures") or ["ForCausalLM"]
    if not any(str(each).endswith("ForCausalLM") for each in named):
        why = "only models that write text are trained"
        raise make_refusal(uri, f"its {CONFIG} has architectures {_quote(named)}: {why}")
    try:
        return LlamaConfig.model_validate(content)
    except ValidationError as error:
        raise _refuse_values(error, "a Llama's", uri) from error


def _refuse_values(error: ValidationError, whose: str, uri: str) -> Exception:
    first = error.errors()[0]
    words = f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": Value error, ")
    return make_refusal(uri, f"its {CONFIG} is not {whose}: {words[:300]}")


def _check_weights(table: WeightsTable, config: DecoderConfig, stream: BinaryIO, uri: str) -> None:
    expected = config.list_tensors()
    found = {_complete_name(name, config): name for name in table.tensors}
    if lacking := [name for name in expected if name not in found]:
        raise make_refusal(uri, f"its {WEIGHTS} lacks {len(lacking)} tensors, the first is {lacking[0]}")
    for name, shape in expected.items():
        if (given := table.tensors[found[name]].shape) != shape:
            text = f"its {WEIGHTS} does not fit its {CONFIG}: {found[name]} is {list(given)} instead of {list(shape)}"
            raise make_refusal(uri, text)
    if unknown := sorted(own for name, own in found.items() if name not in expected and not own.endswith(_NO_WEIGHTS)):
        text = f"its {WEIGHTS} has {len(unknown)} tensors too many for its {CONFIG}: {unknown[0]}"
        raise make_refusal(uri, text)
    if config.tied:
        _check_head(table, found[next(iter(expected))], stream, uri)


def _complete_name(name: str, config: DecoderConfig) -> str:
    """Return a tensor's full name: GPT-2's own files leave out the prefix."""
    bare = isinstance(config, Gpt2Config) and not name.startswith(("transformer.", _HEAD))
    return f"transformer.{name}" if bare else name


def _check_head(table: WeightsTable, embedding: str, stream: BinaryIO, uri: str) -> None:
    """Require a head, if there is one, to have the embedding's weights."""
    head, tied = table.tensors.get(_HEAD), table.tensors[embedding]
    if head is None:
        return
    same = (head.dtype, head.shape) == (tied.dtype, tied.shape)
    if not same or table.read_start(stream, head, _COMPARED) != table.read_start(stream, tied, _COMPARED):
        raise make_refusal(uri, OWN_HEAD)
