"""A Bluesky account by the public API: its newest posts, page by page.

Nothing is cached between attempts: a page of a hundred posts is free, and 3,000 requests are allowed in five minutes.
Posts that apps may show only to signed-in people are not read.
"""

from collections.abc import Iterator

from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import BlueskySource
from tweetbot_trainer.data.posts import Json, Post, clean_text
from tweetbot_trainer.data.sources.bluesky.client import HOST, BlueskyClient
from tweetbot_trainer.data.sources.bluesky.records import build_repost, parse_post_record
from tweetbot_trainer.data.sources.http import download_picture
from tweetbot_trainer.data.sources.interface import NAME_LIMIT, Profile, SourceReport
from tweetbot_trainer.runtime.errors import SpecRefused, TemporaryError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.retry_budget import RetryBudget

#: Pages may be empty where posts were taken down; more than this many in a row are taken for the end.
EMPTY_PAGES = 5
#: The label by which an account asks to be shown only to signed-in people.
SIGNED_IN_ONLY = "!no-unauthenticated"
#: The host of the API's pictures.
PICTURES = "https://cdn.bsky.app"


class BlueskyFeed:
    """The newest posts, replies and reposts of an account."""

    def __init__(self, spec: BlueskySource, index: int, *, retry_budget: RetryBudget, log: Log) -> None:
        self._spec, self._index, self._log = spec, index, log
        self._actor = spec.actor or ""
        self._client = BlueskyClient(self._actor, base=spec.api_base_url, retry_budget=retry_budget)
        self._account: Json | None = None

    def read_posts(self) -> Iterator[Post]:
        """Yield at most maxPosts posts, newest first, each id once. Raises StageError."""
        self._account = self._fetch_account()
        seen: set[str] = set()
        for posts in self._iter_pages(str(self._account["did"])):
            for post in posts:
                if post.id not in seen:
                    seen.add(post.id)
                    yield post
                if len(seen) == self._spec.max_posts:
                    return

    def build_report(self) -> SourceReport:
        """Return what was left out."""
        return SourceReport()

    def read_profile(self) -> Profile | None:
        """Return names and picture of the account, None before the posts are read."""
        if self._account is None:
            return None
        handle, name, picture = (clean_text(self._account.get(key)) for key in ("handle", "displayName", "avatar"))
        hosts = (PICTURES, self._spec.api_base_url or HOST)
        return Profile(
            account_id=str(self._account["did"]),
            handle=handle,
            display_name=name[:NAME_LIMIT] if name else None,
            avatar=download_picture(picture, hosts=hosts, event="bluesky.avatar", log=self._log),
        )

    def _fetch_account(self) -> Json:
        account = self._client.get_profile()
        if not clean_text(account.get("did")):
            raise _build_payload_error("an account without a DID")
        labels = account.get("labels")
        if any(_is_signed_in_only(label) for label in (labels if isinstance(labels, list) else ())):
            message = (
                f"{self._actor} asks apps to show its posts only to signed-in people, so they are not read; "
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
            before, cursor = cursor, clean_text(page.get("cursor"))
            empty = 0 if posts else empty + 1
            if cursor in (None, before):
                return

    def _parse_posts(self, page: Json, did: str) -> Iterator[Post]:
        """Yield a page's posts. Raises TemporaryError (BlueskyBadPayload) if they are not as documented."""
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
        uri = clean_text(view.get("uri")) if isinstance(view, dict) else None
        if not isinstance(item, dict) or not isinstance(view, dict) or uri is None:
            raise _build_payload_error("a post without an address")
        reason, author = item.get("reason"), view.get("author")
        if isinstance(reason, dict) and str(reason.get("$type", "")).endswith("#reasonRepost"):
            again = clean_text(reason.get("uri")) or f"{uri}#reposted-by-{did}"
            return build_repost(reason.get("indexedAt"), uri=again, source=self._index)
        if isinstance(author, dict) and author.get("did") not in (None, did):
            return build_repost(view.get("indexedAt"), uri=uri, source=self._index)
        return parse_post_record(view.get("record"), uri=uri, source=self._index)


def _is_signed_in_only(label: object) -> bool:
    return isinstance(label, dict) and label.get("val") == SIGNED_IN_ONLY and not label.get("neg")


def _build_payload_error(what: str) -> TemporaryError:
    reason = reasons.BLUESKY_BAD_PAYLOAD
    return TemporaryError(reason, f"Bluesky's answer holds {what}. {reason.advice}")
