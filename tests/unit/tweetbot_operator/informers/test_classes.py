"""The watch of TweetBotClasses, and who hears of it."""

import asyncio

import pytest

from builders.operator import NOON
from tweetbot_fakes.kubernetes.cluster import FakeCluster
from tweetbot_operator.client.errors import NotFound, Rejected, Unavailable
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.informers.classes import ClassInformer
from tweetbot_operator.types.objects import CachedTweetBot, Key

pytestmark = pytest.mark.asyncio


class Setup:
    """A cluster with two TweetBots, one of which waits for a class, and an informer that runs."""

    def __init__(self) -> None:
        self.cluster, self.cache = FakeCluster(lambda: NOON), Cache()
        self.enqueued: list[Key] = []
        self.pauses: list[float] = []
        for name, awaits in (("waits", True), ("works", False)):
            self.cache.bots.put(CachedTweetBot("team-a", name, f"uid-{name}", "1", b"{}", awaits_class=awaits))
        self.informer = ClassInformer(self.cluster, self.cache, self.enqueued.append, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    def put_class(self, name: str) -> None:
        self.cluster.put_class({"metadata": {"name": name}, "spec": {}})

    def names(self) -> list[str]:
        return [each.name for each in self.informer.list_classes()]


@pytest.fixture
async def setup() -> Setup:
    return Setup()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def run_informer(setup: Setup) -> asyncio.Task[None]:
    task = asyncio.create_task(setup.informer.run())
    await asyncio.wait_for(setup.informer.synced.wait(), 5)
    return task


async def test_a_new_class_enqueues_what_waited_for_one(setup: Setup) -> None:
    task = await run_informer(setup)
    assert (setup.names(), setup.enqueued) == ([], [])
    setup.put_class("gold")
    await settle()
    task.cancel()
    assert (setup.names(), setup.enqueued) == (["gold"], [("team-a", "waits")])


@pytest.mark.parametrize("fault", [NotFound("no such kind"), Rejected('cannot list resource "tweetbotclasses"')])
async def test_where_classes_cannot_be_read_there_are_none_and_the_operator_goes_on(
    setup: Setup, fault: NotFound | Rejected, caplog: pytest.LogCaptureFixture
) -> None:
    setup.cluster.class_faults.extend([fault, fault])
    setup.put_class("gold")
    task = await run_informer(setup)
    await settle()
    task.cancel()
    assert (setup.names(), setup.pauses) == (["gold"], [60, 60])
    assert [record.message for record in caplog.records].count(
        "TweetBotClasses cannot be read; those known before still count"
    ) == 1


async def test_an_outage_forgets_no_class(setup: Setup) -> None:
    setup.put_class("gold")
    task = await run_informer(setup)
    setup.cluster.class_faults.append(Unavailable("no answer"))
    setup.put_class("silver")
    await settle()
    task.cancel()
    assert (setup.names(), setup.pauses) == (["gold", "silver"], [2])
