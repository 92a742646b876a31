"""The newest posts of an account: from cached pages, and from X where pages are missing.

    newer posts ─▶ cached pages ─▶ a gap ─▶ cached pages … until maxPosts are read or X has no more

A run's first page decides up to which post the run reads; later posts are left to the next run. What was read is
compared with the number of posts that X says the account has.
"""

from collections.abc import Iterator
from math import ceil
from typing import Any

from tweetbot_contract import reasons
from tweetbot_contract.data_table import DataWarning
from tweetbot_contract.reasons.reason import RETRAIN
from tweetbot_contract.spec.sources import XSource
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.interface import MAX_MISSING_PERCENT, SourceReport
from tweetbot_trainer.data.sources.x_api.client import IdRange
from tweetbot_trainer.data.sources.x_api.page_cache import CachedPage, CachedTimeline
from tweetbot_trainer.data.sources.x_api.paging import Gap, Pager, ReadSession
from tweetbot_trainer.data.sources.x_api.records import get_records, parse_posts
from tweetbot_trainer.runtime.errors import SpecRefused, StageError, TooLittleData


class Timeline:
    """An account's timeline as one run reads it, from the newest post down."""

    def __init__(
        self,
        spec: XSource,
        index: int,
        kept: CachedTimeline,
        *,
        pager: Pager,
        session: ReadSession,
        max_missing_percent: int | None,
    ) -> None:
        self._spec, self._index, self._kept, self._pager, self._session = spec, index, kept, pager, session
        self._limit = MAX_MISSING_PERCENT if max_missing_percent is None else max_missing_percent
        self._seen: set[str] = set()
        self._asked_for: list[bool] = []
        self._retweets = self._unreadable = 0
        self._first_unreadable: str | None = None

    def read_posts(self) -> Iterator[Post]:
        """Yield at most maxPosts posts, newest first, each id once. Raises StageError."""
        newest = self._find_newest()
        for page in self._iter_pages(newest):
            posts = parse_posts(page.answer, self._index, author=self._session.account_id)
            if unreadable := len(get_records(page.answer)) - len(posts):
                self._unreadable += unreadable
                self._first_unreadable = self._first_unreadable or page.span.name
            for post in posts:
                if self._wanted and post.id not in self._seen and self._is_asked_for(post, newest):
                    self._seen.add(post.id)
                    yield post
        self._check_end()

    def summarize(self) -> dict[str, Any]:
        """Return fields for the log about what was read; `retweets` says whether posts include them."""
        retweets = "read" if all(self._asked_for) else "partly read" if any(self._asked_for) else "not read"
        return {"posts": len(self._seen), "pagesFromX": self._pager.requests, "retweets": retweets}

    def build_report(self) -> SourceReport:
        """Return the number of posts that X says the account has, and what of it was left out.

        No number is given where it cannot be compared with what was read: it includes retweets, which may not have been
        requested, and kept pages may hold posts that were deleted since. A post that X sends twice counts once.
        """
        left_out = {"unreadable": self._unreadable}
        posts, expected = self._session.posts, self._expected
        if posts is None or expected is None or self._found > posts:
            return SourceReport(left_out=left_out, warnings=self._list_warnings())
        older = posts - max(expected, self._found)
        return SourceReport(posts, left_out | {"older": older}, self._list_warnings())

    @property
    def _wanted(self) -> int:
        return self._spec.max_posts - len(self._seen)

    @property
    def _found(self) -> int:
        return len(self._seen) + self._unreadable

    @property
    def _expected(self) -> int | None:
        """Return how many posts X should have for the run, None if that is not known."""
        posts = self._session.posts
        comparable = not self._spec.exclude_retweets and all(self._asked_for)
        return min(posts, self._spec.max_posts) if comparable and posts is not None else None

    def _list_warnings(self) -> tuple[DataWarning, ...]:
        if not self._unreadable:
            return ()
        message = (
            f"spec.sources[{self._index}].x: {self._unreadable} records came without id or text and were left out, the "
            f"first in the kept page {self._first_unreadable}."
        )
        return (DataWarning(reason=reasons.POSTS_UNREADABLE.name, message=message),)

    def _is_asked_for(self, post: Post, newest: int) -> bool:
        """Tell whether a cached post belongs to this run, whatever earlier runs asked X for."""
        excluded = post.retweet and self._spec.exclude_retweets
        self._retweets += excluded
        return int(post.id) <= newest and not excluded

    def _find_newest(self) -> int:
        """Return the id of the newest post, 0 without any; X is asked once per run."""
        newest = self._session.state.load_newest()
        if newest is None:
            while self._fetch(IdRange(since=self._kept.find_newest(), retweets=self._asks_for_retweets)):
                if not self._pager.passed:
                    break  # no empty page hides posts that are newer
            newest = self._kept.find_newest()
            if newest:
                self._session.state.keep_newest(newest)
        return newest

    @property
    def _asks_for_retweets(self) -> bool:
        return not self._spec.exclude_retweets

    def _iter_pages(self, newest: int) -> Iterator[CachedPage]:
        """Yield the pages from the newest post down."""
        next_id, ends_early = newest, False
        while next_id > 0 and self._wanted:
            span = self._kept.find_span(next_id)
            if span is None:
                since = self._kept.find_newest(below=next_id)
                gap = IdRange(since=since, until=next_id + 1, retweets=self._asks_for_retweets)
                if not self._fetch(gap, ends_early=ends_early):
                    next_id = since
                    ends_early = False
                continue
            page = self._kept.load(span)
            ends_early = page.ends_early
            self._asked_for.append(page.retweets and not self._spec.exclude_retweets)
            yield page
            next_id = span.last - 1

    def _fetch(self, id_range: IdRange, *, ends_early: bool = False) -> bool:
        """Store what X has next in a range, False if it has nothing there; `ends_early` if X ended above the range."""
        whole = self._has_more(0, id_range.since, percent=0) is False
        if ends_early and whole:
            return False
        went_wrong = self._session.state.load_bill() > 0 and not self._pager.knows_ids
        careful = id_range.until is not None and (ends_early or went_wrong or whole)
        gap = Gap(id_range, len(self._seen), self._wanted, careful, lambda more: self._has_more(more, id_range.since))
        return self._pager.fetch(gap)

    def _has_more(self, more: int, since: int, *, percent: int | None = None) -> bool | None:
        """Tell whether too many posts are missing if X has just `more` above the cached ones; None if unknown."""
        allowed = min(self._limit, MAX_MISSING_PERCENT) if percent is None else percent
        expected, found = self._expected, self._found + more
        for page in self._kept.iter_below(since):
            if expected is not None and found >= expected:
                return False
            if page is None or not page.retweets:
                return None
            found += len(get_records(page.answer))
        return None if expected is None else self._is_too_few(found, expected, percent=allowed)

    @staticmethod
    def _is_too_few(found: int, expected: int, *, percent: int) -> bool:
        return 100 * (expected - found) > percent * expected

    def _check_end(self) -> None:
        """Raise StageError if X has not shown as many posts as it says there are."""
        expected = self._expected
        if not self._seen:
            raise self._explain_nothing()
        if expected is not None and self._is_too_few(self._found, expected, percent=self._limit):
            raise self._build_refusal(expected)

    def _explain_nothing(self) -> StageError:
        posts, handle, field = self._session.posts, self._spec.handle, f"spec.sources[{self._index}].x"
        if self._retweets:
            message = (
                f"{field}: X has nothing but retweets of @{handle}, which are never trained on. Use another source"
            )
            return TooLittleData(reasons.TOO_FEW_POSTS, message)
        if not posts:
            said = "says that it has 0" if posts == 0 else "sends none"
            message = f"{field}: @{handle} has no posts on X, which {said}. Correct the handle or use another source"
            return TooLittleData(reasons.TOO_FEW_POSTS, message)
        return self._pager.build_incomplete(0, f"X sends no posts, although it says that there are {posts}")

    def _build_refusal(self, expected: int) -> SpecRefused:
        found, handle, field = self._found, self._spec.handle, f"spec.sources[{self._index}]"
        missing = expected - found
        percent = 100 * missing / expected
        message = (
            f"{field}.x: X says that @{handle} has {self._session.posts} posts, and ended after {found}: {missing} of "
            f"{expected} ({percent:.1f} %) are missing; at most {self._limit} % may be. To ask X again, {RETRAIN}; "
            f"what was paid for is kept. To train on these, set {field}.maxMissingPercent to {ceil(percent)}. "
            "The owner's archive has all posts"
        )
        return SpecRefused(reasons.POSTS_MISSING, message)
