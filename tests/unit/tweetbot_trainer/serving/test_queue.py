"""The queue before a model."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from tweetbot_trainer.serving.drafting.events import Queued
from tweetbot_trainer.serving.drafting.queue import Check, QueueFull, Work, WorkQueue


def quick(name: str) -> Work[str]:
    return lambda check: iter([name])


class Held:
    """Work that lasts until it is released, or its client is gone."""

    def __init__(self) -> None:
        self.released, self.ended = threading.Event(), threading.Event()

    def __call__(self, check: Check) -> Iterator[str]:
        try:
            yield "begun"
            while not self.released.wait(0.001):
                check()
            yield "done"
        finally:
            self.ended.set()


async def collect(items: AsyncIterator[Queued | str]) -> list[Queued | str]:
    return [item async for item in items]


async def test_work_is_done_one_after_the_other_with_places_shown() -> None:
    queue, first = WorkQueue(), Held()
    served = queue.run(first)
    assert await anext(served) == "begun"
    others = [queue.run(quick(name)) for name in "ab"]
    assert [await anext(other) for other in others] == [Queued(0), Queued(1)]
    waiting = [asyncio.create_task(collect(other)) for other in others]
    first.released.set()
    assert await collect(served) == ["done"]
    assert [await task for task in waiting] == [["a"], [Queued(0), "b"]]


async def test_too_many_are_told_when_to_come_back() -> None:
    queue, first = WorkQueue(1), Held()
    served, second = queue.run(first), queue.run(quick("b"))
    await anext(served), await anext(second)
    with pytest.raises(QueueFull) as full:
        await anext(queue.run(quick("c")))
    assert full.value.retry_after >= 1
    first.released.set()
    assert (await collect(served), await collect(second)) == (["done"], ["b"])
    assert await collect(queue.run(quick("c"))) == ["c"]


async def test_a_client_that_goes_away_frees_its_place() -> None:
    queue, first = WorkQueue(1), Held()
    async with aclosing(queue.run(first)) as served:
        await anext(served)
        async with aclosing(queue.run(quick("b"))) as second:
            assert await anext(second) == Queued(0)
        third = queue.run(quick("c"))
        assert await anext(third) == Queued(0)
    assert await collect(third) == ["c"]
    assert first.ended.is_set()


async def test_what_the_work_raises_is_raised_where_it_is_waited_for() -> None:
    def fail(check: Check) -> Iterator[str]:
        yield "begun"
        raise ValueError("no")

    queue = WorkQueue()
    with pytest.raises(ValueError, match="no"):
        await collect(queue.run(fail))
    assert await collect(queue.run(quick("next"))) == ["next"]
