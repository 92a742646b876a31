"""A forward proxy on loopback, for a client that runs in another process (wandb-core, written in Go).

Its connections are made by this process, so that egress.py checks their addresses: also those of redirects, and of
uploads to where the server says.
"""

import select
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tweetbot_trainer.runtime.log import Log

#: Seconds to connect, and to wait for a byte from either side.
CONNECT_TIMEOUT, IDLE_TIMEOUT = 10.0, 60.0
_BLOCK = 64 * 1024
_HOP_HEADERS = frozenset({"connection", "keep-alive", "proxy-authorization", "proxy-connection", "expect"})
#: Tells the client that it cannot send another request by this connection; a server need not say so itself.
_LAST = b"\r\nConnection: close\r\n"


@contextmanager
def serve_egress_proxy(env: Mapping[str, str], log: Log) -> Iterator[str | None]:
    """Serve the proxy and yield its address; None if the platform has a proxy of its own, which then decides."""
    if any(env.get(name) or env.get(name.lower()) for name in ("HTTP_PROXY", "HTTPS_PROXY")):
        yield None
        return
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_ProxyHandler, log)) as server:
        threading.Thread(target=server.serve_forever, name="egress-proxy", daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class _ProxyHandler(BaseHTTPRequestHandler):
    """Serves one request per connection: a tunnel for https, a request with an absolute address for http."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT
    rbufsize = 0  # what follows the headers is read from the socket

    def __init__(self, log: Log, *args: Any) -> None:
        self._log = log
        super().__init__(*args)

    def do_CONNECT(self) -> None:
        """Open a tunnel."""
        target = urlsplit(f"//{self.path}")
        with self._connect(target.hostname, target.port or 443) as upstream:
            if upstream:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _relay(self.connection, upstream)

    def forward(self) -> None:
        """Send the request on to the server in its address."""
        target = urlsplit(self.path)
        headers = "".join(f"{name}: {text}\r\n" for name, text in self.headers.items() if not _is_hop(name))
        path = target._replace(scheme="", netloc="").geturl() or "/"
        head = f"{self.command} {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n"
        with self._connect(target.hostname, target.port or 80) as upstream:
            if upstream:
                upstream.sendall(head.encode("latin-1"))
                _relay(self.connection, upstream, mark_last=True)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = forward

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: addresses of uploads contain signatures."""

    @contextmanager
    def _connect(self, host: str | None, port: int) -> Iterator[socket.socket | None]:
        """Yield a connection; or answer with an error and yield None."""
        self.close_connection = True
        try:
            upstream = socket.create_connection((host or "", port), CONNECT_TIMEOUT)
        except OSError as error:
            self._log.warning("egress.failed", host=host, message=f"no connection to {host}: {error}")
            self.send_error(502, "no connection")
            yield None
            return
        with upstream, suppress(OSError):
            upstream.settimeout(IDLE_TIMEOUT)
            yield upstream


def _is_hop(name: str) -> bool:
    return name.lower() in _HOP_HEADERS


def _relay(client: socket.socket, upstream: socket.socket, *, mark_last: bool = False) -> None:
    """Copy bytes both ways until the server has ended, or neither sends any for IDLE_TIMEOUT.

    With `mark_last`, the first answer gets the header that it is the last one of the connection.
    """
    targets = {client: upstream, upstream: client}
    while targets:
        ready, _, _ = select.select(list(targets), [], [], IDLE_TIMEOUT)
        if not ready:
            return
        for source in ready:
            if block := source.recv(_BLOCK):
                if mark_last and source is upstream:
                    block, mark_last = block.replace(b"\r\n", _LAST, 1), False
                targets[source].sendall(block)
            else:
                targets.pop(source).shutdown(socket.SHUT_WR)
                if source is upstream:
                    return
