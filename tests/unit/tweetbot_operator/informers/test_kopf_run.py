"""kopf ends although it waits for tasks that ignored their cancellation."""

import asyncio
from typing import Any

import kopf
import pytest

from tweetbot_operator.informers.kopf_setup import run_kopf

LONG = 120.0  # seconds; none of these tests takes one


async def fails() -> None:
    raise RuntimeError("410 Gone")


async def watches() -> None:
    await asyncio.sleep(LONG)


async def takes_a_cancellation_for_something_else() -> None:
    try:
        await watches()
    except asyncio.CancelledError:
        await watches()


@pytest.fixture
def kopfs_tasks(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let kopf begin with the tasks of these functions in the place of its own; how it ends is its own."""
    functions: list[Any] = []

    async def spawn_tasks(**given: Any) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(function()) for function in functions]

    monkeypatch.setattr(kopf, "spawn_tasks", spawn_tasks)
    return functions


async def test_what_ended_it_is_raised(kopfs_tasks: list[Any]) -> None:
    kopfs_tasks += [watches, fails]
    with pytest.raises(RuntimeError, match="410 Gone"):
        await run_kopf()


async def test_a_task_that_swallows_its_cancellation_holds_nothing_up(
    kopfs_tasks: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    kopfs_tasks += [takes_a_cancellation_for_something_else, fails]
    async with asyncio.timeout(LONG / 2):
        with pytest.raises(RuntimeError, match="410 Gone"):
            await run_kopf(patience=0.01)
    assert "kopf does not end: its tasks are cancelled again" in caplog.messages


async def test_tasks_of_others_live_on(kopfs_tasks: list[Any]) -> None:
    kopfs_tasks += [takes_a_cancellation_for_something_else, fails]
    worker = asyncio.create_task(watches())
    with pytest.raises(RuntimeError):
        await run_kopf(patience=0.01)
    assert not worker.done()
    worker.cancel()
