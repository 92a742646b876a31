"""Which posts train, which decide when to stop, and which are read only once at the end (design, section 9, "Splits").

Time decides, not chance: a bot is judged by posts that its person wrote after everything it has seen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from tweetbot_contract import reasons
from tweetbot_trainer.data.posts import DatasetPost
from tweetbot_trainer.runtime.errors import TooLittleData

#: With fewer test posts the figures are advisory only: nothing may be decided by them.
RELIABLE_TEST_POSTS = 50
#: One for each part.
FEWEST_POSTS = 3

Order = Literal["created_at", "input", "mixed"]
Posts = tuple[DatasetPost, ...]


@dataclass(frozen=True, slots=True)
class Splits:
    """Three disjoint parts of a dataset.

    `ordered_by` says what "oldest" means: `created_at`, the `input` order where no post has a date, or `mixed` where
    some have one: a source's undated posts then come before its dated ones, as in the dataset.
    """

    train: Posts
    validation: Posts
    test: Posts
    ordered_by: Order

    @property
    def reliability(self) -> Literal["Normal", "Low"]:
        """Return Low if the test part is too small for its figures to decide anything."""
        return "Normal" if len(self.test) >= RELIABLE_TEST_POSTS else "Low"


def split(posts: Iterable[DatasetPost], holdout_percent: int) -> Splits:
    """Split each source: the oldest posts train, the next `holdout_percent` validate, the newest as many test.

    A source of three posts or more gives at least one to each part; a smaller one only trains.
    Raises TooLittleData if no source is large enough.
    """
    ordered = sorted(posts, key=lambda post: post.source)
    sources = [tuple(group) for _, group in groupby(ordered, key=lambda post: post.source)]
    cuts = [_cut(_sort_by_time(source), holdout_percent) for source in sources]
    if not any(test for _, _, test in cuts):
        raise TooLittleData(
            reasons.TOO_FEW_POSTS,
            f"No source has {FEWEST_POSTS} posts, so none can be held out: give a source with more posts.",
        )
    train, validation, test = (tuple(post for part in parts for post in part) for parts in zip(*cuts, strict=True))
    return Splits(train, validation, test, _find_order(sources))


def _cut(posts: Posts, holdout_percent: int) -> tuple[Posts, Posts, Posts]:
    held_out = max(1, len(posts) * holdout_percent // 100) if len(posts) >= FEWEST_POSTS else 0
    newest = len(posts) - held_out
    middle = newest - held_out
    return posts[:middle], posts[middle:newest], posts[newest:]


def _sort_by_time(posts: Posts) -> Posts:
    if any(post.created_at is None for post in posts):
        return posts
    return tuple(sorted(posts, key=lambda post: (post.created_at, post.id)))


def _find_order(sources: Sequence[Posts]) -> Order:
    dated = {post.created_at is not None for source in sources for post in source}
    if len(dated) == 2:
        return "mixed"
    return "created_at" if dated == {True} else "input"
