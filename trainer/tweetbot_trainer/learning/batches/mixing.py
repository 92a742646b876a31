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


class Weighed(Protocol):
    """A piece of a post that is trained on; `windows.Window` is one."""

    @property
    def labels(self) -> int: ...  # noqa: D102
    @property
    def source(self) -> int: ...  # noqa: D102


W = TypeVar("W", bound=Weighed)


def presented(windows: Sequence[W], weights: Sequence[int], *, epoch: int, seed: int) -> list[W]:
    """Return what an epoch, counted from 0, trains on; the same for the same arguments, whatever went before.

    Without weights that is every window once. With them it has as many label tokens, to the windows at its edges, and
    source i gives weights[i] parts of them.
    """
    if not weights:
        return list(windows)
    own = {source: [window for window in windows if window.source == source] for source in range(len(weights))}
    filled = [source for source in own if own[source]]
    part = Fraction(_labels(windows), sum(weights[source] for source in filled))
    return [
        window
        for source in filled
        for window in _stretch(own[source], part * weights[source], epoch=epoch, seed=f"{seed}/{source}")
    ]


def _stretch(windows: Sequence[W], share: Fraction, *, epoch: int, seed: str) -> list[W]:
    """Return the windows that begin within the epoch's share of label tokens of the endless passes."""
    length = _labels(windows)
    first, end = math.ceil(share * epoch), math.ceil(share * (epoch + 1))
    found: list[W] = []
    for turn in range(first // length, -(-end // length)):
        at = turn * length
        for window in _shuffled(windows, f"{seed}/{turn}"):
            if first <= at < end:
                found.append(window)
            at += window.labels
    return found


def _shuffled(windows: Sequence[W], seed: str) -> list[W]:
    order = list(windows)
    Random(seed).shuffle(order)  # noqa: S311  # an order, not a secret
    return order


def _labels(windows: Sequence[W]) -> int:
    return sum(window.labels for window in windows)
