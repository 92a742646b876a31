"""Posts of which only the beginning was found so far: they wait for the whole text, which may come later."""

from collections.abc import Iterator

from tweetbot_trainer.data.posts import Post


class CutPosts:
    """The cut posts of an export by id; nothing else is kept."""

    def __init__(self) -> None:
        self._cut: dict[str, Post] = {}

    def __iter__(self) -> Iterator[Post]:
        return iter(self._cut.values())

    def may_be_completed_by(self, found: Post) -> bool:
        """Tell whether a record has another text of a cut post: a copy of the same beginning completes nothing."""
        before = self._cut.get(found.id)
        return before is not None and before.text != found.text

    def hold(self, post: Post) -> bool:
        """Keep a post back if it is cut, and tell so; a whole one takes the place of the cut one."""
        if post.truncated:
            self._cut[post.id] = post
        else:
            self._cut.pop(post.id, None)
        return post.truncated
