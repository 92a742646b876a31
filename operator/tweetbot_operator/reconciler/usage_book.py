"""What runs have used of budgets, run by run: each counts once, with the greatest figures that were ever seen of it.

So it does not matter in which order, how often and by which replica statuses and the ledger are read. A run that no
status shows any more, as its TweetBot is gone or keeps no longer history, stays until the longest window is over.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tweetbot_operator.types.usage import Account, RunUse

#: Namespace and class.
Place = tuple[str, str]
#: uid of the TweetBot, and number of the run.
RunKey = tuple[str, int]
#: A place, the name of a TweetBot, and the id of a run: whose posts are paid for once.
Bill = tuple[Place, str, str]
#: Seconds of the longest window that a budget may have.
LONGEST_WINDOW = 744 * 3600


class UsageBook:
    """Uses by place and run, and an account of each place."""

    def __init__(self) -> None:
        self._uses: dict[Place, dict[RunKey, RunUse]] = {}
        self._accounts: dict[Place, Account] = {}
        self._sharers: Counter[Bill] = Counter()
        """How many runs there are by the bill that they share."""
        self._active: dict[str, dict[RunKey, Place]] = {}

    def put(self, place: Place, key: RunKey, seen: RunUse) -> bool:
        """Take in what a status says of a run; answers whether that is news."""
        known = self.get(place, key)
        return self._replace(place, key, known, _merge(known, seen) if known else seen)

    def put_ended(self, place: Place, key: RunKey, seen: RunUse) -> bool:
        """Take in what the ledger says of a run, whose end is older than what a status says."""
        known = self.get(place, key)
        if known is None:
            return self._replace(place, key, None, seen)
        ended_at = None if known.ended_at is None else max(known.ended_at, seen.ended_at or 0)
        return self._replace(place, key, known, replace(_merge(known, seen), ended_at=ended_at))

    def get(self, place: Place, key: RunKey) -> RunUse | None:
        """Return what is known of a run."""
        return self._uses.get(place, {}).get(key)

    def remove(self, place: Place, key: RunKey) -> None:
        """Forget a run."""
        use = self._uses[place].pop(key)
        self._sharers[_get_bill(place, use)] -= 1
        self._note_active(place, key, replace(use, ended_at=0))
        self._accounts.pop(place, None)

    def list_active(self, bot_uid: str) -> tuple[tuple[Place, RunKey], ...]:
        """Return the active runs of a TweetBot; usually it is one at most."""
        return tuple((place, key) for key, place in self._active.get(bot_uid, {}).items())

    def list_active_bots(self) -> tuple[str, ...]:
        """Return the uids of TweetBots with an active run."""
        return tuple(self._active)

    def list_places(self) -> tuple[Place, ...]:
        """Return where anything is known to have been used."""
        return tuple(self._uses)

    def list_uses(self, place: Place) -> Iterator[tuple[RunKey, RunUse]]:
        """Yield the uses of a place."""
        yield from self._uses.get(place, {}).items()

    def get_account(self, place: Place) -> Account:
        """Return the account of a place; it goes on changing."""
        if place not in self._accounts:
            self._accounts[place] = Account(_count_posts_once(self._uses.get(place, {}).values()))
        return self._accounts[place]

    def prune(self, now: int) -> None:
        """Forget runs that count in no window any more."""
        for place, uses in tuple(self._uses.items()):
            for key, use in tuple(uses.items()):
                if use.ended_at is not None and max(use.ended_at, use.began_at) <= now - LONGEST_WINDOW:
                    self.remove(place, key)
            if not uses:
                del self._uses[place]
        self._sharers = +self._sharers

    def _replace(self, place: Place, key: RunKey, known: RunUse | None, use: RunUse) -> bool:
        if use == known:
            return False
        self._uses.setdefault(place, {})[key] = use
        self._note_active(place, key, use)
        former, bill = _get_bill(place, known) if known else None, _get_bill(place, use)
        if former != bill:
            self._sharers[bill] += 1
            self._sharers.subtract([former] if former else [])
        account = self._accounts.get(place)
        if account and known is None and self._sharers[bill] == 1:
            account.add(use)
        elif account and not (known and self._sharers[bill] == 1 and account.go_on(known, use)):
            del self._accounts[place]
        return True

    def _note_active(self, place: Place, key: RunKey, use: RunUse) -> None:
        if use.ended_at is None:
            self._active.setdefault(key[0], {})[key] = place
        elif runs := self._active.get(key[0]):
            runs.pop(key, None)
            if not runs:
                del self._active[key[0]]


def _merge(known: RunUse, seen: RunUse) -> RunUse:
    """Return the greatest figures of both; begin, end and what is expected are those seen last."""
    return replace(
        seen,
        began_at=max(known.began_at, seen.began_at),
        run_id=seen.run_id or known.run_id,
        starts=max(known.starts, seen.starts),
        gpu_seconds=max(known.gpu_seconds, seen.gpu_seconds),
        x_price=max(known.x_price, seen.x_price),
    )


def _get_bill(place: Place, use: RunUse) -> Bill:
    return (place, use.bot, use.run_id)


def _count_posts_once(uses: Iterable[RunUse]) -> Iterator[RunUse]:
    """Yield the uses, with posts that several runs say they paid for only in one of them.

    The trainer bills a run's id. A TweetBot that is created again, or an edit that is undone, runs under the same id,
    in the same folder.
    """
    paid: set[tuple[str, str]] = set()
    for use in sorted(uses, key=lambda use: use.x_price, reverse=True):
        if (use.bot, use.run_id) in paid:
            yield replace(use, x_price=0)
            continue
        yield use
        if use.x_price:
            paid.add((use.bot, use.run_id))
