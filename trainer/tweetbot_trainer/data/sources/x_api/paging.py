"""The pages of a timeline that the cache lacks, through whatever X puts between them (docs/decisions, 66).

    a gap ─▶ page ─▶ empty pages ─▶ page … ─▶ the next page with posts of the gap, or X's end

An empty page with a next_token is passed. A next_token that leads where X has been before is left: the same place is
asked for once more by its ids. An end that comes too early is asked for again, a few times, as it may be an outage.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import XSource
from tweetbot_trainer.data.posts import Json, format_time
from tweetbot_trainer.data.sources.x_api.client import IdRange, XClient
from tweetbot_trainer.data.sources.x_api.page_cache import CachedPage, CachedTimeline, RunState, Span
from tweetbot_trainer.data.sources.x_api.records import get_next_token, get_records, list_ids, list_keys, parse_posts
from tweetbot_trainer.data.sources.x_api.spend_limit import LARGEST_PAGE, SMALLEST_PAGE, SpendLimit
from tweetbot_trainer.runtime.errors import TemporaryError
from tweetbot_trainer.runtime.log import Log

#: The number of newest posts that X serves of an account (docs.x.com, "User Posts timeline").
HISTORY = 3200
#: More empty pages in a row than that can hide no posts.
LONGEST_GAP = HISTORY // LARGEST_PAGE
#: Seconds before an end that comes too early is asked for again. Longer outages are for the operator's retries.
END_PAUSES = (1.0, 5.0, 25.0)


@dataclass(frozen=True, slots=True)
class ReadSession:
    """A run that reads an account: its stored state, its money, wall-clock time in seconds, and its pauses.

    `posts` is the number of posts that X says the account has.
    """

    id: str
    account_id: str
    posts: int | None
    state: RunState
    spend_limit: SpendLimit
    now: Callable[[], float]
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Gap:
    """A range of ids that the cache lacks, `read` posts below the newest, of which `wanted` more posts are asked for.

    `careful` asks for as few posts as possible at first, where X may send posts that are already paid for.
    `has_more` tells whether X should have more than a number of further records, by its own count; None if unknown.
    """

    id_range: IdRange
    read: int
    wanted: int
    careful: bool
    has_more: Callable[[int], bool | None]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a timeline: the next page holds ids below `below`, of the range that the token was given for."""

    below: int | None
    id_range: IdRange
    token: str | None = None
    followed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of X: the ids of its posts, those of them in the gap, and the token of the next page."""

    page: Json
    ids: tuple[int, ...]
    inside: tuple[int, ...]
    token: str | None


_NOTHING = Answer({}, (), (), None)


class _Circle(Exception):
    """X's tokens lead where they have led before, or nowhere."""


class Pager:
    """Fetches pages from X and stores them.

    `requests` counts pages of X; `knows_ids` says that until_id led on, `passed` that empty pages came before the last
    page that is stored.
    """

    def __init__(
        self, spec: XSource, index: int, kept: CachedTimeline, *, client: XClient, session: ReadSession, log: Log
    ) -> None:
        self._spec, self._index, self._kept = spec, index, kept
        self._client, self._session, self._log = client, session, log
        self._cursor: Cursor | None = None
        self._follows_tokens, self._passes_retweets = True, False
        self.requests, self.knows_ids, self.passed = 0, False, False

    def fetch(self, gap: Gap) -> bool:
        """Store what X has next in a gap; False if it has nothing, or ends too early even when asked again.

        Raises TemporaryError (TimelineIncomplete) if X leads in circles, and what the client raises.
        """
        for pause in (0.0, *END_PAUSES):
            self._wait(pause)
            end = self._ask(gap)
            if end is None:
                return True
            if not gap.has_more(0):
                return self._skip_retweets(gap) if self._may_hide_posts(gap, end) else self._store_end(gap, end)
            if end.ids:
                break  # X shows its newest posts where it has none further down
        return False

    def build_incomplete(self, read: int, why: str) -> TemporaryError:
        """Return the error of a timeline that X does not show to its end."""
        posts, field, handle = self._session.posts, f"spec.sources[{self._index}].x", self._spec.handle
        number = str(read) if posts is None else f"{read} of {min(posts, self._spec.max_posts)}"
        advice = f"To train on these, set {field}.maxPosts to {read}" if read else "If it lasts, use another source"
        message = (
            f"{field}: {number} posts of @{handle} are read, and {why}. It is tried again; what was paid for is kept. "
            f"{advice}; the owner's archive has all posts"
        )
        return TemporaryError(reasons.TIMELINE_INCOMPLETE, message)

    def _wait(self, seconds: float) -> None:
        if seconds:
            self._log.warning("x.early_end", handle=self._spec.handle, seconds=seconds)
            self._session.sleep(seconds)

    def _ask(self, gap: Gap) -> Answer | None:
        """Return the answer with which X ends; None if there is a page, which is then stored."""
        try:
            return self._find_next(gap, self._find_cursor(gap))
        except _Circle:
            self._follows_tokens = False
            self._log.warning("x.circle", handle=self._spec.handle)
        try:
            end = self._find_next(replace(gap, careful=not self.knows_ids), Cursor(gap.id_range.until, gap.id_range))
        except _Circle:
            end = _NOTHING
        if end is not None and (end is _NOTHING or end.ids) and gap.has_more(0) is not False:
            raise self.build_incomplete(gap.read, "X's next_token leads in circles or to empty pages")
        return end

    def _find_cursor(self, gap: Gap) -> Cursor:
        cursor, asked = self._cursor, gap.id_range
        if cursor and cursor.token and cursor.below == asked.until and cursor.id_range.retweets == asked.retweets:
            return cursor
        return Cursor(asked.until, asked)

    def _find_next(self, gap: Gap, cursor: Cursor) -> Answer | None:
        """Follow X's tokens to the next page with posts of the gap, and store it; return the answer that has no more.

        Raises _Circle, also after more empty pages than the posts that X serves could fill.
        """
        for empty, size in enumerate(self._list_sizes(gap)):
            answer = self._request(gap, cursor, SMALLEST_PAGE if gap.careful and not cursor.token else size)
            if answer.inside:
                self._keep(gap, cursor, answer, passed=bool(empty))
                return None
            self._session.state.keep_bill(len(get_records(answer.page)))
            if answer.ids and cursor.token and min(answer.ids) > gap.id_range.since:
                raise _Circle
            if answer.ids or answer.token is None:
                return answer
            if answer.token in cursor.followed:
                raise _Circle
            cursor = replace(cursor, token=answer.token, followed=cursor.followed | {answer.token})
        raise _Circle

    def _list_sizes(self, gap: Gap) -> list[int]:
        """Return the sizes of the pages to ask for until one has posts: small ones grow, to pass what X may hide."""
        choose = self._session.spend_limit.choose_page_size
        small, large = choose(gap.wanted, read=gap.read), choose(LARGEST_PAGE, read=gap.read)
        return [small] * (LONGEST_GAP + 1) + [large] * (LONGEST_GAP if small < large else 0)

    def _request(self, gap: Gap, cursor: Cursor, size: int) -> Answer:
        """Request a page, pay for it and log it. Raises X's problem if it has errors instead of posts."""
        about, asked, account = f"@{self._spec.handle}", cursor.id_range, self._session.account_id
        page = self._client.get_timeline_page(account, asked, size=size, token=cursor.token, about=about)
        self.requests += 1
        records, errors = get_records(page), page.get("errors")
        if errors and not records:
            raise self._client.build_failure(page, about=about)
        self._session.spend_limit.pay(len(records))
        posts, ids = parse_posts(page, self._index), tuple(list_ids(page))
        partial = len(errors) if isinstance(errors, list) else 0
        # with keys, since X is changing its vocabulary
        fields = {"posts": len(records), "errors": partial, "unreadable": len(records) - len(posts)}
        self._log.info("x.page", handle=self._spec.handle, **fields, keys=list_keys(page))
        if records and not posts:
            self._session.state.keep_bill(len(records))
            message = f"X's answer for {about} holds {len(records)} posts, all without id or text"
            raise TemporaryError(reasons.X_BAD_PAYLOAD, message)
        return Answer(page, ids, tuple(filter(gap.id_range.has, ids)), get_next_token(page))

    def _keep(self, gap: Gap, cursor: Cursor, answer: Answer, *, passed: bool) -> None:
        """Store a page with posts of the gap."""
        last = answer.token is None
        early = last and gap.has_more(len(get_records(answer.page))) is True
        span = find_settled_span(answer.ids, gap.id_range, last=last and not early, passed=passed)
        token = answer.token if self._follows_tokens and answer.token not in cursor.followed else None
        followed = cursor.followed | ({token} if token else set())
        self._cursor = Cursor(span.last, cursor.id_range, token, followed)
        self._passes_retweets, self.passed = gap.id_range.retweets, passed
        self.knows_ids |= cursor.token is None and gap.id_range.until is not None
        self._store(span, gap, answer.page, ends_early=early)

    def _store_end(self, gap: Gap, end: Answer) -> bool:
        """Store that X has nothing in a gap; False if the gap has no upper bound."""
        if gap.id_range.until is None:
            return False
        self._store(find_settled_span((), gap.id_range, last=True), gap, {"meta": end.page.get("meta")})
        return True

    def _store(self, span: Span, gap: Gap, answer: Json, *, ends_early: bool = False) -> None:
        page = CachedPage(span, self._session.id, gap.id_range.retweets, answer, ends_early)
        self._kept.keep(page, read_at=format_time(datetime.fromtimestamp(self._session.now(), UTC)))

    def _may_hide_posts(self, gap: Gap, end: Answer) -> bool:
        """Tell whether retweets may hide posts: of a page with nothing else X sends no post and no token."""
        excluded = not gap.id_range.retweets and not gap.id_range.since
        return excluded and not end.ids and self._session.posts != 0

    def _skip_retweets(self, gap: Gap) -> bool:
        """Store the next page with its retweets, since only their ids lead past them; False as in `fetch`.

        The first such page is the smallest, as there may be nothing.
        """
        asked = replace(gap, id_range=replace(gap.id_range, retweets=True), careful=not self._passes_retweets)
        end = self._ask(asked)
        return True if end is None else self._store_end(gap, end)


def find_settled_span(ids: Iterable[int], id_range: IdRange, *, last: bool, passed: bool = False) -> Span:
    """Return the range of ids in which X has no posts but the page's; the page holds posts of the range or is the last.

    A page covers everything above its lowest id, but for what empty pages before it (`passed`) may have hidden. If it
    is the last one, or leads beyond the range, X has nothing more in the range.
    """
    found = list(ids)
    inside = list(filter(id_range.has, found))
    first = max(inside) if passed or id_range.until is None else id_range.until - 1
    ends = last or min(found) <= id_range.since
    return Span(first, id_range.since + 1 if ends else min(inside))
