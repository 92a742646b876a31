"""The newest posts of an account: kept pages where they stand, X where something is missing.

    what is newer ─▶ kept pages ─▶ a gap ─▶ kept pages … until maxPosts are read or X has no more

A run settles with its first page up to which post it reads; what comes later is the next run's.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tweetbot_contract.spec.sources import XSource
from tweetbot_trainer.data.posts import Post, printed_time
from tweetbot_trainer.data.sources.x_api.client import Window, XClient
from tweetbot_trainer.data.sources.x_api.page_cache import Json, KeptPage, KeptTimeline, RunNotes, Span
from tweetbot_trainer.data.sources.x_api.records import keys_of, next_token, posts_of, records_of
from tweetbot_trainer.data.sources.x_api.spend_limit import Purse
from tweetbot_trainer.runtime.log import Log

#: "They sometimes eventually come": the original stopped after more than five empty pages in a row.
EMPTY_PAGES = 5


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a walk stands: the next page holds ids below `below`, in the window that its token was given for."""

    below: int | None
    window: Window
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run's reading of an account: its notes, its money, its clock in wall-clock seconds."""

    id: str
    notes: RunNotes
    purse: Purse
    now: Callable[[], float]


class Timeline:
    """One run's walk down an account's timeline."""

    def __init__(
        self, spec: XSource, index: int, *, account_id: str, kept: KeptTimeline, client: XClient, run: Run, log: Log
    ) -> None:
        self._spec, self._index, self._account_id = spec, index, account_id
        self._kept, self._client, self._run, self._log = kept, client, run, log
        self._seen: set[str] = set()
        self._cursor: Cursor | None = None
        self._asked_for: list[bool] = []
        self._pages_from_x = 0

    def posts(self) -> Iterator[Post]:
        """Yield at most maxPosts posts, newest first, each id once. Raises StageFailed of the fitting reason."""
        newest = self._newest()
        for page in self._pages(newest):
            for post in posts_of(page.answer, self._index):
                if self._wanted and post.id not in self._seen and self._is_asked_for(post, newest):
                    self._seen.add(post.id)
                    yield post

    def told(self) -> dict[str, Any]:
        """Return what was read, for the log: `retweets` says whether they are among the posts."""
        retweets = "read" if all(self._asked_for) else "partly read" if any(self._asked_for) else "not read"
        return {"posts": len(self._seen), "pagesFromX": self._pages_from_x, "retweets": retweets}

    @property
    def _wanted(self) -> int:
        return self._spec.max_posts - len(self._seen)

    def _is_asked_for(self, post: Post, newest: int) -> bool:
        """Tell whether a kept post is one of this run's, whatever earlier runs asked X for."""
        return int(post.id) <= newest and not (post.retweet and self._spec.exclude_retweets)

    def _newest(self) -> int:
        """Return the id of the newest post, from X unless this run has asked before; 0 when there is none."""
        newest = self._run.notes.newest()
        if newest is None:
            self._asked(self._window(since=self._kept.newest))
            newest = self._kept.newest
            if newest:
                self._run.notes.keep_newest(newest)
        return newest

    def _pages(self, newest: int) -> Iterator[KeptPage]:
        """Yield the pages from the newest post down. What this run paid for them counts in every attempt of it."""
        next_id = newest
        while next_id > 0 and self._wanted:
            span = self._kept.span_with(next_id)
            page = self._kept.load(span) if span else self._asked(self._gap_at(next_id))
            if page is None:
                return
            self._asked_for.append(page.retweets and not self._spec.exclude_retweets)
            if page.run_id == self._run.id:
                self._run.purse.pay(len(records_of(page.answer)))
            yield page
            next_id = page.span.last - 1

    def _gap_at(self, id: int) -> Window:
        return self._window(since=self._kept.newest_below(id), until=id + 1)

    def _window(self, *, since: int, until: int | None = None) -> Window:
        return Window(since=since, until=until, retweets=not self._spec.exclude_retweets)

    def _asked(self, window: Window) -> KeptPage | None:
        """Return the next page of a window from X, kept; None when X has nothing in there, or only empty pages."""
        cursor = self._cursor
        if cursor is None or window.until is None or cursor.below != window.until:
            cursor = Cursor(window.until, window)
        token = cursor.token
        for _ in range(EMPTY_PAGES + 1):
            answer = self._answer(cursor.window, token)
            before, token = token, next_token(answer)
            ids = [int(post.id) for post in posts_of(answer, self._index)]
            if span := settled(ids, window, last=token is None):
                self._cursor = Cursor(span.last, cursor.window, token)
                return self._keep(span, window, answer)
            self._run.purse.pay(len(ids))
            if ids or token in (None, before):
                return None
        self._log.warning("x.empty_pages", handle=self._spec.handle, pages=EMPTY_PAGES + 1)
        return None

    def _answer(self, window: Window, token: str | None) -> Json:
        """Return a page from X, if it is one."""
        about = f"@{self._spec.handle}"
        size = self._run.purse.page_size(self._wanted, read=len(self._seen))
        page = self._client.timeline(self._account_id, window, size=size, token=token, about=about)
        self._pages_from_x += 1
        records, errors = records_of(page), page.get("errors")
        if errors and not records:
            raise self._client.problem_in(page, about=about)
        odd = len(records) - len(posts_of(page, self._index))
        partial = len(errors) if isinstance(errors, list) else 0
        # the keys too: X's two vocabularies change over while this is written
        fields = {"posts": len(records), "errors": partial, "unreadable": odd, "keys": keys_of(page)}
        self._log.info("x.page", handle=self._spec.handle, **fields)
        return page

    def _keep(self, span: Span, window: Window, answer: Json) -> KeptPage:
        page = KeptPage(span, self._run.id, window.retweets, answer)
        self._kept.keep(page, read_at=printed_time(datetime.fromtimestamp(self._run.now(), UTC)))
        return page


def settled(ids: Iterable[int], window: Window, *, last: bool) -> Span | None:
    """Return the ids of which a page says that X has no other posts, None when it says nothing.

    A page settles all above its lowest id. Where it is the last one, or does not lead further down, X has nothing more
    in the window: since_id and until_id are only hints to X once they lie beyond its newest 3,200 posts.
    """
    found = list(ids)
    inside = [id for id in found if id > window.since and (window.until is None or id < window.until)]
    if not last and not found:
        return None
    first = window.until - 1 if window.until is not None else max(inside, default=window.since)
    ends = last or not inside or min(found) <= window.since
    lowest = window.since + 1 if ends else min(inside)
    return Span(first, lowest) if first >= lowest else None
