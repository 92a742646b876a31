"""An HTTP server on the loopback, on an event loop and a thread of its own: what the proxies of the tests stand on."""

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

import aiohttp
from aiohttp import web

from tweetbot_cluster.state import LOOPBACK

T = TypeVar("T")


class ServerThread:
    """Serves while its `with` block lasts; a subclass answers by `_handle`, and asks others by `_session`."""

    #: Options of aiohttp's runner, which a subclass may add to.
    runner_options: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        self.endpoint = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.endpoint = f"http://{LOOPBACK}:{self.call(self._start())}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop from another thread, and return what it returns."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    def _open_session(self) -> aiohttp.ClientSession:
        """Return the client; called on the server's loop."""
        raise NotImplementedError

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raise NotImplementedError

    async def _start(self) -> int:
        self._session = self._open_session()
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, **self.runner_options)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, 0).start()
        return int(self._runner.addresses[0][1])

    async def _stop(self) -> None:
        """Close, and let no task outlive the loop: a request that was cut has one that waits."""
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._session.close()
