"""What each epoch trains on: every example once, or the sources in the ratio of their weights.

    source 0   ├─ pass 0 ─────────────┼─ pass 1 ─────────────┼─ …     each pass in an order of its own
    epochs     ├── 0 ──┼── 1 ──┼── 2 ──┼── 3 ──┼── 4 ──┼── …          each as long as the source's share

Each epoch continues where the one before ended in the source's passes. So no post repeats before every other post of
its source was used (docs/decisions/0021).
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from random import Random

from tweetbot_trainer.learning.batches.examples import Example


def mix(examples: Sequence[Example], weights: Sequence[int], *, epoch: int, seed: int) -> list[Example]:
    """Select the examples of an epoch, counted from 0; depends on the arguments alone, not on earlier calls.

    Without weights that is each example once. With weights the epoch has as many label tokens, give or take an
    example, and source i gets the share weights[i] / sum(weights) of them.
    """
    if not weights:
        return list(examples)
    own = {source: [example for example in examples if example.source == source] for source in range(len(weights))}
    filled = [source for source in own if own[source]]
    unit = Fraction(_count_labels(examples), sum(weights[source] for source in filled))
    return [
        example
        for source in filled
        for example in _take_share_of_epoch(own[source], unit * weights[source], epoch=epoch, seed=f"{seed}/{source}")
    ]


def _take_share_of_epoch(examples: Sequence[Example], share: Fraction, *, epoch: int, seed: str) -> list[Example]:
    """Take the examples that begin within [share * epoch, share * (epoch + 1)), in label tokens of the passes.

    Fractions are exact: neighbouring epochs neither overlap nor leave a gap.
    """
    length = _count_labels(examples)
    first, end = math.ceil(share * epoch), math.ceil(share * (epoch + 1))
    found: list[Example] = []
    for epoch_pass in range(first // length, -(-end // length)):
        at = epoch_pass * length
        order = list(examples)
        Random(f"{seed}/{epoch_pass}").shuffle(order)  # noqa: S311  # an order, not a secret
        for example in order:
            if first <= at < end:
                found.append(example)
            at += example.labels
    return found


def _count_labels(examples: Sequence[Example]) -> int:
    return sum(example.labels for example in examples)
