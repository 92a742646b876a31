"""Whatever happens to TweetBots and operators in whatever order, each use counts once, and none less than it was."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from builders.operator import NOON, a_class
from tweetbot_fakes.kubernetes.config_maps import FakeConfigMaps
from tweetbot_operator.client.parse import parse_cached_bot
from tweetbot_operator.client.usage_ledger import UsageLedger
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.reconciler.usage import UsageTracker
from tweetbot_operator.types.times import format_time

CLASSES = (a_class("gold", budgets=[{"gpuSeconds": 1000, "runs": 10}]),)
NAMES = ("gull", "tern")
HOUR = 3600


@dataclass
class Bot:
    """A TweetBot, and its runs by number: seconds used, and when the run ended."""

    name: str
    uid: str
    runs: dict[int, list[Any]] = field(default_factory=dict)
    kept: int = 9


class World:
    """Two operators, of which one leads, over TweetBots that come, use and go."""

    def __init__(self) -> None:
        self.time, self.version, self.uids = NOON, 0, 0
        self.config_maps = FakeConfigMaps()
        self.bots: dict[str, Bot] = {}
        self.used: dict[tuple[str, int], int] = {}
        """What each run has used in truth."""
        self.safe: dict[tuple[str, int], int] = {}
        """What of it the ledger or a status has."""
        self.replicas = [self.start(), self.start()]

    def start(self) -> tuple[Cache, UsageTracker]:
        """Start a replica that knows nothing but what the API server has."""
        cache = Cache()
        ledger = UsageLedger(self.config_maps, "tweetbot-system", "tweetbot-operator")
        replica = (cache, UsageTracker(cache, lambda: CLASSES, lambda: self.time, lambda key: None, ledger))
        for bot in self.bots.values():
            self.show(bot, replica)
        return replica

    def show(self, bot: Bot, *replicas: tuple[Cache, UsageTracker]) -> None:
        """Let replicas see a TweetBot as it is now."""
        self.version += 1
        runs = [self.tell(number, *figures) for number, figures in sorted(bot.runs.items(), reverse=True)]
        status = {"uid": bot.uid, "currentRun": runs[0] if runs else {}, "runs": runs[1:][: bot.kept]}
        metadata = {"name": bot.name, "namespace": "team-a", "uid": bot.uid, "resourceVersion": str(self.version)}
        for cache, _ in replicas or self.replicas:
            cache.bots.put(parse_cached_bot({"metadata": metadata, "spec": {}, "status": status}), shown=True)

    def tell(self, number: int, seconds: int, began: str, ended: str) -> dict[str, Any]:
        """Return what a status says of a run."""
        usage = {"className": "gold", "beganAt": began, "starts": 1, "gpuSeconds": seconds}
        finished = {"finishedAt": ended, "outcome": "Succeeded"} if ended else {}
        return {"id": f"run-{number}", "number": number, "usage": usage, **finished}

    async def do(self, deed: str, name: str) -> None:
        """Do one thing, and let both replicas see it."""
        self.time += timedelta(seconds=7)
        bot = self.bots.get(name)
        if deed == "begin":
            bot = bot or self.create(name)
            self.end(bot)
            bot.runs[len(bot.runs) + 1] = [0, format_time(self.time), ""]
            self.used[bot.uid, len(bot.runs)] = 0
        elif deed == "tick":
            await self.leader.tick(leads=True)
            self.safe |= self.used
            return
        elif deed == "die":
            self.replicas[0] = self.start()
        elif deed == "swap":
            self.replicas.reverse()
            self.leader.forget_ledger()
            await self.leader.load()
            return
        elif bot and bot.runs:
            await self.do_to(bot, deed)
        if bot and bot.name in self.bots:
            self.show(bot)

    async def do_to(self, bot: Bot, deed: str) -> None:
        """Do something to a TweetBot with a run."""
        last = bot.runs[len(bot.runs)]
        if deed == "use" and not last[2]:
            last[0] += 50
            self.used[bot.uid, len(bot.runs)] += 50
        elif deed == "end":
            self.end(bot)
        elif deed == "trim":
            bot.kept = 0
        elif deed == "delete":
            del self.bots[bot.name]
            for cache, _ in self.replicas:
                cache.bots.delete(bot.uid)

    def create(self, name: str) -> Bot:
        self.uids += 1
        self.bots[name] = Bot(name, f"uid-{self.uids}")
        return self.bots[name]

    def end(self, bot: Bot) -> None:
        if bot.runs and not bot.runs[len(bot.runs)][2]:
            bot.runs[len(bot.runs)][2] = format_time(self.time)

    @property
    def leader(self) -> UsageTracker:
        return self.replicas[0][1]

    def count(self) -> tuple[int, int]:
        """Return the GPU seconds and runs that count."""
        now = int(self.time.timestamp())
        account = self.leader.get_accounts("team-a")["gold"].own
        return account.count("gpuSeconds", HOUR, now, now), account.count("runs", HOUR, now, now)

    def list_visible(self) -> dict[tuple[str, int], int]:
        """Return what statuses show."""
        return {
            (bot.uid, number): figures[0]
            for bot in self.bots.values()
            for number, figures in bot.runs.items()
            if number >= len(bot.runs) - bot.kept
        }


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "use", "end", "trim", "delete", "tick", "swap", "again"]), st.sampled_from(NAMES)
    ),
    max_size=30,
)


async def live(deeds: list[tuple[str, str]]) -> World:
    world = World()
    await world.leader.load()
    await world.replicas[1][1].load()
    for deed, name in deeds:
        await world.do(deed, name)
    return world


@settings(max_examples=150, deadline=None)
@given(DEEDS)
def test_each_use_counts_once_through_takeovers_and_deletions(deeds: list[tuple[str, str]]) -> None:
    world = asyncio.run(live(deeds))
    assert world.count() == (sum(world.used.values()), len(world.used))


@settings(max_examples=150, deadline=None)
@given(DEEDS, DEEDS)
def test_a_restart_loses_nothing_that_was_written_or_is_shown(
    before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    async def play() -> tuple[World, dict[tuple[str, int], int], int]:
        world = await live(before)
        known = world.safe | world.list_visible()
        await world.do("die", "")
        await world.leader.load()
        world.replicas[1] = world.start()
        await world.replicas[1][1].load()
        assert world.count() == (sum(known.values()), len(known))
        lost = {key: used - known.get(key, 0) for key, used in world.used.items()}
        for deed, name in after:
            await world.do(deed, name)
        return world, lost, len(lost.keys() - known.keys())

    world, lost, forgotten = asyncio.run(play())
    seconds, runs = world.count()
    assert sum(world.used.values()) - sum(lost.values()) <= seconds <= sum(world.used.values())
    assert len(world.used) - forgotten <= runs <= len(world.used)
