"""The X API as a source.

    handle ─▶ account ─▶ timeline ─▶ posts

X bills every post that is read, so each page is kept for all later attempts and runs of the bot
(docs/decisions, the cache of the X API).
"""

from collections.abc import Iterator
from pathlib import Path

from tweetbot_contract import reasons
from tweetbot_contract.handover import X_FILE, get_x_folder
from tweetbot_contract.spec.sources import XSource
from tweetbot_trainer.data.posts import Json, Post
from tweetbot_trainer.data.sources.http import download_picture
from tweetbot_trainer.data.sources.interface import PageCache, Profile, SourceReport
from tweetbot_trainer.data.sources.x_api.client import XClient
from tweetbot_trainer.data.sources.x_api.page_cache import CachedTimeline, RunState
from tweetbot_trainer.data.sources.x_api.paging import Pager, ReadSession
from tweetbot_trainer.data.sources.x_api.records import XAccount, get_records, parse_account
from tweetbot_trainer.data.sources.x_api.spend_limit import SpendLimit
from tweetbot_trainer.data.sources.x_api.timeline import Timeline
from tweetbot_trainer.data.sources.x_api.transport import get_server_name
from tweetbot_trainer.runtime.errors import NotAuthorized
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.retry_budget import RetryBudget

#: X's host of profile pictures.
PICTURES = "https://pbs.twimg.com"


class XApiSource:
    """The newest posts of an account, read with the author's own token."""

    def __init__(
        self,
        spec: XSource,
        index: int,
        *,
        token: str,
        pages: PageCache,
        retry_budget: RetryBudget,
        log: Log,
        max_missing_percent: int | None = None,
    ) -> None:
        self._max_missing_percent = max_missing_percent
        self._spec, self._index, self._pages, self._log, self._retry_budget = spec, index, pages, log, retry_budget
        self._client = XClient(token, base=spec.api_base_url, retry_budget=retry_budget)
        self._server = get_server_name(spec.api_base_url)
        self._state = RunState(pages, self._server)
        self._spend_limit = SpendLimit(spec, index)
        self._timeline: Timeline | None = None

    def read_posts(self) -> Iterator[Post]:
        """Yield at most maxPosts posts, newest first, each id once. Raises StageError."""
        kept_account = self._state.load_account()
        account = self._get_account(kept_account)
        kept = CachedTimeline(self._pages, f"{self._server}/{account.id}")
        if kept_account:
            self._count_paid(kept)
        self._timeline = timeline = self._open_timeline(account, kept)
        yield from timeline.read_posts()
        spent = self._spend_limit.dollars
        self._log.info("x.read", handle=self._spec.handle, spent=spent, **timeline.summarize())

    def count_billed_posts(self) -> int:
        """Return how many posts the run has paid for in all its attempts."""
        return self._spend_limit.posts

    def build_report(self) -> SourceReport:
        """Return how many posts X says the account has, and what was left out."""
        return self._timeline.build_report() if self._timeline else SourceReport()

    def _count_paid(self, kept: CachedTimeline) -> None:
        """Count what earlier attempts of the run have paid for."""
        pages = kept.list_of_run(self._pages.run_id)
        self._spend_limit.pay(self._state.load_bill() + sum(len(get_records(page.answer)) for page in pages))

    def _open_timeline(self, account: XAccount, kept: CachedTimeline) -> Timeline:
        spec, spend_limit = self._spec, self._spend_limit
        if not kept.find_newest() and account.posts is not None and not spec.exclude_retweets:
            spend_limit.require(min(account.posts, spec.max_posts))
        budget = self._retry_budget
        session = ReadSession(
            id=self._pages.run_id,
            account_id=account.id,
            posts=account.posts,
            state=self._state,
            spend_limit=spend_limit,
            now=budget.now,
            sleep=budget.sleep,
        )
        pager = Pager(spec, self._index, kept, client=self._client, session=session, log=self._log)
        percent = self._max_missing_percent
        return Timeline(spec, self._index, kept, pager=pager, session=session, max_missing_percent=percent)

    def read_profile(self) -> Profile | None:
        """Return the names of the account's lookup and its picture, None before the posts are read."""
        answer = self._state.load_account()
        account = parse_account(answer) if answer else None
        if account is None:
            return None
        picture = account.picture.replace("_normal.", "_400x400.") if account.picture else None
        hosts = (PICTURES, self._spec.api_base_url or PICTURES)
        avatar = download_picture(picture, hosts=hosts, event="x.avatar", log=self._log)
        return Profile(account.id, account.handle, account.name, avatar)

    def _get_account(self, kept: Json | None) -> XAccount:
        """Return the account behind the handle; X is asked once per run, so all attempts read the same account."""
        answer = kept or self._client.get_user(self._spec.handle)
        account = parse_account(answer)
        if account is None:
            raise self._client.build_failure(answer, about=f"@{self._spec.handle}")
        self._state.keep_account(answer)
        return account


def read_token(secrets: Path, index: int) -> str:
    """Read the bearer token of the source with this index. Raises NotAuthorized if it cannot be sent."""
    file = secrets / get_x_folder(index) / X_FILE
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        token = ""
    if not token or not token.isprintable() or " " in token:
        message = (
            f"the Secret of spec.sources[{index}].x.tokenSecret holds no bearer token; put one line of ASCII into it"
        )
        raise NotAuthorized(reasons.X_NOT_AUTHORIZED, message)
    return token
