"""Earlier versions of posts that were edited: sources give every version they hold, the newest is the post."""

from collections.abc import Sequence

from tweetbot_trainer.posts import Post

#: A post among several sources: ids are a source's own.
Key = tuple[int, str]


def key_of(post: Post) -> Key:
    """Return what names a post among all sources."""
    return post.source, post.id


def superseded(posts: Sequence[Post]) -> frozenset[Key]:
    """Return the posts of which a later version is among the posts; ids are numbers that grow, written as strings."""
    edited = [post for post in posts if post.edits]
    if not edited:
        return frozenset()
    present = {key_of(post) for post in posts}
    earlier: set[Key] = set()
    for post in edited:
        versions = sorted({post.id, *post.edits}, key=_age)
        here = [key for version in versions if (key := (post.source, version)) in present]
        earlier.update(here[:-1])
    return frozenset(earlier)


def _age(version: str) -> tuple[int, str]:
    return len(version), version
