"""Events are listed once for all who ask within a second."""

import asyncio
import weakref
from collections.abc import Mapping
from typing import Any

from tweetbot_operator.client.event_lister import EventLister
from tweetbot_operator.client.requests import ApiRequests


class Events(ApiRequests):
    """An API server with the Events of a namespace, which takes its time to list them."""

    def __init__(self, takes: float = 0.0) -> None:
        self.time, self.takes, self.lists, self.items = 0.0, takes, 0, list[dict[str, Any]]()

    async def get(
        self, path: str, query: Mapping[str, str] | None = None, accept: str = "application/json"
    ) -> dict[str, Any]:
        self.lists += 1
        self.time += self.takes
        await asyncio.sleep(0)
        return {"items": list(self.items), "metadata": {}}


def an_event(uid: str, note: str) -> dict[str, Any]:
    return {"regarding": {"uid": uid}, "note": note, "eventTime": "2026-01-01T12:00:00Z"}


async def test_a_thousand_who_ask_at_once_cost_one_list() -> None:
    server = Events()
    server.items = [an_event(f"job-{number}", f"no room for {number}") for number in range(1000)]
    lister = EventLister(server, lambda: server.time)
    found = await asyncio.gather(
        *(lister.list_events("team-a", f"job-{number}", "reason=FailedCreate") for number in range(1000))
    )
    assert [[event["note"] for event in events] for events in found] == [[f"no room for {n}"] for n in range(1000)]
    assert server.lists == 1


async def test_a_new_event_is_found_a_second_later() -> None:
    server = Events()
    lister = EventLister(server, lambda: server.time)
    assert await lister.list_events("team-a", "job", "reason=FailedCreate") == []
    server.items = [an_event("job", "no room")]
    server.time += 1.5
    assert len(await lister.list_events("team-a", "job", "reason=FailedCreate")) == 1


async def test_a_slow_list_is_used_for_longer() -> None:
    server = Events(takes=2.0)
    lister = EventLister(server, lambda: server.time)
    for _ in range(4):
        await lister.list_events("team-a", "job", "reason=FailedCreate")
        server.time += 9.0
    assert server.lists == 2


async def test_namespaces_and_reasons_are_listed_apart() -> None:
    server = Events()
    lister = EventLister(server, lambda: server.time)
    for namespace, reason in (
        ("team-a", "reason=FailedCreate"),
        ("team-b", "reason=FailedCreate"),
        ("team-a", "reason=FailedMount"),
    ):
        await lister.list_events(namespace, "job", reason)
    assert server.lists == 3


class WatchedEvent(dict[str, Any]):
    """An Event that can be told to be gone."""


async def test_an_expired_list_is_dropped() -> None:
    server = Events()
    server.items = [WatchedEvent(an_event("job", "no room"))]
    kept = weakref.ref(server.items[0])
    lister = EventLister(server, lambda: server.time)
    await lister.list_events("team-a", "job", "reason=FailedCreate")
    server.items.clear()
    assert kept() is not None
    server.time += 1.5
    await lister.list_events("team-b", "job", "reason=FailedCreate")
    assert kept() is None
