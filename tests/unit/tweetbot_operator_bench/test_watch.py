"""The bench's watch: the API server ends one that reads too slowly."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from kubernetes.aio.client import ApiClient

from tweetbot_operator_bench.api import Api


class Watches:
    """A session whose watches each send some events and end."""

    def __init__(self, *watches: list[dict[str, Any]]) -> None:
        self.watches, self.asked = list(watches), list[str | None]()

    @asynccontextmanager
    async def get(self, url: str, *, params: dict[str, str], **options: Any) -> AsyncIterator[Any]:
        self.asked.append(params.get("resourceVersion"))
        yield SimpleNamespace(raise_for_status=lambda: None, content=self._send(self.watches.pop(0)))

    async def _send(self, events: list[dict[str, Any]]) -> AsyncIterator[bytes]:
        for event in events:
            yield json.dumps(event).encode()


def an_event(version: str, kind: str = "ADDED") -> dict[str, Any]:
    return {"type": kind, "object": {"metadata": {"name": f"pod-{version}", "resourceVersion": version}}}


def an_api(session: Watches) -> Api:
    client = cast("ApiClient", SimpleNamespace(configuration=SimpleNamespace(host="http://api")))
    return Api(client, cast("aiohttp.ClientSession", session))


async def test_a_watch_that_ends_goes_on_after_its_last_event() -> None:
    session = Watches([an_event("5"), an_event("6")], [], [an_event("7")])
    watch = an_api(session).watch("/api/v1/pods", {"labelSelector": "a=b"})
    assert [(await anext(watch))["object"]["metadata"]["name"] for _ in range(3)] == ["pod-5", "pod-6", "pod-7"]
    assert session.asked == [None, "6", "6"]


async def test_a_watch_that_cannot_go_on_fails() -> None:
    watch = an_api(Watches([{"type": "ERROR", "object": {"code": 410}}])).watch("/api/v1/pods", {})
    with pytest.raises(RuntimeError, match="410"):
        await anext(watch)
