"""The newest posts of an account: from cached pages, and from X where pages are missing.

    newer posts ─▶ cached pages ─▶ a gap ─▶ cached pages … until maxPosts are read or X has no more

A run's first page decides up to which post the run reads; later posts are left to the next run.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tweetbot_contract.spec.sources import XSource
from tweetbot_trainer.data.posts import Json, Post, format_time
from tweetbot_trainer.data.sources.x_api.client import IdRange, XClient
from tweetbot_trainer.data.sources.x_api.page_cache import CachedPage, CachedTimeline, RunState, Span
from tweetbot_trainer.data.sources.x_api.records import get_next_token, get_records, list_keys, parse_posts
from tweetbot_trainer.data.sources.x_api.spend_limit import SpendLimit
from tweetbot_trainer.runtime.log import Log

#: X sometimes sends posts after empty pages; huggingtweets gave up after more than five in a row.
EMPTY_PAGES = 5


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a timeline: the next page holds ids below `below`, of the range that the token was given for."""

    below: int | None
    id_range: IdRange
    token: str | None = None


@dataclass(frozen=True, slots=True)
class ReadSession:
    """A run that reads an account: its stored state, its money, and wall-clock time in seconds."""

    id: str
    account_id: str
    state: RunState
    spend_limit: SpendLimit
    now: Callable[[], float]


class Timeline:
    """An account's timeline as one run reads it, from the newest post down."""

    def __init__(
        self, spec: XSource, index: int, kept: CachedTimeline, *, client: XClient, session: ReadSession, log: Log
    ) -> None:
        self._spec, self._index, self._kept = spec, index, kept
        self._client, self._session, self._log = client, session, log
        self._seen: set[str] = set()
        self._cursor: Cursor | None = None
        self._asked_for: list[bool] = []
        self._pages_from_x = 0

    def read_posts(self) -> Iterator[Post]:
        """Yield at most maxPosts posts, newest first, each id once. Raises StageError."""
        newest = self._find_newest()
        for page in self._iter_pages(newest):
            for post in parse_posts(page.answer, self._index, author=self._session.account_id):
                if self._wanted and post.id not in self._seen and self._is_asked_for(post, newest):
                    self._seen.add(post.id)
                    yield post

    def summarize(self) -> dict[str, Any]:
        """Return fields for the log about what was read; `retweets` says whether posts include them."""
        retweets = "read" if all(self._asked_for) else "partly read" if any(self._asked_for) else "not read"
        return {"posts": len(self._seen), "pagesFromX": self._pages_from_x, "retweets": retweets}

    @property
    def _wanted(self) -> int:
        return self._spec.max_posts - len(self._seen)

    def _is_asked_for(self, post: Post, newest: int) -> bool:
        """Tell whether a cached post belongs to this run, whatever earlier runs asked X for."""
        return int(post.id) <= newest and not (post.retweet and self._spec.exclude_retweets)

    def _find_newest(self) -> int:
        """Return the id of the newest post, 0 without any; X is asked once per run."""
        newest = self._session.state.load_newest()
        if newest is None:
            self._fetch_page(self._build_id_range(since=self._kept.find_newest()))
            newest = self._kept.find_newest()
            if newest:
                self._session.state.keep_newest(newest)
        return newest

    def _iter_pages(self, newest: int) -> Iterator[CachedPage]:
        """Yield the pages from the newest post down, and count what this run's attempts have paid for them."""
        next_id = newest
        while next_id > 0 and self._wanted:
            span = self._kept.find_span(next_id)
            gap = self._build_id_range(since=self._kept.find_newest(below=next_id), until=next_id + 1)
            page = self._kept.load(span) if span else self._fetch_page(gap)
            if page is None:
                return
            self._asked_for.append(page.retweets and not self._spec.exclude_retweets)
            if page.run_id == self._session.id:
                self._session.spend_limit.pay(len(get_records(page.answer)))
            yield page
            next_id = page.span.last - 1

    def _build_id_range(self, *, since: int, until: int | None = None) -> IdRange:
        return IdRange(since=since, until=until, retweets=not self._spec.exclude_retweets)

    def _fetch_page(self, id_range: IdRange) -> CachedPage | None:
        """Fetch and store the next page of a range; None if X has nothing there, or only empty pages."""
        cursor = self._cursor
        if cursor is None or id_range.until is None or cursor.below != id_range.until:
            cursor = Cursor(id_range.until, id_range)
        token = cursor.token
        for _ in range(EMPTY_PAGES + 1):
            answer = self._request_page(cursor.id_range, token)
            before, token = token, get_next_token(answer)
            ids = [int(post.id) for post in parse_posts(answer, self._index)]
            if span := find_settled_span(ids, id_range, last=token is None):
                self._cursor = Cursor(span.last, cursor.id_range, token)
                return self._keep(span, id_range, answer)
            self._session.spend_limit.pay(len(ids))
            if ids or token in (None, before):
                return None
        self._log.warning("x.empty_pages", handle=self._spec.handle, pages=EMPTY_PAGES + 1)
        return None

    def _request_page(self, id_range: IdRange, token: str | None) -> Json:
        """Request a page, log it, and raise X's problem if it has errors instead of posts."""
        about = f"@{self._spec.handle}"
        size = self._session.spend_limit.choose_page_size(self._wanted, read=len(self._seen))
        page = self._client.get_timeline_page(self._session.account_id, id_range, size=size, token=token, about=about)
        self._pages_from_x += 1
        records, errors = get_records(page), page.get("errors")
        if errors and not records:
            raise self._client.build_failure(page, about=about)
        odd = len(records) - len(parse_posts(page, self._index))
        partial = len(errors) if isinstance(errors, list) else 0
        # with keys, since X is changing its vocabulary
        fields = {"posts": len(records), "errors": partial, "unreadable": odd, "keys": list_keys(page)}
        self._log.info("x.page", handle=self._spec.handle, **fields)
        return page

    def _keep(self, span: Span, id_range: IdRange, answer: Json) -> CachedPage:
        page = CachedPage(span, self._session.id, id_range.retweets, answer)
        self._kept.keep(page, read_at=format_time(datetime.fromtimestamp(self._session.now(), UTC)))
        return page


def find_settled_span(ids: Iterable[int], id_range: IdRange, *, last: bool) -> Span | None:
    """Return the range of ids in which X has no posts but the page's, None if the page does not tell.

    A page covers everything above its lowest id. If it is the last one, or leads no further down, X has nothing more
    in the range: it treats since_id and until_id as hints once they are beyond its newest 3,200 posts.
    """
    found = list(ids)
    inside = [id for id in found if id > id_range.since and (id_range.until is None or id < id_range.until)]
    if not last and not found:
        return None
    first = id_range.until - 1 if id_range.until is not None else max(inside, default=id_range.since)
    ends = last or not inside or min(found) <= id_range.since
    lowest = id_range.since + 1 if ends else min(inside)
    return Span(first, lowest) if first >= lowest else None
