"""Posts as the model sees them: each alone after an end mark, closed by one, in windows that fit the context."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from tweetbot_trainer.learning.batches.mixing import mix
from tweetbot_trainer.learning.model.tokenizer import EncodedText

#: Steps whose posts are sorted by length together: enough for few calls of attention, too few to make steps all alike.
POOL_STEPS = 16

Batch = tuple["Example", ...]


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids, of which those from `first_label` on are labels, each predicted from all ids before it.

    `source` counts spec.sources from 0.
    """

    ids: tuple[int, ...]
    first_label: int
    source: int = 0

    @property
    def labels(self) -> int:
        """Return how many ids are predicted."""
        return len(self.ids) - self.first_label


def split_into_examples(tokens: Sequence[int], end_mark: int, context: int, *, source: int = 0) -> list[Example]:
    """Return windows in which every token of the post and its closing mark is a label exactly once.

    A post longer than the context is never cut: later windows overlap the former by half a context.
    """
    ids = (end_mark, *tokens, end_mark)
    examples = [Example(ids[: context + 1], 1, source)]
    done = context + 1
    while done < len(ids):
        start = done - context // 2
        examples.append(Example(ids[start : start + context + 1], done - start, source))
        done = start + context + 1
    return examples


def split_all_into_examples(texts: Iterable[EncodedText], end_mark: int, context: int) -> list[Example]:
    """Return the windows of several posts, in their order."""
    return [example for text in texts for example in split_into_examples(text.tokens, end_mark, context)]


def make_batches(
    examples: Sequence[Example], *, batch_tokens: int, epochs: int, seed: int, weights: Sequence[int] = ()
) -> list[list[Batch]]:
    """Return for each epoch its steps: about `batch_tokens` labels a step, like lengths together.

    Each window comes once an epoch, or as often as its source's weight says (mixing.presented).
    The same seed gives the same plan on every machine, and an epoch's plan needs none of the others.
    """
    return [_make_epoch_batches(examples, weights, batch_tokens, epoch=epoch, seed=seed) for epoch in range(epochs)]


def _make_epoch_batches(
    examples: Sequence[Example], weights: Sequence[int], batch_tokens: int, *, epoch: int, seed: int
) -> list[Batch]:
    random = Random(f"{seed}/{epoch}")  # noqa: S311  # an order, not a secret
    shuffled = mix(examples, weights, epoch=epoch, seed=seed)
    random.shuffle(shuffled)
    pools = batch_by_tokens(shuffled, batch_tokens * POOL_STEPS)
    batches = [
        batch
        for pool in pools
        for batch in batch_by_tokens(sorted(pool, key=lambda example: len(example.ids)), batch_tokens)
    ]
    random.shuffle(batches)
    return batches


def batch_by_tokens(examples: Iterable[Example], labels: int) -> list[Batch]:
    """Return consecutive groups of at most so many labels; a window of more stands alone."""
    return _fill_groups(examples, labels, lambda example: example.labels)


def split_into_micro_batches(examples: Iterable[Example], positions: int) -> list[Batch]:
    """Return consecutive groups that take at most so many positions; a larger window stands alone.

    Bounds the memory of one forward pass, whatever a step holds.
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
