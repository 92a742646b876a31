"""A proxy before the API server that can end its client right after a chosen write is committed, unanswered,
refuse requests, and cut, silence or thin out watches.

The client speaks plain HTTP to it on the loopback; it speaks TLS to the API server with the client's own certificate,
so the audit log still names the client. Watches stream through.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Self

import aiohttp
from aiohttp import web

from tweetbot_cluster.kubernetes.kubeconfig import CONTEXT, connection
from tweetbot_fakes.server_thread import ServerThread

#: Events are posted beside the passes, in no fixed order to the writes that count.
COUNTED = ("/tweetbots/", "/jobs")
WRITES = ("POST", "PUT", "PATCH", "DELETE")
_HOP = ("transfer-encoding", "content-encoding", "content-length", "connection")


class CuttingProxy(ServerThread):
    """Forwards everything; `cut` is called when the write number `at` (from 0) is committed, before its answer."""

    #: A watch whose client is gone ends then, not when there is something to tell it: at a bookmark, a minute later.
    runner_options: ClassVar = {"handler_cancellation": True}

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        super().__init__()
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

    def __enter__(self) -> Self:
        super().__enter__()
        self.kubeconfig.write_text(json.dumps(_kubeconfig(self.endpoint)))
        return self

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

        self.call(end())

    def _open_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self._tls, limit=0), read_bufsize=2**21)

    async def _stop(self) -> None:
        for relay in filter(None, tuple(self.watches.values())):
            relay.cancel()
        await super()._stop()
        await asyncio.sleep(0.25)  # TLS connections are closed by then; aiohttp offers nothing to wait for

    async def _handle(self, request: web.Request) -> web.StreamResponse:
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
