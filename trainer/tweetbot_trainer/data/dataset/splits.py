"""Which posts train, which decide when to stop, and which are read once at the end (design, section 9, "Splits").

Time decides, never chance: a bot is judged by posts that its person wrote after everything it has seen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Generic, Literal, Protocol, TypeVar

from tweetbot_contract import reasons
from tweetbot_trainer.runtime.errors import TooLittleData

#: Under so many test posts the figures are advisory, and nothing may be decided by them.
RELIABLE_TEST_POSTS = 50
#: The least that can be split in three.
FEWEST_POSTS = 3

Order = Literal["created_at", "input", "mixed"]


class Splittable(Protocol):
    """What a split looks at; `DatasetPost` has it."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def created_at(self) -> datetime | None: ...  # noqa: D102
    @property
    def source(self) -> int: ...  # noqa: D102


P = TypeVar("P", bound=Splittable)


@dataclass(frozen=True, slots=True)
class Splits(Generic[P]):
    """Three parts of a dataset, no post in two of them.

    `ordered_by` tells what "oldest" meant: `created_at`, the `input` order where no post has a date, or `mixed` where
    some have: a source's undated posts then come before its dated ones, as in the dataset.
    """

    train: tuple[P, ...]
    validation: tuple[P, ...]
    test: tuple[P, ...]
    ordered_by: Order

    @property
    def reliability(self) -> Literal["Normal", "Low"]:
        """Return Low where the test part is too small for its figures to decide anything."""
        return "Normal" if len(self.test) >= RELIABLE_TEST_POSTS else "Low"


def split(posts: Iterable[P], holdout_percent: int) -> Splits[P]:
    """Split per source: the oldest posts train, the next `holdout_percent` validate, the newest as many test.

    A source of at least three posts gives at least one to each part; a smaller one only trains.
    Raises TooLittleData where no source is large enough.
    """
    ordered = sorted(posts, key=lambda post: post.source)
    sources = [tuple(group) for _, group in groupby(ordered, key=lambda post: post.source)]
    cuts = [_cut(_sort_by_time(source), holdout_percent) for source in sources]
    if not any(test for _, _, test in cuts):
        raise TooLittleData(
            reasons.TOO_FEW_POSTS,
            f"No source holds {FEWEST_POSTS} posts, so none can be held out: give a source with more posts.",
        )
    train, validation, test = (tuple(post for part in parts for post in part) for parts in zip(*cuts, strict=True))
    return Splits(train, validation, test, _find_order(sources))


def _cut(posts: Sequence[P], holdout_percent: int) -> tuple[Sequence[P], Sequence[P], Sequence[P]]:
    held_out = max(1, len(posts) * holdout_percent // 100) if len(posts) >= FEWEST_POSTS else 0
    newest = len(posts) - held_out
    middle = newest - held_out
    return posts[:middle], posts[middle:newest], posts[newest:]


def _sort_by_time(posts: tuple[P, ...]) -> tuple[P, ...]:
    if not _has_all_dates(posts):
        return posts
    return tuple(sorted(posts, key=lambda post: (post.created_at, post.id)))


def _has_all_dates(posts: Sequence[P]) -> bool:
    return all(post.created_at is not None for post in posts)


def _find_order(sources: Sequence[Sequence[P]]) -> Order:
    dated = {post.created_at is not None for source in sources for post in source}
    if len(dated) == 2:
        return "mixed"
    return "created_at" if dated == {True} else "input"
