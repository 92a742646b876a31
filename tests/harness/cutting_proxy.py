"""A proxy before the API server that can end its client right after a chosen write is committed, unanswered,
refuse requests, and cut, silence or thin out watches.

The client speaks plain HTTP to it on the loopback; it speaks TLS to the API server with the client's own certificate,
so the audit log still names the client. Watches stream through.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from tweetbot_cluster.kubernetes.kubeconfig import CONTEXT, connection
from tweetbot_cluster.state import LOOPBACK

#: Events are posted beside the passes, in no fixed order to the writes that count.
COUNTED = ("/tweetbots/", "/jobs")
WRITES = ("POST", "PUT", "PATCH", "DELETE")
_HOP = ("transfer-encoding", "content-encoding", "content-length", "connection")


class CuttingProxy:
    """Forwards everything; `cut` is called when the write number `at` (from 0) is committed, before its answer."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        self._server, self._tls = connection(kubeconfig)
        self.kubeconfig = folder / "proxy.kubeconfig"
        self.trace: list[str] = []
        self.at: int | None = None
        self.cut: Callable[[], None] = lambda: None
        self.refuse: Callable[[web.Request], web.Response | None] = lambda request: None
        self.swallow: Callable[[web.StreamResponse, bytes], bool] = lambda watch, line: False
        """Whether a watch's event never arrives."""
        self.refused = self.swallowed = 0
        self.watches: dict[web.StreamResponse, asyncio.Task[None] | None] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        port = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        self.kubeconfig.write_text(json.dumps(_kubeconfig(f"http://{LOOPBACK}:{port}")))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def end_watches(self, last: bytes | None = None) -> None:
        """End every watch that runs: with a last event in good order, without one by a broken connection."""

        async def end() -> None:
            for watch, relay in tuple(self.watches.items()):
                if last:
                    await watch.write(last + b"\n")
                    await watch.write_eof()
                elif watch._req and watch._req.transport:
                    watch._req.transport.abort()
                if relay:
                    relay.cancel()  # it waits for the next event, and the connection for its end

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)

    async def _start(self) -> int:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls, limit=0), read_bufsize=2**21
        )
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._forward)
        # A watch whose client is gone ends then, not when there is something to tell it: at a bookmark, a minute later.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, 0).start()
        return int(self._runner.addresses[0][1])

    async def _stop(self) -> None:
        for relay in tuple(self.watches.values()):
            if relay:
                relay.cancel()
        await self._runner.cleanup()
        await self._session.close()
        await asyncio.sleep(0.25)  # TLS connections are closed by then; aiohttp offers nothing to wait for

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        if (refusal := self.refuse(request)) is not None:
            self.refused += 1
            return refusal
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", *_HOP)}
        sent = self._session.request(
            request.method,
            self._server + request.raw_path,
            headers=headers,
            data=await request.read() or None,  # an empty body would get a content type, which a GET may not have
            timeout=aiohttp.ClientTimeout(total=None),
        )
        async with sent as upstream:
            if self._counts(request, upstream.status):
                number = len(self.trace)
                self.trace.append(f"{request.method} {request.path.rpartition('/namespaces/')[2]}")
                if number == self.at:
                    await upstream.read()
                    self.cut()
            return await self._relay(request, upstream)

    async def _relay(self, request: web.Request, upstream: aiohttp.ClientResponse) -> web.StreamResponse:
        headers = {name: value for name, value in upstream.headers.items() if name.lower() not in _HOP}
        response = web.StreamResponse(status=upstream.status, headers=headers)
        await response.prepare(request)
        if request.query.get("watch") == "true":
            await self._relay_watch(response, upstream)
        else:
            async for chunk in upstream.content.iter_any():
                await response.write(chunk)
        await response.write_eof()
        return response

    async def _relay_watch(self, response: web.StreamResponse, upstream: aiohttp.ClientResponse) -> None:
        self.watches[response] = asyncio.current_task()
        try:
            async for line in upstream.content:
                if self.swallow(response, line):
                    self.swallowed += 1
                else:
                    await response.write(line)
        finally:
            self.watches.pop(response, None)

    def _counts(self, request: web.Request, status: int) -> bool:
        counted = any(part in request.path + "/" for part in COUNTED)
        return request.method in WRITES and counted and status < 300 and "dryRun" not in request.query


def _kubeconfig(server: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": {"server": server}}],
        "users": [{"name": CONTEXT, "user": {}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
        "current-context": CONTEXT,
    }
