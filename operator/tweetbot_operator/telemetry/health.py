"""/healthz, /readyz and /metrics on a small server of its own: kopf's probes answer while its watches are dead."""

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


class Health:
    """Answers probes from two questions: are the watches alive, are the caches filled."""

    def __init__(self, alive: Callable[[], bool], ready: Callable[[], bool]) -> None:
        self._alive, self._ready = alive, ready
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError when the port is taken."""
        app = web.Application()
        app.router.add_get("/healthz", self.handle_healthz)
        app.router.add_get("/readyz", self.handle_readyz)
        app.router.add_get("/metrics", self.handle_metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    async def handle_healthz(self, request: web.Request) -> web.Response:
        """Answer 200 as long as the loop turns (or nobody would answer) and the watches are alive."""
        return _build_response(self._alive(), "the watches are dead, or the last resync is long ago")

    async def handle_readyz(self, request: web.Request) -> web.Response:
        """Answer 200 once the caches are filled and passes are made."""
        return _build_response(self._ready(), "the caches are not filled yet")

    async def handle_metrics(self, request: web.Request) -> web.Response:
        """Answer the figures for Prometheus."""
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _build_response(good: bool, complaint: str) -> web.Response:
    return web.Response(text="ok\n") if good else web.Response(text=complaint + "\n", status=503)
