"""What each epoch trains on: every post once, or several sources in the ratio of their weights, nothing copied.

    source 0   ├─ pass 0 ─────────────┼─ pass 1 ─────────────┼─ …     each pass in a shuffled order of its own
    epochs     ├── 0 ──┼── 1 ──┼── 2 ──┼── 3 ──┼── 4 ──┼── …           each as long as the source's share

An epoch takes the stretch of a source's passes that the source's share of label tokens covers, and the next epoch goes
on where it ended: no post comes a second time before every other of its source came once (docs/decisions/0021).
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from random import Random
from typing import Protocol, TypeVar


class ExampleLike(Protocol):
    """A piece of a post that is trained on; `windows.Window` is one."""

    @property
    def labels(self) -> int: ...  # noqa: D102
    @property
    def source(self) -> int: ...  # noqa: D102


W = TypeVar("W", bound=ExampleLike)


def mix(examples: Sequence[W], weights: Sequence[int], *, epoch: int, seed: int) -> list[W]:
    """Return what an epoch, counted from 0, trains on; the same for the same arguments, whatever went before.

    Without weights that is every window once. With them it has as many label tokens, to the windows at its edges, and
    source i gives weights[i] parts of them.
    """
    if not weights:
        return list(examples)
    own = {source: [example for example in examples if example.source == source] for source in range(len(weights))}
    filled = [source for source in own if own[source]]
    part = Fraction(_count_labels(examples), sum(weights[source] for source in filled))
    return [
        example
        for source in filled
        for example in _share_of_epoch(own[source], part * weights[source], epoch=epoch, seed=f"{seed}/{source}")
    ]


def _share_of_epoch(examples: Sequence[W], share: Fraction, *, epoch: int, seed: str) -> list[W]:
    """Return the windows that begin within the epoch's share of label tokens of the endless passes."""
    length = _count_labels(examples)
    first, end = math.ceil(share * epoch), math.ceil(share * (epoch + 1))
    found: list[W] = []
    for epoch_pass in range(first // length, -(-end // length)):
        at = epoch_pass * length
        for example in _shuffle(examples, f"{seed}/{epoch_pass}"):
            if first <= at < end:
                found.append(example)
            at += example.labels
    return found


def _shuffle(examples: Sequence[W], seed: str) -> list[W]:
    order = list(examples)
    Random(seed).shuffle(order)  # noqa: S311  # an order, not a secret
    return order


def _count_labels(examples: Sequence[W]) -> int:
    return sum(example.labels for example in examples)
