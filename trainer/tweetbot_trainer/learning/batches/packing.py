"""Windows as tensors: one behind the other without padding, or in shapes that come again and again."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from tweetbot_trainer.learning.batches.cross_entropy import NO_LABEL
from tweetbot_trainer.learning.batches.examples import Example

#: Static shapes are multiples of these: few enough for a graph each, close enough to pad little.
LENGTHS, EXAMPLES, LABELS = 8, 8, 128


@dataclass(frozen=True, slots=True)
class PackedBatch:
    """Windows one behind the other: `ids` and `positions` (each id's place in its window) are [tokens].

    `runs` counts neighbours of one length, as (windows, length): they share a call of attention.
    `places` [labels] are the tokens whose next one is a label; `targets` [labels] are those labels.
    """

    ids: Tensor
    positions: Tensor
    equal_length_groups: tuple[tuple[int, int], ...]
    label_positions: Tensor
    targets: Tensor


def pack(examples: Sequence[Example]) -> PackedBatch:
    """Return the windows without padding; the mark that closes a post is a label. Sorted windows make few runs."""
    ids, positions, label_positions, targets = list[int](), list[int](), list[int](), list[int]()
    for example in examples:
        label_positions += range(len(ids) + example.first_label - 1, len(ids) + len(example.ids) - 1)
        targets += example.ids[example.first_label :]
        ids += example.ids[:-1]
        positions += range(len(example.ids) - 1)
    groups = tuple(
        (len(list(group)), length) for length, group in groupby(len(example.ids) - 1 for example in examples)
    )
    return PackedBatch(
        torch.tensor(ids), torch.tensor(positions), groups, torch.tensor(label_positions), torch.tensor(targets)
    )


def pad_to_static_shape(examples: Sequence[Example]) -> PackedBatch:
    """Return the windows padded to one run of few possible shapes: what a GPU's kernels and graphs are made for.

    Padding stands behind its window, where causal attention never looks, and is no label.
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
