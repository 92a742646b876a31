"""A Bluesky account by its public API: the newest posts, page by page.

Nothing is kept between attempts: pages cost nothing, and a hundred posts come with each, 3,000 requests allowed in five
minutes. What an app may not show to people who are not signed in is not read here.
"""

from collections.abc import Iterator
from typing import Any

from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import BlueskySource
from tweetbot_trainer.data.posts import Post, replace_surrogates
from tweetbot_trainer.data.sources.bluesky.client import BlueskyClient
from tweetbot_trainer.data.sources.bluesky.records import build_repost, parse_post_record
from tweetbot_trainer.data.sources.interface import Avatar, Profile
from tweetbot_trainer.runtime.errors import SpecRefused, TemporaryError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.retry_budget import RetryBudget

#: Pages may come empty where posts were taken down; so many in a row are the end.
EMPTY_PAGES = 5
#: The label by which an account asks to be shown to signed-in people only.
SIGNED_IN_ONLY = "!no-unauthenticated"
#: The network takes 64 characters for a name.
_NAME_LIMIT = 100

Json = dict[str, Any]


class BlueskyFeed:
    """The newest posts, replies and reposts of an account."""

    def __init__(self, spec: BlueskySource, index: int, *, retry_budget: RetryBudget, log: Log) -> None:
        self._spec, self._index, self._log = spec, index, log
        self._actor = spec.actor or ""
        self._client = BlueskyClient(self._actor, base=spec.api_base_url, retry_budget=retry_budget, log=log)
        self._account: Json | None = None

    def read_posts(self) -> Iterator[Post]:
        """Yield at most maxPosts posts, newest first, each id once. Raises StageError of the fitting reason."""
        self._account = self._fetch_account()
        seen: set[str] = set()
        for posts in self._iter_pages(str(self._account["did"])):
            for post in posts:
                if post.id not in seen:
                    seen.add(post.id)
                    yield post
                if len(seen) == self._spec.max_posts:
                    return

    def read_profile(self) -> Profile | None:
        """Return name and picture of the account; None where the posts were not read first."""
        if self._account is None:
            return None
        handle, name, picture = (_clean_text(self._account.get(key)) for key in ("handle", "displayName", "avatar"))
        content = self._client.fetch_picture(picture) if picture else None
        return Profile(
            account_id=str(self._account["did"]),
            handle=handle,
            display_name=name[:_NAME_LIMIT] if name else None,
            avatar=Avatar(content) if content else None,
        )

    def _fetch_account(self) -> Json:
        account = self._client.get_profile()
        if not _clean_text(account.get("did")):
            raise _build_payload_error("an account without a DID")
        labels = account.get("labels")
        if any(_is_signed_in_only(label) for label in (labels if isinstance(labels, list) else ())):
            message = (
                f"{self._actor} asks apps to show its posts to signed-in people only, so they are not read here; "
                "its owner can export the repository: give that as sources[].bluesky.car"
            )
            raise SpecRefused(reasons.ACCOUNT_PROTECTED, message)
        return account

    def _iter_pages(self, did: str) -> Iterator[list[Post]]:
        cursor, empty = None, 0
        while empty <= EMPTY_PAGES:
            page = self._client.get_feed_page(cursor)
            posts = list(self._parse_posts(page, did))
            self._log.info("bluesky.page", actor=self._actor, posts=len(posts))
            yield posts
            before, cursor = cursor, _clean_text(page.get("cursor"))
            empty = 0 if posts else empty + 1
            if cursor in (None, before):
                return

    def _parse_posts(self, page: Json, did: str) -> Iterator[Post]:
        """Yield a page's posts. Raises Temporary (BlueskyBadPayload) when they are not as documented."""
        items = page.get("feed")
        if not isinstance(items, list):
            raise _build_payload_error("a page without a feed")
        for item in items:
            post = self._parse_post(item, did)
            if post:
                yield post
            else:
                self._log.warning("bluesky.no_post", actor=self._actor, message="a record without text was left out")

    def _parse_post(self, item: object, did: str) -> Post | None:
        view = item.get("post") if isinstance(item, dict) else None
        uri = _clean_text(view.get("uri")) if isinstance(view, dict) else None
        if not isinstance(item, dict) or not isinstance(view, dict) or uri is None:
            raise _build_payload_error("a post without an address")
        reason, author = item.get("reason"), view.get("author")
        if isinstance(reason, dict) and str(reason.get("$type", "")).endswith("#reasonRepost"):
            again = _clean_text(reason.get("uri")) or f"{uri}#reposted-by-{did}"
            return build_repost(reason.get("indexedAt"), uri=again, source=self._index)
        if isinstance(author, dict) and author.get("did") not in (None, did):
            return build_repost(view.get("indexedAt"), uri=uri, source=self._index)
        return parse_post_record(view.get("record"), uri=uri, source=self._index)


def _is_signed_in_only(label: object) -> bool:
    return isinstance(label, dict) and label.get("val") == SIGNED_IN_ONLY and not label.get("neg")


def _build_payload_error(what: str) -> TemporaryError:
    reason = reasons.BLUESKY_BAD_PAYLOAD
    return TemporaryError(reason, f"Bluesky's answer holds {what}. {reason.advice}")


def _clean_text(given: object) -> str | None:
    return replace_surrogates(given) if isinstance(given, str) and given else None
