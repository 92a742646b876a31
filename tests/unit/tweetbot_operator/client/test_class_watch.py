"""The list and the watch of TweetBotClasses, from a server that streams."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio.client import ApiClient, Configuration

from tweetbot_cluster.state import free_ports
from tweetbot_operator.client.cluster import KubernetesCluster
from tweetbot_operator.client.errors import Rejected, Unavailable
from tweetbot_operator.client.requests import SILENCE_SECONDS, ApiRequests

FORBIDDEN = {"kind": "Status", "message": 'cannot watch resource "tweetbotclasses"', "code": 403}


class Server:
    """Lists `listed`, then streams `events`; then it breaks off, or refuses the watch."""

    def __init__(self) -> None:
        self.listed: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.breaks = self.refuses = False
        self.asked: list[str] = []
        self.seconds: list[int] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("watch") != "true":
            return web.json_response({"items": self.listed, "metadata": {"resourceVersion": "7"}})
        self.asked.append(request.query["resourceVersion"])
        self.seconds.append(int(request.query["timeoutSeconds"]))
        if self.refuses:
            return web.json_response(FORBIDDEN, status=403)
        stream = web.StreamResponse()
        await stream.prepare(request)
        for event in self.events:
            await stream.write(json.dumps(event).encode() + b"\n")
        if self.breaks and request.transport:
            await asyncio.sleep(0.05)
            request.transport.abort()
        return stream


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def cluster(server: Server) -> AsyncIterator[KubernetesCluster]:
    app = web.Application()
    app.router.add_get("/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    client = ApiClient(Configuration(host=f"http://127.0.0.1:{port}"))
    yield KubernetesCluster(ApiRequests(client, timeout_seconds=2))
    await client.close()
    await runner.cleanup()


def a_class(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": "8"}, "spec": {}}


async def watch(cluster: KubernetesCluster) -> list[list[str]]:
    return [[each.name for each in classes] async for classes in cluster.watch_classes()]


async def test_each_event_is_applied_to_what_was_listed(server: Server, cluster: KubernetesCluster) -> None:
    server.listed = [a_class("gold")]
    server.events = [
        {"type": "ADDED", "object": a_class("silver")},
        {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}},
        {"type": "DELETED", "object": a_class("gold")},
    ]
    seen = await watch(cluster)
    assert (seen[0], seen[1], seen[-1]) == (["gold"], ["gold", "silver"], ["silver"])
    assert server.asked == ["7"]


async def test_a_quiet_watch_is_ended_by_the_server_before_its_silence_counts_as_a_fault(
    server: Server, cluster: KubernetesCluster
) -> None:
    assert await watch(cluster) == [[]]
    assert [seconds < SILENCE_SECONDS for seconds in server.seconds] == [True]


async def test_an_error_in_the_stream_ends_the_watch(server: Server, cluster: KubernetesCluster) -> None:
    server.events = [{"type": "ERROR", "object": {"code": 410}}, {"type": "ADDED", "object": a_class("late")}]
    assert await watch(cluster) == [[]]


async def test_a_stream_that_breaks_off_is_unavailable(server: Server, cluster: KubernetesCluster) -> None:
    server.breaks, server.events = True, [{"type": "ADDED", "object": a_class("gold")}]
    with pytest.raises(Unavailable, match="watch /apis/tweetbot"):
        await watch(cluster)


async def test_a_refused_watch_says_what_is_not_allowed(server: Server, cluster: KubernetesCluster) -> None:
    server.refuses = True
    with pytest.raises(Rejected, match='cannot watch resource "tweetbotclasses"'):
        await watch(cluster)
