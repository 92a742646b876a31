"""The watches go on: whatever ends kopf is told, waited out, and begun anew with the caches kept."""

import asyncio
import getpass
import signal
from collections.abc import Awaitable, Callable, Iterator
from itertools import count, repeat
from typing import Any

import kopf
import pytest

from builders.manifests import a_manifest
from harness.stage_operator import Stage
from tweetbot_operator.client.errors import NotFound, Unavailable
from tweetbot_operator.informers.resync import Resync
from tweetbot_operator.informers.watches import CannotStart, Watches, stop_on_signals


class Sea(Stage):
    """A stage whose kopf is the test's: one function a try."""

    def __init__(self) -> None:
        super().__init__()
        self.stop = asyncio.Event()
        self.resync = Resync(self.cluster, self.intake)
        self.tries: list[dict[str, Any]] = []
        self.paused: list[int] = []
        self.seconds: Iterator[float] = repeat(0.0)

    async def watch(self, *acts: Callable[[], Awaitable[None]]) -> None:
        async def operate(**given: Any) -> None:
            self.tries.append(given)
            await acts[len(self.tries) - 1]()

        def pauses() -> Iterator[float]:
            for number in count():
                self.paused.append(number)
                yield 0.0

        clock = lambda: next(self.seconds)  # noqa: E731 - a name for an argument
        await Watches(self.intake, self.resync, self.settings, run_kopf=operate, pauses=pauses, clock=clock).run(
            self.stop
        )

    async def fail(self) -> None:
        raise RuntimeError("410 Gone")

    async def end(self) -> None:
        self.stop.set()


@pytest.fixture
async def sea() -> Sea:
    return Sea()


async def test_watches_that_fail_begin_anew_after_growing_pauses(sea: Sea, caplog: pytest.LogCaptureFixture) -> None:
    await sea.watch(sea.fail, sea.fail, sea.end)
    assert (len(sea.tries), sea.paused) == (3, [0, 1])
    assert caplog.messages.count("the watches ended, and are opened again") == 2


async def test_kopf_begins_as_a_user_without_a_name(sea: Sea, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1000770000")

    monkeypatch.setattr(getpass, "getuser", nameless)
    await sea.watch(sea.end)
    tasks = await kopf.spawn_tasks(**sea.tries[0])
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_after_watches_that_ran_for_long_the_pauses_begin_anew(sea: Sea) -> None:
    sea.seconds = iter([0, 1, 1, 200, 200])
    await sea.watch(sea.fail, sea.fail, sea.end)
    assert sea.paused == [0, 0]


async def test_what_came_in_between_is_read_and_what_went_is_looked_for(sea: Sea) -> None:
    async def come_unseen_and_fail() -> None:
        sea.cluster.intake = None
        sea.cluster.put("tweetbots", a_manifest())
        raise RuntimeError("an answer that is no JSON")

    await sea.watch(come_unseen_and_fail, sea.end)
    assert len(sea.queue) == 1
    assert sea.resync._choose_kinds() == ("tweetbots", "jobs", "pods")


async def test_an_api_server_that_is_away_is_waited_for_before_the_watches_begin_anew(sea: Sea) -> None:
    sea.cluster.faults["everything"] = [Unavailable("503"), Unavailable("503")]
    await sea.watch(sea.fail, sea.end)
    assert (len(sea.tries), sea.cluster.faults["everything"]) == (2, [])


async def test_a_cluster_that_knows_tweetbots_no_more_ends_the_process(sea: Sea) -> None:
    """kopf would idle for ever without a word where the resource is gone when it begins."""
    sea.cluster.faults["everything"] = [NotFound("the server could not find the requested resource")]
    with pytest.raises(CannotStart, match="kubectl apply -f crds/"):
        await sea.watch(sea.fail, sea.end)


async def test_a_signal_while_the_watches_fail_ends_it(sea: Sea) -> None:
    async def be_ended() -> None:
        stop_on_signals(sea.stop)
        signal.raise_signal(signal.SIGTERM)
        await sea.stop.wait()
        raise RuntimeError("500 in the stream")

    await sea.watch(be_ended)
    assert len(sea.tries) == 1
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)
