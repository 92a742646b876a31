"""Events are listed once for all who ask within a while."""

import asyncio
import weakref
from collections.abc import Mapping
from typing import Any

from tweetbot_operator.client.events import EventLister
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
    desk = EventLister(server, lambda: server.time)
    found = await asyncio.gather(
        *(desk.list_events("team-a", f"job-{number}", "FailedCreate") for number in range(1000))
    )
    assert [[event["note"] for event in events] for events in found] == [[f"no room for {n}"] for n in range(1000)]
    assert server.lists == 1


async def test_what_is_new_is_heard_of_a_moment_later() -> None:
    server = Events()
    desk = EventLister(server, lambda: server.time)
    assert await desk.list_events("team-a", "job", "FailedCreate") == []
    server.items = [an_event("job", "no room")]
    server.time += 1.5
    assert len(await desk.list_events("team-a", "job", "FailedCreate")) == 1


async def test_a_list_that_takes_long_holds_long() -> None:
    server = Events(takes=2.0)
    desk = EventLister(server, lambda: server.time)
    for _ in range(4):
        await desk.list_events("team-a", "job", "FailedCreate")
        server.time += 9.0
    assert server.lists == 2


async def test_namespaces_and_reasons_are_listed_apart() -> None:
    server = Events()
    desk = EventLister(server, lambda: server.time)
    for namespace, reason in (("team-a", "FailedCreate"), ("team-b", "FailedCreate"), ("team-a", "FailedMount")):
        await desk.list_events(namespace, "job", reason)
    assert server.lists == 3


class WatchedEvent(dict[str, Any]):
    """An Event that can be told to be gone."""


async def test_a_list_that_holds_no_more_is_let_go_of() -> None:
    server = Events()
    server.items = [WatchedEvent(an_event("job", "no room"))]
    kept = weakref.ref(server.items[0])
    desk = EventLister(server, lambda: server.time)
    await desk.list_events("team-a", "job", "FailedCreate")
    server.items.clear()
    assert kept() is not None
    server.time += 1.5
    await desk.list_events("team-b", "job", "FailedCreate")
    assert kept() is None
