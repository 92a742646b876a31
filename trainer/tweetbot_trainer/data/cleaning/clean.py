"""The pass over all posts: rewrite, check, find duplicates, count."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tweetbot_contract.data_table import DataTable
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning.recipes import CleaningRecipe, build_recipe
from tweetbot_trainer.data.posts import Post

#: A post's source and id: ids are unique within one source only.
Key = tuple[int, str]
_UNDATED = datetime.min.replace(tzinfo=UTC)
_KEPT = "kept"


@dataclass(frozen=True, slots=True)
class CleanedPost:
    """A post, its rewritten text and, if it was dropped, the data table's field that counts the drop."""

    post: Post
    text: str
    reason: str | None
    redacted: bool = False

    @property
    def kept(self) -> bool:
        """Tell whether the post goes into the dataset."""
        return self.reason is None


class DropCounts:
    """How many posts came, how many were dropped for which reason, and how many stayed."""

    def __init__(self) -> None:
        self._reasons: Counter[str] = Counter()
        self._redacted = 0

    def add(self, cleaned: CleanedPost) -> None:
        """Count a cleaned post."""
        self._reasons[cleaned.reason or _KEPT] += 1
        self._redacted += cleaned.kept and cleaned.redacted

    def build_table(self) -> DataTable:
        """Return the counts as a data table."""
        drops = {name: self._reasons[name] for name in DataTable.DROPS}
        return DataTable(downloaded=self._reasons.total(), kept=self._reasons[_KEPT], redacted=self._redacted, **drops)


def clean(posts: Iterable[Post], filter: Filter) -> Iterator[CleanedPost]:
    """Yield the posts in their order, rewritten, and kept or dropped by the filter's recipe.

    All posts are read before the first is yielded, to know the newest revision of an edited post and the earliest of
    several duplicates. The recipe huggingtweets yields only the newest revision of an edited post.
    """
    recipe = build_recipe(filter)
    checked = list(_check_all(list(posts), recipe))
    repeated = _find_repeats(checked) if recipe.options.deduplicate else frozenset()
    for index, cleaned in enumerate(checked):
        yield replace(cleaned, reason="duplicates") if index in repeated else cleaned


def find_superseded(posts: Sequence[Post]) -> frozenset[Key]:
    """Return the posts of which a later revision is among the posts."""
    edited = [post for post in posts if post.edits]
    present = {_get_key(post) for post in posts} if edited else set()
    superseded: set[Key] = set()
    for post in edited:
        ids = sorted({post.id, *post.edits}, key=_get_age)
        superseded.update([key for id in ids if (key := (post.source, id)) in present][:-1])
    return frozenset(superseded)


def _get_key(post: Post) -> Key:
    return post.source, post.id


def _get_age(id: str) -> tuple[int, str]:
    """Return the sorting key of an id: they are growing numbers, written as strings."""
    return len(id), id


def _check_all(posts: list[Post], recipe: CleaningRecipe) -> Iterator[CleanedPost]:
    all_superseded = find_superseded(posts)
    for post in posts:
        superseded = _get_key(post) in all_superseded
        if not (superseded and recipe.newest_only):
            yield _check_post(post, superseded, recipe)


def _check_post(post: Post, superseded: bool, recipe: CleaningRecipe) -> CleanedPost:
    text, redacted = _rewrite_post(post, recipe)
    text = post.text if text == post.text else text  # most texts stay as they are: keep no second copy
    reason = next((check.name for check in recipe.checks if check.holds(post, text, superseded)), None)
    return CleanedPost(post, text, reason, redacted)


def _rewrite_post(post: Post, recipe: CleaningRecipe) -> tuple[str, bool]:
    """Return the post's rewritten text, a content warning before it, and whether personal data was replaced."""
    text = post.text[post.names_end :] if recipe.strip_names else post.text
    if not post.warning:
        return recipe.rewrite(text)
    if not recipe.warning_line:
        return recipe.rewrite(f"{post.warning}\n\n{text}")
    lines = [recipe.rewrite(part) for part in (post.warning, text)]
    return "\n".join(line for line, _ in lines if line), any(redacted for _, redacted in lines)


def _find_repeats(checked: list[CleanedPost]) -> frozenset[int]:
    """Return the indices of kept posts that repeat an earlier one; undated posts come first, in their order."""
    from tweetbot_trainer.data.cleaning.duplicates import find_repeats  # loads numpy, which huggingtweets does not need

    indices = [index for index, cleaned in enumerate(checked) if cleaned.kept]
    indices.sort(key=lambda index: _get_post_age(checked[index].post))
    return frozenset(indices[rank] for rank in find_repeats([checked[index].text for index in indices]))


def _get_post_age(post: Post) -> tuple[datetime, int, str]:
    return (post.created_at, *_get_age(post.id)) if post.created_at else (_UNDATED, 0, "")
