"""Brings the book of uses and the ledger together: what is read is merged into the book, what is new is written.

Only the leader writes. A write that another replica's has overtaken fails; what that one wrote is then read and merged.
"""

import logging
from typing import Any

from tweetbot_operator.client.errors import AlreadyExists, ApiError, Conflict, NotFound, Rejected
from tweetbot_operator.client.usage_ledger import SHARDS, Parts, UsageLedger, find_shard
from tweetbot_operator.reconciler.usage_book import UsageBook
from tweetbot_operator.telemetry.logs import with_fields
from tweetbot_operator.types.usage import RunUse

LOG = logging.getLogger(__name__)


class UsageKeeper:
    """Reads each part of the ledger once, and writes those in which something has changed."""

    def __init__(self, book: UsageBook, ledger: UsageLedger | None) -> None:
        """Without a ledger there is nothing to do."""
        self._book, self._ledger = book, ledger
        self._unread, self._dirty = set(range(SHARDS)), set[int]()
        self._last_fault = ""

    def forget(self) -> None:
        """Read everything again."""
        self._unread = set(range(SHARDS))

    def note(self, namespace: str) -> None:
        """Note that a namespace has used something."""
        self._dirty.add(find_shard(namespace))

    async def load(self, now: int) -> None:
        """Read what is not read yet. Where the role forbids it, statuses are all there is. Raises Unavailable."""
        if self._ledger is None:
            self._unread.clear()
            return
        try:
            for shard in sorted(self._unread):
                self._merge(await self._ledger.read(shard), now)
                self._unread.discard(shard)
        except Rejected as fault:
            self._tell_once(fault)
            self._unread.clear()

    async def flush(self, now: int) -> None:
        """Write what is new. What cannot be written now is written later."""
        if self._ledger is None:
            return
        try:
            await self.load(now)
            for shard in sorted(self._dirty):
                await self._write(self._ledger, shard, now)
        except ApiError as fault:
            self._tell_once(fault)
        else:
            self._last_fault = ""

    async def _write(self, ledger: UsageLedger, shard: int, now: int) -> None:
        if not ledger.knows(shard):
            self._merge(await ledger.read(shard), now)
        self._dirty.discard(shard)
        try:
            await ledger.write(shard, self._collect(shard, now))
        except (AlreadyExists, Conflict, NotFound):
            self._unread.add(shard)
            self._dirty.add(shard)
        except ApiError:
            self._dirty.add(shard)
            raise

    def _tell_once(self, fault: ApiError) -> None:
        if str(fault) != self._last_fault:
            message = "what runs used cannot be kept beyond statuses: deleting a TweetBot may give its budget back"
            LOG.warning(message, extra=with_fields(fault=str(fault)))
        self._last_fault = str(fault)

    def _merge(self, parts: Parts, now: int) -> None:
        for namespace, classes in parts.items():
            for name, bots in classes.items():
                for uid, (bot, runs) in bots.items():
                    for number, *figures in runs:
                        self._book.put_ended((namespace, name), (uid, number), _load_use(bot, figures))
        self._book.prune(now)

    def _collect(self, shard: int, now: int) -> Parts:
        """Return the parts of a shard: class → uid of a TweetBot → its name and its runs, by namespace."""
        parts: Parts = {}
        for place in self._book.list_places():
            if find_shard(place[0]) != shard:
                continue
            bots: dict[str, tuple[str, list[Any]]] = parts.setdefault(place[0], {}).setdefault(place[1], {})
            for (uid, number), use in self._book.list_uses(place):
                bots.setdefault(uid, (use.bot, []))[1].append([number, *_dump_use(use, now)])
        return parts


def _dump_use(use: RunUse, now: int) -> list[Any]:
    """Return a run's figures; an active one is written as if it ended now, which a status corrects."""
    took = max((now if use.ended_at is None else use.ended_at) - use.began_at, 0)
    return [use.began_at, took, use.starts, use.gpu_seconds, use.x_price, *([use.run_id] if use.x_price else [])]


def _load_use(bot: str, figures: list[Any]) -> RunUse:
    began_at, took, starts, gpu_seconds, x_price, *run_id = figures
    return RunUse(
        bot=bot,
        run_id="".join(run_id),
        began_at=began_at,
        ended_at=began_at + took,
        starts=starts,
        gpu_seconds=gpu_seconds,
        x_price=x_price,
    )
