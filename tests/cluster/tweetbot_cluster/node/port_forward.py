"""The node's end of `kubectl port-forward`: connections to the loopback, where all of its Pods listen."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

from tweetbot_cluster.node.spdy import Connection, Stream
from tweetbot_cluster.state import LOOPBACK

PROTOCOL = "portforward.k8s.io"
BLOCK = 64 * 1024


async def forward_ports(request: web.Request) -> web.StreamResponse:
    """Answer with SPDY, and connect a port for each pair of streams until the client goes."""
    if request.headers.get("Upgrade", "").lower() != "spdy/3.1":
        raise web.HTTPBadRequest(text="the process node forwards ports over SPDY/3.1")
    headers = {"Upgrade": "SPDY/3.1", "Connection": "Upgrade", "X-Stream-Protocol-Version": PROTOCOL}
    answer = web.StreamResponse(status=101, headers=headers)
    answer.force_close()
    await answer.prepare(request)
    transport = request.transport
    if transport is None:
        return answer
    pairs = Pairs()
    connection = Connection(transport.write, pairs.add)
    request.protocol.set_parser(connection)  # type: ignore[arg-type]  # as WebSocketResponse does
    try:
        await connection.ended.wait()
    finally:
        await pairs.end()
        transport.close()
    return answer


class Pairs:
    """Streams by the request that they belong to: one for data, one for errors."""

    def __init__(self) -> None:
        self._waiting: dict[str, Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, stream: Stream) -> None:
        """Take a stream, and connect when its request is complete."""
        request = stream.headers.get("requestid", "")
        other = self._waiting.pop(request, None)
        if other is None:
            self._waiting[request] = stream
            return
        data, errors = (stream, other) if stream.headers["streamtype"] == "data" else (other, stream)
        task = asyncio.create_task(connect(data, errors, int(data.headers["port"])))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """End what is connected."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def connect(data: Stream, errors: Stream, port: int) -> None:
    """Connect a stream with a port until either side ends; worded as the kubelet words a refusal."""
    try:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError as error:
        errors.send(f"failed to connect to localhost:{port}: {error}".encode())
    else:
        sending = asyncio.create_task(_copy_to_pod(data, writer))
        try:
            while block := await reader.read(BLOCK):
                data.send(block)
        except ConnectionError:
            pass
        finally:
            sending.cancel()
            with contextlib.suppress(OSError):
                writer.close()
    data.finish()
    errors.finish()


async def _copy_to_pod(data: Stream, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while block := await data.reader.read(BLOCK):
            writer.write(block)
            await writer.drain()
        writer.write_eof()
