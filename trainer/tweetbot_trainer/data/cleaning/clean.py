"""The pass over all posts: rewrite, check, find duplicates."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning.recipes import Candidate, CleaningRecipe, build_recipe
from tweetbot_trainer.data.posts import Post

#: A post among several sources: ids are a source's own.
Key = tuple[int, str]


def get_key(post: Post) -> Key:
    """Return what names a post among all sources."""
    return post.source, post.id


def find_superseded(posts: Sequence[Post]) -> frozenset[Key]:
    """Return the posts of which a later version is among the posts; ids are numbers that grow, written as strings."""
    edited = [post for post in posts if post.edits]
    if not edited:
        return frozenset()
    present = {get_key(post) for post in posts}
    earlier: set[Key] = set()
    for post in edited:
        versions = sorted({post.id, *post.edits}, key=_get_sort_key)
        here = [key for version in versions if (key := (post.source, version)) in present]
        earlier.update(here[:-1])
    return frozenset(earlier)


def _get_sort_key(version: str) -> tuple[int, str]:
    return len(version), version


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
    """Yield the posts in the order they came, rewritten and kept or dropped by the filter's recipe.

    All posts are read before the first is yielded: only then it shows which version of an edited post is the newest,
    and which of two duplicates the earlier. Recipe huggingtweets yields of an edited post the newest version only.
    """
    recipe = build_recipe(filter)
    checked = _check_all(list(posts), recipe)
    repeated = _find_repeats(checked) if recipe.options.deduplicate else frozenset()
    for place, cleaned in enumerate(checked):
        yield replace(cleaned, reason="duplicates") if place in repeated else cleaned


def _check_all(posts: list[Post], recipe: CleaningRecipe) -> list[CleanedPost]:
    earlier = find_superseded(posts)
    marked = ((post, get_key(post) in earlier) for post in posts)
    return [
        _check_post(post, is_earlier, recipe) for post, is_earlier in marked if not (is_earlier and recipe.newest_only)
    ]


def _check_post(post: Post, is_earlier: bool, recipe: CleaningRecipe) -> CleanedPost:
    text, redacted = recipe.rewrite(post.text)
    candidate = Candidate(post, post.text if text == post.text else text, is_earlier)  # most texts stay: no second copy
    reason = next((check.name for check in recipe.checks if check.holds(candidate)), None)
    return CleanedPost(post, candidate.text, reason, redacted)


def _find_repeats(checked: list[CleanedPost]) -> frozenset[int]:
    """Return the places of kept posts that repeat one posted earlier; undated posts come first, as they came."""
    from tweetbot_trainer.data.cleaning.duplicates import find_repeats  # numpy: not for the other recipe

    places = [place for place, cleaned in enumerate(checked) if cleaned.kept]
    places.sort(key=lambda place: _post_age(checked[place].post))
    return frozenset(places[rank] for rank in find_repeats([checked[place].text for place in places]))


def _post_age(post: Post) -> tuple[datetime, int, str]:
    """Return the sorting key that puts the earlier post first; ids are numbers that grow, written as strings."""
    return (post.created_at, len(post.id), post.id) if post.created_at else (_UNDATED, 0, "")
