"""An X source over the fake, with time that passes only by waiting."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest

from builders.trainer import Pages
from tweetbot_contract.spec.sources import XSource
from tweetbot_fakes.remotes.x_api import FakeX, Request
from tweetbot_trainer.data.posts import Json, Post
from tweetbot_trainer.data.sources.x_api import source
from tweetbot_trainer.data.sources.x_api.client import POST_FIELDS, USER_FIELDS, IdRange, XClient
from tweetbot_trainer.data.sources.x_api.errors import parse_problem
from tweetbot_trainer.data.sources.x_api.source import XApiSource
from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.retry_budget import RetryBudget

SECRET = "AAAAsecret%3Dtoken"
NOW = 1_700_000_000.0


@dataclass
class Clock:
    """Time that passes only by waiting, and the waits."""

    now: float = NOW
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        self.now += seconds

    def budget(self, seconds: float = 1800, log: Log | None = None) -> RetryBudget:
        """Return a budget of waits by this clock, its pauses as long as they may be."""
        now = lambda: self.now  # noqa: E731
        return RetryBudget(seconds, log, self.sleep, clock=now, now=now, add_jitter=lambda pause: pause)


def an_x_spec(x: FakeX, **changes: Any) -> XSource:
    """Return the spec of @harbour_gull on the fake; keywords are as in a manifest."""
    secret = {"name": "x", "key": "token"}
    values = {"handle": "Harbour_Gull", "tokenSecret": secret, "acceptTerms": True, "apiBaseURL": x.url}
    return XSource.model_validate(values | changes)


def an_x_source(
    x: FakeX,
    clock: Clock,
    *,
    pages: Pages | None = None,
    log: Log | None = None,
    token: str = SECRET,
    max_missing_percent: int | None = None,
    **spec: Any,
) -> XApiSource:
    """Return the source of @harbour_gull; one call is one attempt of the run that `pages` names."""
    pages, log = pages or Pages(), log or Log(StringIO())
    given = an_x_spec(x, **spec)
    budget, percent = clock.budget(log=log), max_missing_percent
    return XApiSource(given, 0, token=token, pages=pages, retry_budget=budget, log=log, max_missing_percent=percent)


def read(x: FakeX, clock: Clock, pages: Pages | None = None, **spec: Any) -> list[Post]:
    """Return all posts of the source."""
    return list(an_x_source(x, clock, pages=pages, **spec).read_posts())


@contextmanager
def no_sockets(x: FakeX) -> Iterator[None]:
    """Let sources ask this fake in the same process, which takes a fraction of the time."""

    class DirectClient(XClient):
        def get_user(self, handle: str) -> Json:
            return self._read(f"/2/users/by/username/{handle}", {"user.fields": ",".join(USER_FIELDS)})

        def get_timeline_page(self, user_id: str, asked: IdRange, *, size: int, token: str | None, about: str) -> Json:
            window = {"since_id": asked.since or None, "until_id": asked.until, "pagination_token": token}
            given = window | {"max_results": size, "exclude": None if asked.retweets else "retweets"}
            query = {key: str(value) for key, value in given.items() if value is not None}
            return self._read(f"/2/users/{user_id}/tweets", query | {"tweet.fields": ",".join(POST_FIELDS)})

        def _read(self, path: str, query: dict[str, str]) -> Json:
            answer = x.answer(Request(path, query, f"Bearer {x.token}"))
            body: Json = json.loads(answer.body)
            if answer.status != 200:
                raise parse_problem(answer.status, body, about=path, secret=SECRET)
            return body

    with patch.object(source, "XClient", DirectClient):
        yield


def failure(x: FakeX, clock: Clock, pages: Pages | None = None, **spec: Any) -> StageError:
    """Return how reading the source fails."""
    with pytest.raises(StageError) as raised:
        read(x, clock, pages, **spec)
    return raised.value
