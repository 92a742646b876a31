"""Posts as the model sees them: each alone between two marks, in one or more windows that fit the context."""

from collections.abc import Sequence
from dataclasses import dataclass

from tweetbot_trainer.learning.model.marks import Marks


@dataclass(frozen=True, slots=True)
class Example:
    """A post, or a window of a long one: the ids from `first_label` on are labels, predicted from all ids before them.

    `source` is the index in spec.sources.
    """

    ids: tuple[int, ...]
    first_label: int
    source: int = 0

    @property
    def labels(self) -> int:
        """Count the labels."""
        return len(self.ids) - self.first_label


def split_into_examples(tokens: Sequence[int], marks: Marks, context: int, *, source: int = 0) -> list[Example]:
    """Split a post into windows in which each of its tokens, and the closing end mark, is a label exactly once.

    A window has up to context + 1 ids: `context` inputs, and the same shifted by one as labels. From the second on,
    its first half repeats the end of the window before, so that no label has less than half a context to go by.
    """
    ids = (marks.begin, *tokens, marks.end)
    examples = [Example(ids[: context + 1], 1, source)]
    done = context + 1
    while done < len(ids):
        start = done - context // 2
        examples.append(Example(ids[start : start + context + 1], done - start, source))
        done = start + context + 1
    return examples
