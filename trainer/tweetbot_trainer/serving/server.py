"""Run the server until the process is asked to stop."""

import asyncio
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from tweetbot_contract import reasons
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.runtime.signals import StopRequest

#: Seconds between looks whether to stop, and those that answers get to end then.
LOOK, GRACE = 0.1, 1
#: Seconds in which the head of a request must come.
HEAD_SECONDS = 10.0
#: Most connections at a time; the next are answered with 503.
CONNECTIONS = 64


class _Server(uvicorn.Server):
    """A server that leaves signals to the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the handlers as they are."""
        yield


class _Protocol(H11Protocol):
    """HTTP that closes connections on which no whole request comes: they would use up all that there are."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a request."""
        super().connection_made(transport)
        self._expect_request()

    def on_response_complete(self) -> None:
        """Expect another one."""
        super().on_response_complete()
        self._expect_request()

    def _expect_request(self) -> None:
        last = self.cycle

        def close_silent() -> None:
            if self.cycle is last and (last is None or last.response_complete):
                self.transport.close()

        self.loop.call_later(HEAD_SECONDS, close_silent)


def open_listener(host: str, port: int) -> socket.socket:
    """Listen at an address; port 0 takes a free one. Raises SpecRefused if that is impossible."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        message = f"nobody can listen at {format_address(host, port)}: {error.strerror}; give another --port or --host"
        raise SpecRefused(reasons.SPEC_REFUSED, message) from error


def format_address(host: str, port: int) -> str:
    """Return the address of the page."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


class Idleness:
    """How long nobody has asked the server. Its clock is monotonic."""

    def __init__(self, state: uvicorn.server.ServerState, now: float) -> None:
        self._state, self._asked, self._since = state, 0, now

    def measure_seconds(self, now: float) -> float:
        """Return the seconds since an answer was last under way."""
        if self._state.tasks or self._state.total_requests != self._asked:
            self._asked, self._since = self._state.total_requests, now
        return now - self._since


def run_server(
    app: Starlette, listener: socket.socket, stop: StopRequest, *, idle_seconds: float | None = None
) -> None:
    """Serve until `stop` is requested, or nobody has asked for `idle_seconds`; print the address once it answers."""
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        access_log=False,  # it would show the token of an address
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=GRACE,
        h11_max_incomplete_event_size=16 * 1024,
    )
    asyncio.run(_serve(_Server(config), listener, stop, inf if idle_seconds is None else idle_seconds))


async def _serve(server: uvicorn.Server, listener: socket.socket, stop: StopRequest, idle_seconds: float) -> None:
    host, port = listener.getsockname()[:2]
    idleness = Idleness(server.server_state, time.monotonic())
    serving, announced = asyncio.create_task(server.serve(sockets=[listener])), False
    while not serving.done():
        if server.started and not announced:
            announced = True
            print(f"Open {format_address(host, port)} (Ctrl-C ends it)", file=sys.stderr, flush=True)
        over = idleness.measure_seconds(time.monotonic()) >= idle_seconds
        server.should_exit = server.should_exit or stop.requested or over
        await asyncio.wait({serving}, timeout=LOOK)
    await serving
