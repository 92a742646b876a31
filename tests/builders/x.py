"""An X source over the fake, with time that passes only by waiting."""

from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import pytest

from builders.trainer import Pages
from tweetbot_contract.spec.sources import XSource
from tweetbot_fakes.remotes.x_api import FakeX
from tweetbot_trainer.data.posts import Post
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
    x: FakeX, clock: Clock, *, pages: Pages | None = None, log: Log | None = None, token: str = SECRET, **spec: Any
) -> XApiSource:
    """Return the source of @harbour_gull; one call is one attempt of the run that `pages` names."""
    pages, log = pages or Pages(), log or Log(StringIO())
    return XApiSource(an_x_spec(x, **spec), 0, token=token, pages=pages, retry_budget=clock.budget(log=log), log=log)


def read(x: FakeX, clock: Clock, pages: Pages | None = None, **spec: Any) -> list[Post]:
    """Return all posts of the source."""
    return list(an_x_source(x, clock, pages=pages, **spec).read_posts())


def failure(x: FakeX, clock: Clock, pages: Pages | None = None, **spec: Any) -> StageError:
    """Return how reading the source fails."""
    with pytest.raises(StageError) as raised:
        read(x, clock, pages, **spec)
    return raised.value
