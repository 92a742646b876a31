"""The X API as a source: whose posts, the walk down the timeline, and how the account shows itself.

    handle ─▶ account ─▶ timeline ─▶ posts

X bills every post read, so each page is kept as it came, for every later attempt and run of the bot
(docs/decisions, the cache of the X API).
"""

from collections.abc import Iterator
from pathlib import Path

from tweetbot_contract import reasons
from tweetbot_contract.handover import X_FILE, x_folder
from tweetbot_contract.spec.sources import XSource
from tweetbot_trainer.data.posts import Post
from tweetbot_trainer.data.sources.interface import PageCache, Profile
from tweetbot_trainer.data.sources.wait_budget import Patience
from tweetbot_trainer.data.sources.x_api.avatar import fetched_avatar
from tweetbot_trainer.data.sources.x_api.client import XClient
from tweetbot_trainer.data.sources.x_api.page_cache import KeptTimeline, RunNotes
from tweetbot_trainer.data.sources.x_api.records import Account, account_of
from tweetbot_trainer.data.sources.x_api.spend_limit import Purse
from tweetbot_trainer.data.sources.x_api.timeline import Run, Timeline
from tweetbot_trainer.data.sources.x_api.transport import server_name
from tweetbot_trainer.runtime.errors import NotAuthorized
from tweetbot_trainer.runtime.log import Log


class XApiSource:
    """The newest posts of an account, read with the author's own token."""

    def __init__(
        self, spec: XSource, index: int, *, token: str, pages: PageCache, patience: Patience, log: Log
    ) -> None:
        self._spec, self._index, self._pages, self._log, self._patience = spec, index, pages, log, patience
        self._client = XClient(token, base=spec.api_base_url, patience=patience, log=log)
        self._server = server_name(spec.api_base_url)
        self._notes = RunNotes(pages, self._server)
        self._purse: Purse | None = None

    def posts(self) -> Iterator[Post]:
        """Yield at most maxPosts posts, newest first, each id once. Raises StageFailed of the fitting reason."""
        account = self._account()
        purse = Purse(self._spec, self._index)
        kept = KeptTimeline(self._pages, f"{self._server}/{account.id}")
        if not kept.newest and account.posts is not None and not self._spec.exclude_retweets:
            purse.require(min(account.posts, self._spec.max_posts))
        run = Run(self._pages.run_id, self._notes, purse, self._patience.now)
        self._purse = purse
        timeline = Timeline(
            self._spec, self._index, account_id=account.id, kept=kept, client=self._client, run=run, log=self._log
        )
        yield from timeline.posts()
        self._log.info("x.read", handle=self._spec.handle, spent=purse.dollars, **timeline.told())

    def billed(self) -> int:
        """Return how many posts the run has paid for, in all of its attempts."""
        return self._purse.posts if self._purse else 0

    def profile(self) -> Profile | None:
        """Return how the account shows itself, as its lookup said, with its picture; None before the posts are read."""
        answer = self._notes.account()
        account = account_of(answer) if answer else None
        if account is None:
            return None
        avatar = fetched_avatar(account.picture, base=self._spec.api_base_url, log=self._log)
        return Profile(account.id, account.handle, account.name, avatar)

    def _account(self) -> Account:
        """Return who is behind the handle; X is asked once in a run, so all its attempts read the same account."""
        answer = self._notes.account() or self._client.user(self._spec.handle)
        account = account_of(answer)
        if account is None:
            raise self._client.problem_in(answer, about=f"@{self._spec.handle}")
        self._notes.keep_account(answer)
        return account


def read_token(secrets: Path, index: int) -> str:
    """Return the bearer token of the source at this place. Raises NotAuthorized when there is none that can be sent."""
    file = secrets / x_folder(index) / X_FILE
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        token = ""
    if not token or not token.isprintable() or " " in token:
        message = f"the Secret of sources[{index}].x.tokenSecret holds no bearer token; put one line of ASCII into it"
        raise NotAuthorized(reasons.X_NOT_AUTHORIZED, message)
    return token
