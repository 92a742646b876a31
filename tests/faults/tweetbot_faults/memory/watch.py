"""A watch that hides, repeats, delays or replays one event on its way into the operator's cache."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tweetbot_operator.client.interface import Kind
from tweetbot_operator.informers.cache import EventHandler, Item


@dataclass(frozen=True)
class WatchFault:
    """What happens to the event number `at`, from 0, and, of an interval, to all up to `until`."""

    at: int
    name: str
    until: int = -1

    def covers(self, number: int) -> bool:
        return self.at <= number <= max(self.at, self.until)


#: hidden: never arrives · twice: arrives twice · late: arrives after the next one · stale: arrives again, two later.
WATCH_FAULTS = ("hidden", "twice", "late", "stale")


class FaultyWatch:
    """Stands where the cache's handler stands; its numbers go on over an operator's restart."""

    def __init__(self, fault: WatchFault | None) -> None:
        self._fault, self.seen, self.arrived = fault, 0, 0
        self.keys: list[tuple[str, str]] = []
        """Kind and uid of each event."""
        self._handler: EventHandler | None = None
        self._waiting: list[tuple[int, Callable[[], Any]]] = []

    def attach(self, handler: EventHandler) -> None:
        """Lead to the cache of an operator that has just started."""
        self._handler = handler
        self._waiting.clear()

    def observe_version(self, kind: Kind, item: Item) -> None:
        """What the real handler does is done when the event is let through."""

    def put(self, item: Item) -> None:
        kind: Kind = _kind_of(item)

        def arrive() -> None:
            assert self._handler
            self.arrived += 1
            self._handler.observe_version(kind, item)
            self._handler.put(item)

        self._pass((kind, item.uid), arrive)

    def delete(self, kind: Kind, uid: str, resource_version: int) -> None:
        def arrive() -> None:
            assert self._handler
            self.arrived += 1
            self._handler.delete(kind, uid, resource_version)

        self._pass((kind, uid), arrive)

    def _pass(self, key: tuple[str, str], arrive: Callable[[], Any]) -> None:
        number, fault = self.seen, self._fault
        self.seen += 1
        self.keys.append(key)
        struck = fault is not None and fault.covers(number)
        if fault is None or not struck:
            arrive()
        elif fault.name == "twice":
            arrive()
            arrive()
        elif fault.name == "late":
            self._waiting.append((number + 1, arrive))
        elif fault.name == "stale":
            arrive()
            self._waiting.append((number + 2, arrive))
        self._let_through(number)

    def _let_through(self, number: int) -> None:
        due = [arrive for when, arrive in self._waiting if when <= number]
        self._waiting = [(when, arrive) for when, arrive in self._waiting if when > number]
        for arrive in due:
            arrive()

    def flush(self) -> None:
        """Let arrive what still waits: no later event will push it."""
        waiting, self._waiting = self._waiting, []
        for _, arrive in waiting:
            arrive()


def _kind_of(item: Item) -> Kind:
    kinds: dict[str, Kind] = {"CachedTweetBot": "tweetbots", "JobView": "jobs", "PodView": "pods"}
    return kinds[type(item).__name__]
