"""The X API as a source: the account's newest posts, page by page, each page paid for once.

    user ─▶ page ─▶ page … until X has no more, maxPosts are read, or maxSpendUSD would be passed

X bills every post read, so each page is kept as it came, and a retried run begins with what is kept.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tweetbot_contract import reasons
from tweetbot_contract.handover import X_FILE, x_folder
from tweetbot_contract.sources import XSource
from tweetbot_trainer.errors import NotAuthorized, SpecRefused
from tweetbot_trainer.log import Log
from tweetbot_trainer.posts import Post
from tweetbot_trainer.sources.patience import Patience
from tweetbot_trainer.sources.reading import PageCache, Profile
from tweetbot_trainer.sources.x_client import XClient
from tweetbot_trainer.sources.x_records import keys_of, next_token, posts_of

#: X's price of one post read since 2026-02-06, in tenths of a US cent ($0.005).
POST_PRICE = 5
DOLLAR = 1000
#: The endpoint's own bounds for max_results.
SMALLEST_PAGE, LARGEST_PAGE = 5, 100
#: "They sometimes eventually come": the original stopped after more than five empty pages in a row.
EMPTY_PAGES = 5

Json = dict[str, Any]


class XApiSource:
    """The newest posts of an account, read with the author's own token."""

    def __init__(
        self, spec: XSource, index: int, *, token: str, pages: PageCache, patience: Patience, log: Log
    ) -> None:
        self._spec, self._index, self._pages, self._log = spec, index, pages, log
        self._about = f"@{spec.handle}"
        self._client = XClient(token, base=spec.api_base_url, patience=patience)

    def posts(self) -> Iterator[Post]:
        """Yield at most maxPosts posts, newest first, each id once. Raises StageFailed of the fitting reason."""
        seen: set[str] = set()
        for posts in self._timeline(self._user_id()):
            for post in posts:
                if post.id not in seen and len(seen) < self._spec.max_posts:
                    seen.add(post.id)
                    yield post

    def profile(self) -> Profile | None:
        """Return how the account shows itself: this source does not say."""
        return None

    def _user_id(self) -> str:
        if kept := self._kept("user.json"):
            return str(kept["data"]["id"])
        answer = self._client.user(self._spec.handle)
        user = answer.get("data")
        if not isinstance(user, dict) or not isinstance(user.get("id"), str):
            raise self._client.problem_in(answer, about=self._about)
        self._keep("user.json", answer)
        return str(user["id"])

    def _timeline(self, user_id: str) -> Iterator[list[Post]]:
        """Yield the posts of each page, from the cache as far as it goes."""
        read, number, empty, token = 0, 0, 0, None
        while read < self._spec.max_posts and empty <= EMPTY_PAGES:
            page = self._kept(f"page-{number:04}.json")
            if page is None:
                size = self._affordable(read)
                if size is None:
                    return
                page = self._asked(user_id, size, token, number)
            posts = posts_of(page, self._index)
            yield posts
            read, number, empty = read + len(posts), number + 1, 0 if posts else empty + 1
            before, token = token, next_token(page)
            if token in (None, before):
                return

    def _asked(self, user_id: str, size: int, token: str | None, number: int) -> Json:
        """Return a page from X and keep it, if it is one."""
        page = self._client.timeline(user_id, size=size, token=token, about=self._about)
        posts, errors = posts_of(page, self._index), page.get("errors")
        if errors and not posts:
            raise self._client.problem_in(page, about=self._about)
        partial = len(errors) if isinstance(errors, list) else 0
        # the keys too: X's two vocabularies change over while this is written
        self._log.info("x.page", handle=self._spec.handle, posts=len(posts), errors=partial, keys=keys_of(page))
        self._keep(f"page-{number:04}.json", page)
        return page

    def _affordable(self, read: int) -> int | None:
        """Return how many posts the next page may hold, None when the ceiling leaves none.

        Raises SpecRefused (SpendLimitReached) when it leaves none from the start.
        """
        left = self._spec.max_spend_usd * DOLLAR // POST_PRICE - read
        if left >= SMALLEST_PAGE:
            return min(LARGEST_PAGE, left, max(self._spec.max_posts - read, SMALLEST_PAGE))
        if read:
            self._log.warning("x.spend_limit", handle=self._spec.handle, read=read)
            return None
        message = f"sources[{self._index}].x: maxSpendUSD {self._spec.max_spend_usd} pays for no page; raise it"
        raise SpecRefused(reasons.SPEND_LIMIT_REACHED, message)

    def _kept(self, name: str) -> Json | None:
        kept = self._pages.load(name)
        return json.loads(kept) if kept is not None else None

    def _keep(self, name: str, answer: Json) -> None:
        self._pages.save(name, json.dumps(answer, sort_keys=True).encode())


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
