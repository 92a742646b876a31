"""The pass over all posts: rewrite, check, find duplicates."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from tweetbot_contract.spec import Filter
from tweetbot_trainer.cleaning.recipes import Recipe, recipe_of
from tweetbot_trainer.posts import Post

_UNDATED = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CleanedPost:
    """A post, its text after the recipe, and the data table's field that counts its drop, if it was dropped."""

    post: Post
    text: str
    reason: str | None
    redacted: bool = False

    @property
    def kept(self) -> bool:
        """Tell whether the post goes into the dataset."""
        return self.reason is None


def clean(posts: Iterable[Post], filter: Filter) -> Iterator[CleanedPost]:
    """Yield every post in the order it came, rewritten and kept or dropped by the filter's recipe.

    All posts are read before the first is yielded: which of two duplicates is the earlier shows only then.
    """
    recipe = recipe_of(filter)
    checked = [_checked(post, recipe) for post in posts]
    repeated = _repeated(checked) if recipe.options.deduplicate else frozenset()
    for place, cleaned in enumerate(checked):
        if place in repeated:
            yield CleanedPost(cleaned.post, cleaned.text, "duplicates", cleaned.redacted)
        else:
            yield cleaned


def _checked(post: Post, recipe: Recipe) -> CleanedPost:
    text, redacted = recipe.rewrite(post.text)
    reason = next((check.name for check in recipe.checks if check.holds(post, text)), None)
    return CleanedPost(post, text, reason, redacted)


def _repeated(checked: list[CleanedPost]) -> frozenset[int]:
    """Return the places of kept posts that repeat one posted earlier; undated posts come first, as they came."""
    from tweetbot_trainer.cleaning.duplicates import repeated  # numpy and scipy: not for the other recipe

    places = [place for place, cleaned in enumerate(checked) if cleaned.kept]
    places.sort(key=lambda place: _age(checked[place].post))
    return frozenset(places[rank] for rank in repeated(checked[place].text for place in places))


def _age(post: Post) -> tuple[datetime, int, str]:
    """Return the sorting key that puts the earlier post first; ids are numbers that grow, written as strings."""
    return (post.created_at, len(post.id), post.id) if post.created_at else (_UNDATED, 0, "")
