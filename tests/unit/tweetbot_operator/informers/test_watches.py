"""Whatever ends kopf is logged and waited out, and the watches are opened again with the caches kept."""

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


class WatchStage(Stage):
    """A stage whose kopf is the test's: one function a try."""

    def __init__(self) -> None:
        super().__init__()
        self.stop = asyncio.Event()
        self.resync = Resync(self.cluster, self.event_handler)
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
        await Watches(self.event_handler, self.resync, self.settings, run_kopf=operate, pauses=pauses, clock=clock).run(
            self.stop
        )

    async def end_when_told(self, *, stop_flag: asyncio.Event, **given: Any) -> None:
        self.tries.append(given)
        await stop_flag.wait()

    async def fail(self) -> None:
        raise RuntimeError("410 Gone")

    async def end(self) -> None:
        self.stop.set()


@pytest.fixture
async def stage() -> WatchStage:
    return WatchStage()


async def test_watches_that_fail_are_opened_again_after_growing_pauses(
    stage: WatchStage, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.watch(stage.fail, stage.fail, stage.end)
    assert (len(stage.tries), stage.paused) == (3, [0, 1])
    assert caplog.messages.count("the watches ended, and are opened again") == 2


async def test_kopf_starts_as_a_user_without_a_name(stage: WatchStage, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1000770000")

    monkeypatch.setattr(getpass, "getuser", nameless)
    await stage.watch(stage.end)
    tasks = await kopf.spawn_tasks(**stage.tries[0])
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_after_watches_that_ran_for_long_the_backoff_starts_over(stage: WatchStage) -> None:
    stage.seconds = iter([0, 1, 1, 200, 200])
    await stage.watch(stage.fail, stage.fail, stage.end)
    assert stage.paused == [0, 0]


async def test_what_came_in_between_is_read_and_what_went_is_looked_for(stage: WatchStage) -> None:
    async def come_unseen_and_fail() -> None:
        stage.cluster.event_handler = None
        stage.cluster.put("tweetbots", a_manifest())
        raise RuntimeError("an answer that is no JSON")

    await stage.watch(come_unseen_and_fail, stage.end)
    assert len(stage.queue) == 1
    assert stage.resync._choose_kinds() == ("tweetbots", "jobs", "pods")


async def test_the_watches_are_opened_again_once_the_api_server_answers(stage: WatchStage) -> None:
    stage.cluster.faults["everything"] = [Unavailable("503"), Unavailable("503")]
    await stage.watch(stage.fail, stage.end)
    assert (len(stage.tries), stage.cluster.faults["everything"]) == (2, [])


async def test_a_cluster_that_no_longer_knows_tweetbots_ends_the_process(stage: WatchStage) -> None:
    """kopf would idle for ever without a word where the resource is gone when it begins."""
    stage.cluster.faults["everything"] = [NotFound("the server could not find the requested resource")]
    with pytest.raises(CannotStart, match="kubectl apply -f crds/"):
        await stage.watch(stage.fail, stage.end)


async def test_watches_are_opened_again_at_once_when_told_to(
    stage: WatchStage, caplog: pytest.LogCaptureFixture
) -> None:
    watches = Watches(stage.event_handler, stage.resync, stage.settings, run_kopf=stage.end_when_told)
    watching = asyncio.create_task(watches.run(stage.stop))
    for tries in (1, 2, 3):
        while len(stage.tries) < tries:
            await asyncio.sleep(0)
        watches.restart()
    while len(stage.tries) < 4:
        await asyncio.sleep(0)
    stage.stop.set()
    await watching
    assert len(stage.tries) == 4
    assert "the watches ended, and are opened again" not in caplog.messages
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)


async def test_a_signal_while_the_watches_fail_ends_it(stage: WatchStage) -> None:
    async def be_ended() -> None:
        stop_on_signals(stage.stop)
        signal.raise_signal(signal.SIGTERM)
        await stage.stop.wait()
        raise RuntimeError("500 in the stream")

    await stage.watch(be_ended)
    assert len(stage.tries) == 1
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)
