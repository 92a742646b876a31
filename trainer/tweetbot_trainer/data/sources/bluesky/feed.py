"""A Bluesky account by the public API: its newest posts, page by page.

Nothing is cached between attempts: a page of a hundred posts is free, and 3,000 requests are allowed in five minutes.
Posts that apps may show only to signed-in people are not read.
"""

from collections.abc import Iterator
from itertools import chain

from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import BlueskySource
from tweetbot_trainer.data.posts import BadPost, Json, Post, clean_text
from tweetbot_trainer.data.sources.bluesky.client import HOST, BlueskyClient
from tweetbot_trainer.data.sources.bluesky.records import build_repost, parse_post_record
from tweetbot_trainer.data.sources.damage import DamageCount
from tweetbot_trainer.data.sources.http import download_picture
from tweetbot_trainer.data.sources.interface import NAME_LIMIT, Profile, SourceReport
from tweetbot_trainer.runtime.errors import SpecRefused, TemporaryError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.retry_budget import RetryBudget

#: Pages may be empty where posts were taken down; more than this many in a row are taken for the end.
EMPTY_PAGES = 5
#: The label by which an account asks to be shown only to signed-in people.
SIGNED_IN_ONLY = "!no-unauthenticated"
_ADVICE = "its author can delete such records"
#: The host of the API's pictures.
PICTURES = "https://cdn.bsky.app"


class BlueskyFeed:
    """The newest posts, replies and reposts of an account."""

    def __init__(self, spec: BlueskySource, index: int, *, retry_budget: RetryBudget, log: Log) -> None:
        self._spec, self._index, self._log = spec, index, log
        self._actor = spec.actor or ""
        self._client = BlueskyClient(self._actor, base=spec.api_base_url, retry_budget=retry_budget)
        self._account: Json | None = None
        self._read = self._reposts = self._repeated = 0
        self._damage = DamageCount(index, prefix=f"{self._actor}: ", advice=_ADVICE)

    def read_posts(self) -> Iterator[Post]:
        """Yield at most maxPosts posts, newest first, each id once. Raises StageError."""
        self._account = self._fetch_account()
        seen: set[str] = set()
        for post in chain.from_iterable(self._iter_pages(str(self._account["did"]))):
            if post.id in seen:
                self._repeated += 1
                continue
            seen.add(post.id)
            self._reposts += post.retweet
            yield post
            if self._is_full(len(seen)):
                break
        self._read = len(seen)
        self._damage.check()

    def build_report(self) -> SourceReport:
        """Return what the profile counts, and what was left out.

        Bluesky's count has posts and replies, but no reposts; it sometimes has deleted posts too. Reposts and repeated
        posts are added, so that what remains is missing. What maxPosts leaves out is older.
        """
        left_out = {"repeated": self._repeated, "unreadable": self._damage.damaged}
        counted = self._account.get("postsCount") if self._account else None
        if isinstance(counted, bool) or not isinstance(counted, int) or counted < 0:
            return SourceReport(left_out=left_out, warnings=self._damage.build_warnings())
        total = counted + self._reposts + self._repeated
        if self._is_full(self._read):
            left_out["older"] = max(0, total - self._read - sum(left_out.values()))
        return SourceReport(total, left_out, self._damage.build_warnings())

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

    def _is_full(self, count: int) -> bool:
        return count >= self._spec.max_posts

    def _fetch_account(self) -> Json:
        account = self._client.get_profile()
        if not clean_text(account.get("did")):
            raise _build_payload_error("an account without a DID")
        labels = account.get("labels")
        if any(_is_signed_in_only(label) for label in (labels if isinstance(labels, list) else ())):
            message = (
                f"{self._actor} asks apps to show its posts only to signed-in people, so they are not read; "
                "its owner can export the repository: give that as spec.sources[].bluesky.car"
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
            try:
                post = self._parse_post(item, did)
            except BadPost as error:
                self._damage.add_damaged(*error.args)
            else:
                self._damage.add_good()
                yield post

    def _parse_post(self, item: object, did: str) -> Post:
        """Parse an item of the feed. Raises BadPost, or TemporaryError if it is not as documented."""
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
        post = parse_post_record(view.get("record"), uri=uri, source=self._index)
        if post is None:
            raise BadPost(f"the record {uri}", "it has no text")
        return post


def _is_signed_in_only(label: object) -> bool:
    return isinstance(label, dict) and label.get("val") == SIGNED_IN_ONLY and not label.get("neg")


def _build_payload_error(what: str) -> TemporaryError:
    reason = reasons.BLUESKY_BAD_PAYLOAD
    return TemporaryError(reason, f"Bluesky's answer holds {what}. {reason.advice}")
