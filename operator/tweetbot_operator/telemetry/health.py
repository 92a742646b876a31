"""Serves /healthz, /readyz and /metrics; kopf's own probe answers even while its watches are dead."""

import ssl
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


class Health:
    """Answers the probes: are the watches alive, and are the caches filled?"""

    def __init__(self, alive: Callable[[], bool], ready: Callable[[], bool], asks_clients: bool = False) -> None:
        """With `asks_clients` metrics are for clients alone whose certificate the TLS context accepts."""
        self._alive, self._ready, self._asks_clients = alive, ready, asks_clients
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Listen, with TLS where there is a context. Raises OSError if the port is taken."""
        app = web.Application()
        app.router.add_get("/healthz", self.handle_healthz)
        app.router.add_get("/readyz", self.handle_readyz)
        app.router.add_get("/metrics", self.handle_metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, ssl_context=tls).start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    async def handle_healthz(self, request: web.Request) -> web.Response:
        """Answer 200 while the event loop runs and the watches are alive."""
        return _build_response(self._alive(), "the watches are dead, or the last resync was long ago")

    async def handle_readyz(self, request: web.Request) -> web.Response:
        """Answer 200 once the caches are filled."""
        return _build_response(self._ready(), "the caches are not filled yet")

    async def handle_metrics(self, request: web.Request) -> web.Response:
        """Answer with the metrics for Prometheus."""
        if self._asks_clients and not request.get_extra_info("peercert"):
            return web.Response(text="metrics need a client certificate\n", status=401)
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _build_response(healthy: bool, problem: str) -> web.Response:
    return web.Response(text="ok\n") if healthy else web.Response(text=problem + "\n", status=503)
