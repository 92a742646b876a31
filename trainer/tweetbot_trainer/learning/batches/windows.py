"""Posts as the model sees them: each alone after an end mark, closed by one, in windows that fit the context."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from tweetbot_trainer.learning.batches.mixing import presented
from tweetbot_trainer.learning.model.tokenizer import EncodedText

#: Steps whose posts are sorted by length together: enough for few calls of attention, too few to make steps all alike.
POOL_STEPS = 16

Step = tuple["Window", ...]


@dataclass(frozen=True, slots=True)
class Window:
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


def windows_of(tokens: Sequence[int], end_mark: int, context: int, *, source: int = 0) -> list[Window]:
    """Return windows in which every token of the post and its closing mark is a label exactly once.

    A post longer than the context is never cut: later windows overlap the former by half a context.
    """
    ids = (end_mark, *tokens, end_mark)
    windows = [Window(ids[: context + 1], 1, source)]
    done = context + 1
    while done < len(ids):
        start = done - context // 2
        windows.append(Window(ids[start : start + context + 1], done - start, source))
        done = start + context + 1
    return windows


def windows_of_all(texts: Iterable[EncodedText], end_mark: int, context: int) -> list[Window]:
    """Return the windows of several posts, in their order."""
    return [window for text in texts for window in windows_of(text.tokens, end_mark, context)]


def planned_steps(
    windows: Sequence[Window], *, batch_tokens: int, epochs: int, seed: int, weights: Sequence[int] = ()
) -> list[list[Step]]:
    """Return for each epoch its steps: about `batch_tokens` labels a step, like lengths together.

    Each window comes once an epoch, or as often as its source's weight says (mixing.presented).
    The same seed gives the same plan on every machine, and an epoch's plan needs none of the others.
    """
    return [_epoch(windows, weights, batch_tokens, epoch=epoch, seed=seed) for epoch in range(epochs)]


def _epoch(
    windows: Sequence[Window], weights: Sequence[int], batch_tokens: int, *, epoch: int, seed: int
) -> list[Step]:
    random = Random(f"{seed}/{epoch}")  # noqa: S311  # an order, not a secret
    shuffled = presented(windows, weights, epoch=epoch, seed=seed)
    random.shuffle(shuffled)
    pools = grouped(shuffled, batch_tokens * POOL_STEPS)
    steps = [step for pool in pools for step in grouped(sorted(pool, key=lambda window: len(window.ids)), batch_tokens)]
    random.shuffle(steps)
    return steps


def grouped(windows: Iterable[Window], labels: int) -> list[Step]:
    """Return consecutive groups of at most so many labels; a window of more stands alone."""
    return _filled(windows, labels, lambda window: window.labels)


def parts_of(windows: Iterable[Window], positions: int) -> list[Step]:
    """Return consecutive groups that take at most so many positions; a larger window stands alone.

    Bounds the memory of one forward pass, whatever a step holds.
    """
    return _filled(windows, positions, lambda window: len(window.ids) - 1)


def _filled(windows: Iterable[Window], room: int, size: Callable[[Window], int]) -> list[Step]:
    groups: list[list[Window]] = []
    left = 0
    for window in windows:
        if size(window) > left:
            groups.append([])
            left = room
        groups[-1].append(window)
        left -= size(window)
    return [tuple(group) for group in groups]
