"""A Bluesky account by its public API: the newest posts, page by page.

Nothing is kept between attempts: pages cost nothing, and a hundred posts come with each, 3,000 requests allowed in five
minutes. What an app may not show to people who are not signed in is not read here.
"""

from collections.abc import Iterator
from typing import Any

from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import BlueskySource
from tweetbot_trainer.data.posts import Post, well_formed
from tweetbot_trainer.data.sources.bluesky.client import BlueskyClient
from tweetbot_trainer.data.sources.bluesky.records import post_of, repost_of
from tweetbot_trainer.data.sources.interface import Avatar, Profile
from tweetbot_trainer.data.sources.wait_budget import Patience
from tweetbot_trainer.runtime.errors import SpecRefused, Temporary
from tweetbot_trainer.runtime.log import Log

#: Pages may come empty where posts were taken down; so many in a row are the end.
EMPTY_PAGES = 5
#: The label by which an account asks to be shown to signed-in people only.
SIGNED_IN_ONLY = "!no-unauthenticated"
#: The network takes 64 characters for a name.
_NAME_LIMIT = 100

Json = dict[str, Any]


class BlueskyFeed:
    """The newest posts, replies and reposts of an account."""

    def __init__(self, spec: BlueskySource, index: int, *, patience: Patience, log: Log) -> None:
        self._spec, self._index, self._log = spec, index, log
        self._actor = spec.actor or ""
        self._client = BlueskyClient(self._actor, base=spec.api_base_url, patience=patience, log=log)
        self._account: Json | None = None

    def posts(self) -> Iterator[Post]:
        """Yield at most maxPosts posts, newest first, each id once. Raises StageFailed of the fitting reason."""
        self._account = self._readable_account()
        seen: set[str] = set()
        for posts in self._pages(str(self._account["did"])):
            for post in posts:
                if post.id not in seen:
                    seen.add(post.id)
                    yield post
                if len(seen) == self._spec.max_posts:
                    return

    def profile(self) -> Profile | None:
        """Return name and picture of the account; None where the posts were not read first."""
        if self._account is None:
            return None
        handle, name, picture = (_text(self._account.get(key)) for key in ("handle", "displayName", "avatar"))
        content = self._client.picture(picture) if picture else None
        return Profile(
            account_id=str(self._account["did"]),
            handle=handle,
            display_name=name[:_NAME_LIMIT] if name else None,
            avatar=Avatar(content) if content else None,
        )

    def _readable_account(self) -> Json:
        account = self._client.profile()
        if not _text(account.get("did")):
            raise _bad_payload("an account without a DID")
        labels = account.get("labels")
        if any(_asks_for_sign_in(label) for label in (labels if isinstance(labels, list) else ())):
            message = (
                f"{self._actor} asks apps to show its posts to signed-in people only, so they are not read here; "
                "its owner can export the repository: give that as sources[].bluesky.car"
            )
            raise SpecRefused(reasons.ACCOUNT_PROTECTED, message)
        return account

    def _pages(self, did: str) -> Iterator[list[Post]]:
        cursor, empty = None, 0
        while empty <= EMPTY_PAGES:
            page = self._client.feed(cursor)
            posts = list(self._posts_of(page, did))
            self._log.info("bluesky.page", actor=self._actor, posts=len(posts))
            yield posts
            before, cursor = cursor, _text(page.get("cursor"))
            empty = 0 if posts else empty + 1
            if cursor in (None, before):
                return

    def _posts_of(self, page: Json, did: str) -> Iterator[Post]:
        """Yield a page's posts. Raises Temporary (BlueskyBadPayload) when they are not as documented."""
        items = page.get("feed")
        if not isinstance(items, list):
            raise _bad_payload("a page without a feed")
        for item in items:
            post = self._post(item, did)
            if post:
                yield post
            else:
                self._log.warning("bluesky.no_post", actor=self._actor, message="a record without text was left out")

    def _post(self, item: object, did: str) -> Post | None:
        view = item.get("post") if isinstance(item, dict) else None
        uri = _text(view.get("uri")) if isinstance(view, dict) else None
        if not isinstance(item, dict) or not isinstance(view, dict) or uri is None:
            raise _bad_payload("a post without an address")
        reason, author = item.get("reason"), view.get("author")
        if isinstance(reason, dict) and str(reason.get("$type", "")).endswith("#reasonRepost"):
            again = _text(reason.get("uri")) or f"{uri}#reposted-by-{did}"
            return repost_of(reason.get("indexedAt"), uri=again, source=self._index)
        if isinstance(author, dict) and author.get("did") not in (None, did):
            return repost_of(view.get("indexedAt"), uri=uri, source=self._index)
        return post_of(view.get("record"), uri=uri, source=self._index)


def _asks_for_sign_in(label: object) -> bool:
    return isinstance(label, dict) and label.get("val") == SIGNED_IN_ONLY and not label.get("neg")


def _bad_payload(what: str) -> Temporary:
    reason = reasons.BLUESKY_BAD_PAYLOAD
    return Temporary(reason, f"Bluesky's answer holds {what}. {reason.advice}")


def _text(given: object) -> str | None:
    return well_formed(given) if isinstance(given, str) and given else None
