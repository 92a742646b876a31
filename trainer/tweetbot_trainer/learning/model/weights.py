"""The table of tensors at the start of a safetensors file: names, types, shapes and places, without the weights.

A file is the length of its table (8 bytes, little-endian), the table as JSON, and the tensors end to end
(https://huggingface.co/docs/safetensors, "Format").
"""

import json
import math
import os
from dataclasses import dataclass
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tweetbot_trainer.learning.model.identity import WEIGHTS, make_refusal

#: Bytes of the table's length, and of the longest table that is read: one of 1,024 layers has 2 MB.
_LENGTH, TABLE_LIMIT = 8, 16 * 1024**2
#: Bytes of a number by its type; others are integers or quantized.
_WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
#: Old files hold causal masks as integers or truth values.
_MASK_WIDTHS = {**_WIDTHS, "BOOL": 1, "U8": 1, "I8": 1, "I32": 4, "I64": 8}
_MASKS = (".attn.bias", ".attn.masked_bias")


class TensorEntry(BaseModel):
    """A tensor: its type, its shape, and where it lies behind the table."""

    model_config = ConfigDict(strict=True, frozen=True)

    dtype: str = Field(max_length=20)
    shape: tuple[int, ...] = Field(max_length=8)
    data_offsets: tuple[int, int]


_ENTRIES: TypeAdapter[dict[str, TensorEntry]] = TypeAdapter(dict[str, TensorEntry])


@dataclass(frozen=True, slots=True)
class WeightsTable:
    """The tensors of a file by name, and where the first one begins in it."""

    tensors: dict[str, TensorEntry]
    begin: int

    def read_start(self, stream: BinaryIO, entry: TensorEntry, length: int) -> bytes:
        """Read up to `length` of a tensor's first bytes."""
        begin, end = entry.data_offsets
        stream.seek(self.begin + begin)
        return stream.read(min(length, end - begin))


def read_weights_table(stream: BinaryIO, uri: str) -> WeightsTable:
    """Read a file's table, and compare its places with the file's size. Raises SpecRefused (BaseModelRefused)."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    length = int.from_bytes(stream.read(_LENGTH), "little")
    if size < _LENGTH or length > min(TABLE_LIMIT, size - _LENGTH):
        raise make_refusal(uri, f"its {WEIGHTS} is damaged, or no safetensors file")
    table = WeightsTable(_parse_table(stream.read(length), uri), _LENGTH + length)
    _check_places(table, size, uri)
    return table


def _parse_table(body: bytes, uri: str) -> dict[str, TensorEntry]:
    try:
        content: Any = json.loads(body)
        content.pop("__metadata__", None)
        return _ENTRIES.validate_json(json.dumps(content))
    except (ValueError, RecursionError, AttributeError, TypeError, ValidationError) as error:
        raise make_refusal(uri, f"its {WEIGHTS} is damaged: its table of tensors cannot be read") from error


def _check_places(table: WeightsTable, size: int, uri: str) -> None:
    end = 0
    for name, entry in sorted(table.tensors.items(), key=lambda item: item[1].data_offsets):
        width = (_MASK_WIDTHS if name.endswith(_MASKS) else _WIDTHS).get(entry.dtype)
        if width is None:
            raise make_refusal(uri, f"its {WEIGHTS} holds {name} as {entry.dtype}: give F32, F16 or BF16")
        if entry.data_offsets != (end, end + width * math.prod(entry.shape)):
            raise make_refusal(uri, f"its {WEIGHTS} is damaged: {name} does not lie where its table says")
        end = entry.data_offsets[1]
    if table.begin + end != size:
        text = f"its {WEIGHTS} is damaged: it has {size} bytes, and its table speaks of {table.begin + end}"
        raise make_refusal(uri, text)
