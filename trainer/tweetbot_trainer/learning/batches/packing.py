"""Examples as tensors: end to end without padding, or padded to a few static shapes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from tweetbot_trainer.learning.batches.cross_entropy import NO_LABEL
from tweetbot_trainer.learning.batches.examples import Example

#: Static shapes are multiples of these: few enough for one CUDA graph each, close enough to pad little.
LENGTHS, EXAMPLES, LABELS = 8, 8, 128


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """Examples end to end in one stream, as int64 tensors on the CPU.

    `ids` [tokens] are the inputs: each example without its last id. `positions` [tokens] are their indices within their
    example, for the position embedding. `equal_length_groups` are neighbours of the same length, as (examples, length):
    each group is one attention call. `label_positions` [labels] are the indices in the stream whose next id is a label,
    and `targets` [labels] are these labels.
    """

    ids: Tensor
    positions: Tensor
    equal_length_groups: tuple[tuple[int, int], ...]
    label_positions: Tensor
    targets: Tensor


def pack(examples: Sequence[Example]) -> PackedBatch:
    """Pack the examples without padding; those sorted by length make few groups."""
    ids, positions, label_positions, targets = list[int](), list[int](), list[int](), list[int]()
    for example in examples:
        label_positions += range(len(ids) + example.first_label - 1, len(ids) + len(example.ids) - 1)
        targets += example.ids[example.first_label :]
        ids += example.ids[:-1]
        positions += range(len(example.ids) - 1)
    lengths = groupby(len(example.ids) - 1 for example in examples)
    return PackedBatch(
        torch.tensor(ids),
        torch.tensor(positions),
        tuple((len(list(group)), length) for length, group in lengths),
        torch.tensor(label_positions),
        torch.tensor(targets),
    )


def pad_to_static_shape(examples: Sequence[Example]) -> PackedBatch:
    """Pad the examples to one group of a few possible shapes, for which a GPU caches kernels and graphs.

    Padding follows its example, where causal attention never looks, and is no label; padding of the labels themselves
    has the target NO_LABEL.
    """
    longest = max(len(example.ids) for example in examples) - 1
    length, batch_size = _round_up(longest, LENGTHS), _round_up(len(examples), EXAMPLES)
    ids, label_positions, targets = torch.zeros(batch_size, length, dtype=torch.long), list[int](), list[int]()
    for index, example in enumerate(examples):
        ids[index, : len(example.ids) - 1] = torch.tensor(example.ids[:-1])
        label_positions += range(index * length + example.first_label - 1, index * length + len(example.ids) - 1)
        targets += example.ids[example.first_label :]
    spare = _round_up(len(targets), LABELS) - len(targets)
    positions = torch.arange(length).clamp(max=longest - 1).repeat(batch_size)
    return PackedBatch(
        ids.flatten(),
        positions,
        ((batch_size, length),),
        torch.tensor([*label_positions, *[0] * spare]),
        torch.tensor([*targets, *[NO_LABEL] * spare]),
    )


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
