"""Group examples: into an epoch's batches by label tokens, and a batch into micro-batches by memory."""

from collections.abc import Callable, Iterable, Sequence
from random import Random

from tweetbot_trainer.learning.batches.examples import Example
from tweetbot_trainer.learning.batches.mixing import mix

#: Batches whose examples are sorted by length together: enough to need few attention calls per batch, too few to make
#: the batches of an epoch all alike.
POOL_BATCHES = 16

#: The examples of one optimizer step.
Batch = tuple[Example, ...]


def make_batches(
    examples: Sequence[Example], *, batch_tokens: int, epochs: int, seed: int, weights: Sequence[int] = ()
) -> list[list[Batch]]:
    """Make each epoch's batches of at most `batch_tokens` labels, with similar lengths together.

    An example comes once per epoch, or as often as its source's weight demands (`mix`). The order depends on the seed
    and the epoch alone, so a resumed training finds the same batches.
    """
    return [_make_epoch_batches(examples, weights, batch_tokens, epoch=epoch, seed=seed) for epoch in range(epochs)]


def _make_epoch_batches(
    examples: Sequence[Example], weights: Sequence[int], batch_tokens: int, *, epoch: int, seed: int
) -> list[Batch]:
    random = Random(f"{seed}/{epoch}")  # noqa: S311  # an order, not a secret
    shuffled = mix(examples, weights, epoch=epoch, seed=seed)
    random.shuffle(shuffled)
    pools = batch_by_tokens(shuffled, batch_tokens * POOL_BATCHES)
    batches = [
        batch
        for pool in pools
        for batch in batch_by_tokens(sorted(pool, key=lambda example: len(example.ids)), batch_tokens)
    ]
    random.shuffle(batches)
    return batches


def batch_by_tokens(examples: Iterable[Example], labels: int) -> list[Batch]:
    """Group consecutive examples up to a number of labels; a larger example gets a group of its own."""
    return _fill_groups(examples, labels, lambda example: example.labels)


def split_into_micro_batches(examples: Iterable[Example], positions: int) -> list[Batch]:
    """Group consecutive examples up to a number of input positions, which bounds the memory of one forward pass.

    A larger example gets a group of its own.
    """
    return _fill_groups(examples, positions, lambda example: len(example.ids) - 1)


def _fill_groups(examples: Iterable[Example], room: int, size: Callable[[Example], int]) -> list[Batch]:
    groups: list[list[Example]] = []
    left = 0
    for example in examples:
        if size(example) > left:
            groups.append([])
            left = room
        groups[-1].append(example)
        left -= size(example)
    return [tuple(group) for group in groups]
