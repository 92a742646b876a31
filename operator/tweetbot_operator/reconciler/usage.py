"""Counts what runs use of their classes' budgets, from statuses as they change and from the ledger.

Nothing is counted while no class has a budget.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from tweetbot_contract.class_manifest import TweetBotClass
from tweetbot_contract.platform_class.budgets import Budget
from tweetbot_contract.spec.sources import X_DOLLAR
from tweetbot_contract.status import TweetBotStatus
from tweetbot_operator.client.parse import parse_tweetbot
from tweetbot_operator.client.usage_ledger import UsageLedger
from tweetbot_operator.decisions.platform.budgets import compute_ratios
from tweetbot_operator.decisions.run import compute_uncounted_gpu_time
from tweetbot_operator.informers.cache import Cache
from tweetbot_operator.reconciler.usage_book import Place, RunKey, UsageBook
from tweetbot_operator.reconciler.usage_keeper import UsageKeeper
from tweetbot_operator.telemetry.budget_metrics import BudgetMetrics
from tweetbot_operator.types.objects import CachedTweetBot, Key
from tweetbot_operator.types.times import align_pod, parse_time
from tweetbot_operator.types.usage import Account, ClassAccounts, RunUse

LOG = logging.getLogger(__name__)
#: Seconds between two looks at what runs, each with a write to the ledger. What a TweetBot used in so long is lost if
#: it is deleted and the operator dies.
TICK_SECONDS = 30.0


class UsageTracker:
    """Knows what counts against each budget, and enqueues TweetBots that wait for one when it may have more room."""

    def __init__(
        self,
        cache: Cache,
        list_classes: Callable[[], tuple[TweetBotClass, ...]],
        now: Callable[[], datetime],
        call: Callable[[Key], None],
        ledger: UsageLedger | None = None,
    ) -> None:
        """`call` enqueues a TweetBot; without a `ledger` what deleted TweetBots used is forgotten with the process."""
        self._cache, self._list_classes, self._now, self._call = cache, list_classes, now, call
        self._classes: tuple[TweetBotClass, ...] = ()
        self._budgets: dict[str, tuple[Budget, ...]] = {}
        self._book = UsageBook()
        self._keeper = UsageKeeper(self._book, ledger)
        self._seen: dict[str, bytes] = {}
        self._waiting: dict[str, CachedTweetBot] = {}
        self._metrics = BudgetMetrics()

    # ---- what passes ask for

    async def load(self) -> None:
        """Read the ledger, unless no class has a budget or it is read. Raises Unavailable."""
        self._refresh()
        if self._budgets:
            await self._keeper.load(self._get_time())

    def get_accounts(self, namespace: str) -> dict[str, ClassAccounts]:
        """Return the accounts of each class that has a budget, as they are in this moment."""
        self._refresh()
        return {name: self._build_accounts(name, namespace) for name in self._budgets}

    def _build_accounts(self, name: str, namespace: str) -> ClassAccounts:
        budgets = self._budgets[name]
        shared = any(budget.per == "Class" for budget in budgets)
        every = tuple(self._book.get_account(place) for place in self._list_places(name)) if shared else ()
        return ClassAccounts(budgets, self._book.get_account((namespace, name)), every)

    def _list_places(self, name: str) -> list[Place]:
        return [place for place in self._book.list_places() if place[1] == name]

    def reserve(self, stored: CachedTweetBot, status: TweetBotStatus) -> tuple[Place, RunKey] | None:
        """Count a run that is about to be recorded as begun; answers what to `unreserve` if it is not recorded."""
        run = status.current_run
        usage = run.usage if run else None
        if run is None or usage is None or usage.class_name not in self._budgets:
            return None
        place, key = (stored.namespace, usage.class_name), (stored.uid, run.number)
        if run.outcome or not usage.began_at or self._book.get(place, key):
            return None
        self._book.put(place, key, self._parse_use(stored.name, {"id": run.id, "usage": usage.to_dict()}, None))
        return place, key

    def unreserve(self, reserved: tuple[Place, RunKey]) -> None:
        """Take back a reservation: the status was not written, as far as is known."""
        place, (uid, _) = reserved
        self._book.remove(*reserved)
        self._seen.pop(uid, None)
        if found := self._cache.bots.get(uid):
            self._note(found)
        self._wake(place[0])

    # ---- what changes

    def _refresh(self) -> None:
        """Read the budgets again if a class has changed. Those of a class that has become invalid stay."""
        if (classes := self._list_classes()) is self._classes:
            return
        self._classes, former = classes, self._budgets
        found = {each.name: former.get(each.name, ()) if each.error else each.spec.budgets for each in classes}
        self._budgets = {name: budgets for name, budgets in found.items() if budgets}
        if self._budgets and self._note not in self._cache.bots.listeners:
            self._cache.bots.listeners.append(self._note)
        if self._budgets.keys() - former.keys():
            self._keeper.forget()
            self._seen.clear()
            for bot in self._cache.bots.list_all():
                self._note(bot)

    def _note(self, bot: CachedTweetBot) -> None:
        """Take in a TweetBot that has changed, or is gone."""
        found = self._cache.bots.get(bot.uid)
        if found and found.awaits_class:
            self._waiting[bot.uid] = found
        else:
            self._waiting.pop(bot.uid, None)
        if found is None:
            self._charge_running(bot)
        usage = found.usage if found else b""
        if self._seen.get(bot.uid, b"") == usage and found:
            return
        self._seen[bot.uid] = usage
        if found is None:
            del self._seen[bot.uid]
        active = self._book.list_active(bot.uid)
        self._take_in(bot, json.loads(usage) if usage else [])
        if set(active) - set(self._book.list_active(bot.uid)):
            self._wake(bot.namespace)

    def _take_in(self, bot: CachedTweetBot, runs: list[Any]) -> None:
        """Take in what a status says of runs, and end the active ones of which it says nothing."""
        left = set(self._book.list_active(bot.uid))
        for run in runs:
            place, key = (bot.namespace, run["usage"]["className"]), (bot.uid, run["number"])
            if place[1] in self._budgets:
                self._book.put(place, key, self._parse_use(bot.name, run, self._book.get(place, key)))
                self._keeper.note(bot.namespace)  # also where it is no news, as it was reserved
                left.discard((place, key))
        for place, key in left:
            if known := self._book.get(place, key):
                self._put(place, key, replace(known, ended_at=self._get_time()))

    def _put(self, place: Place, key: RunKey, use: RunUse) -> None:
        if self._book.put(place, key, use):
            self._keeper.note(place[0])

    def _parse_use(self, bot: str, run: dict[str, Any], known: RunUse | None) -> RunUse:
        """Parse what a status says of a run. One that is to begin again has ended before, when nobody may know."""
        usage, now = run["usage"], self._get_time()
        finished, began = run.get("finishedAt"), usage.get("beganAt")
        ended_at = int(parse_time(finished).timestamp()) if finished else None
        if not began and ended_at is None:
            ended_at = known.ended_at if known and known.ended_at else now
        return RunUse(
            bot=bot,
            run_id=run["id"],
            began_at=int(parse_time(began).timestamp()) if began else known.began_at if known else now,
            ended_at=ended_at,
            starts=usage.get("starts", 0),
            gpu_seconds=usage.get("gpuSeconds", 0),
            x_price=round(usage.get("xUSD", 0) * X_DOLLAR),
            expected_gpu_seconds=usage.get("expectedGpuSeconds", 0),
            expected_x_price=round(usage.get("expectedXUSD", 0) * X_DOLLAR),
        )

    def _charge_running(self, bot: CachedTweetBot) -> None:
        """Charge the GPU seconds of Pods that no status has counted yet."""
        active = self._book.list_active(bot.uid)
        now = self._now()
        pods = tuple(align_pod(pod, now) for pod in self._cache.list_pods(bot.namespace, bot.uid) if pod.gpu)
        run = parse_tweetbot(bot.document).status.current_run if active and pods else None
        if run is None or run.usage is None:
            return
        jobs = self._cache.jobs.list_by_index((bot.namespace, bot.uid))
        own = {job.uid for job in jobs if job.owner_uid and job.name == run.job_name}
        mine = tuple(pod for pod in pods if pod.controller_uid in own)
        held = sum(compute_uncounted_gpu_time(run, mine, now).values())
        for place, key in active:
            known = self._book.get(place, key)
            if known and key[1] == run.number:
                self._put(place, key, replace(known, gpu_seconds=run.usage.gpu_seconds + int(held)))

    def _wake(self, namespace: str) -> None:
        """Enqueue who waits for a budget of this namespace, or for one that namespaces share."""
        shared = any(budget.per == "Class" for budgets in self._budgets.values() for budget in budgets)
        for bot in tuple(self._waiting.values()):
            if shared or bot.namespace == namespace:
                self._call(bot.index_key)

    # ---- what goes on

    async def run(self, leading: asyncio.Event, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Look at what runs, and write the ledger, until cancelled."""
        while True:
            await sleep(TICK_SECONDS)
            try:
                await self.tick(leads=leading.is_set())
            except Exception:  # the next one may do better, and runs go on meanwhile
                LOG.exception("bug in the count of budgets")

    async def tick(self, *, leads: bool) -> None:
        """Charge what runs, and while this replica leads, show the budgets and write the ledger."""
        self._refresh()
        now = self._get_time()
        for uid in self._book.list_active_bots() if self._budgets else ():
            if bot := self._cache.bots.get(uid):
                self._charge_running(bot)
        self._book.prune(now)
        self._metrics.show(self._compute_ratios(now) if leads else {})
        if leads and self._budgets:
            await self._keeper.flush(now)

    def forget_ledger(self) -> None:
        """Read the ledger again before the next run begins: another replica may have written it."""
        self._keeper.forget()

    def _compute_ratios(self, now: int) -> dict[tuple[str, str, str, str], float]:
        """Return the share of each budget that is used, of namespaces that have used any."""
        ratios: dict[tuple[str, str, str, str], float] = {}
        for name, budgets in self._budgets.items():
            every = {place[0]: self._book.get_account(place) for place in self._list_places(name)}
            for namespace, own in (*every.items(), ("", Account())):
                per = "Namespace" if namespace else "Class"
                accounts = ClassAccounts(tuple(each for each in budgets if each.per == per), own, tuple(every.values()))
                for budget, kind, ratio in compute_ratios(accounts, now) if every else ():
                    ratios[name, namespace, kind, str(budget.window_hours)] = ratio
        return ratios

    def _get_time(self) -> int:
        return int(self._now().timestamp())
