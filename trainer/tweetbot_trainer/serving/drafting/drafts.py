"""Draw posts with a model, as events: each post as soon as it is written."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tweetbot_trainer.learning.sampling import override_sampling
from tweetbot_trainer.serving.drafting.events import Done, Dropped, Posted
from tweetbot_trainer.serving.drafting.queue import Check, Work

if TYPE_CHECKING:
    from tweetbot_trainer.learning.generation.generation import Draft
    from tweetbot_trainer.serving.drafting.served import ServedModel

#: Seconds after which a request gets what is written by then: others wait.
LONGEST = 120.0


class OutOfTime(Exception):
    """The posts take too long."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which posts are wanted. None means the model's own value."""

    prompt: str
    count: int
    seed: int
    temperature: float | None = None
    top_p: float | None = None


def prepare_drafts(model: "ServedModel", wish: Wish) -> Work[Posted | Dropped | Done]:
    """Return the work that draws the posts."""

    def draw(check: Check) -> Iterator[Posted | Dropped | Done]:
        begun, posts, dropped = time.monotonic(), 0, Counter[str]()
        try:
            for draft in _iter_drafts(model, wish, limit_time(check)):
                if draft.dropped:
                    dropped[draft.dropped] += 1
                    yield Dropped(draft.dropped)
                else:
                    model.written.add(draft.text)
                    yield Posted(posts, draft.text)
                    posts += 1
        except OutOfTime:
            pass
        yield Done(posts, dropped["Copy"], dropped["TooLong"], round(time.monotonic() - begun, 3), wish.seed)

    return draw


def limit_time(check: Check) -> Check:
    """Return a check that also raises OutOfTime after LONGEST seconds from now."""
    end = time.monotonic() + LONGEST

    def check_both() -> None:
        check()
        if time.monotonic() > end:
            raise OutOfTime

    return check_both


def _iter_drafts(model: "ServedModel", wish: Wish, check: Check) -> "Iterator[Draft]":
    from tweetbot_trainer.learning.generation.generation import PostGenerator

    sampling = override_sampling(model.sampling, temperature=wish.temperature, top_p=wish.top_p)
    generator = PostGenerator(model.base, sampling, wish.seed, check)
    return generator.iter_drafts(wish.prompt, wish.count, exclude_copies_of=model.check.detector)
