"""Windows as tensors: one behind the other without padding, or in shapes that come again and again."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from tweetbot_trainer.learning.batches.cross_entropy import NO_LABEL
from tweetbot_trainer.learning.batches.windows import Window

#: Static shapes are multiples of these: few enough for a graph each, close enough to pad little.
LENGTHS, ROWS, LABELS = 8, 8, 128


@dataclass(frozen=True, slots=True)
class Stream:
    """Windows one behind the other: `ids` and `positions` (each id's place in its window) are [tokens].

    `runs` counts neighbours of one length, as (windows, length): they share a call of attention.
    `places` [labels] are the tokens whose next one is a label; `targets` [labels] are those labels.
    """

    ids: Tensor
    positions: Tensor
    runs: tuple[tuple[int, int], ...]
    places: Tensor
    targets: Tensor


def stream_of(windows: Sequence[Window]) -> Stream:
    """Return the windows without padding; the mark that closes a post is a label. Sorted windows make few runs."""
    ids, positions, places, targets = list[int](), list[int](), list[int](), list[int]()
    for window in windows:
        places += range(len(ids) + window.first_label - 1, len(ids) + len(window.ids) - 1)
        targets += window.ids[window.first_label :]
        ids += window.ids[:-1]
        positions += range(len(window.ids) - 1)
    runs = tuple((len(list(run)), length) for length, run in groupby(len(window.ids) - 1 for window in windows))
    return Stream(torch.tensor(ids), torch.tensor(positions), runs, torch.tensor(places), torch.tensor(targets))


def static_stream_of(windows: Sequence[Window]) -> Stream:
    """Return the windows padded to one run of few possible shapes: what a GPU's kernels and graphs are made for.

    Padding stands behind its window, where causal attention never looks, and is no label.
    """
    longest = max(len(window.ids) for window in windows) - 1
    length, rows = _rounded(longest, LENGTHS), _rounded(len(windows), ROWS)
    ids, places, targets = torch.zeros(rows, length, dtype=torch.long), list[int](), list[int]()
    for row, window in enumerate(windows):
        ids[row, : len(window.ids) - 1] = torch.tensor(window.ids[:-1])
        places += range(row * length + window.first_label - 1, row * length + len(window.ids) - 1)
        targets += window.ids[window.first_label :]
    spare = _rounded(len(targets), LABELS) - len(targets)
    positions = torch.arange(length).clamp(max=longest - 1).repeat(rows)
    return Stream(
        ids.flatten(),
        positions,
        ((rows, length),),
        torch.tensor([*places, *[0] * spare]),
        torch.tensor([*targets, *[NO_LABEL] * spare]),
    )


def _rounded(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
