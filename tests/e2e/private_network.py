"""A company's network as its Pods see it: a bucket behind its own CA, at a name that only its proxy knows."""

import os
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tweetbot_cluster.cluster import EmbeddedCluster
from tweetbot_cluster.kubernetes.certificates import Authority
from tweetbot_cluster.servers import stop
from tweetbot_cluster.state import LOOPBACK, free_ports

#: No name server knows it.
HOST = "s3.company.example"
_PLACE = f"{HOST}:443"
_NAME = "versitygw-tls"
_BLOCK = 64 * 1024


class ForwardProxy(ThreadingHTTPServer):
    """Opens tunnels to the one server that it knows, and to no other; `clients` are the addresses that asked for it."""

    daemon_threads = True

    def __init__(self, address: str, upstream: tuple[str, int]) -> None:
        super().__init__((address, 0), _Tunnel)
        self.upstream = upstream
        self.clients: set[str] = set()
        self.refused: list[str] = []

    @property
    def url(self) -> str:
        """Address of the proxy, as a class has it."""
        return f"http://{self.server_address[0]!s}:{self.server_port}"


class _Tunnel(BaseHTTPRequestHandler):
    server: ForwardProxy
    rbufsize = 0  # what follows the headers is read from the socket

    def do_CONNECT(self) -> None:
        if self.path != _PLACE:
            self.server.refused.append(self.path)
            self.send_error(403, "the company allows no way there")
            return
        self.server.clients.add(self.client_address[0])
        with socket.create_connection(self.server.upstream) as upstream, suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _relay(self.connection, upstream)

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing: the proxy's lists say it."""


def _relay(client: socket.socket, upstream: socket.socket) -> None:
    """Copy bytes both ways until one side has ended."""
    targets = {client: upstream, upstream: client}
    while True:
        ready, _, _ = select.select(list(targets), [], [])
        for source in ready:
            block = source.recv(_BLOCK)
            if not block:
                return
            targets[source].sendall(block)


@contextmanager
def serve_private_bucket(cluster: EmbeddedCluster, authority: Authority) -> Iterator[ForwardProxy]:
    """Serve the cluster's buckets by TLS too, on the node's loopback, where no Pod comes but by the proxy."""
    (port,) = free_ports(1)
    certificate, key = authority.server(_NAME, (), (HOST,))
    address = cluster.settings.address
    with _tls_gateway(cluster, port, certificate, key), ForwardProxy(address, (LOOPBACK, port)) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.shutdown()


@contextmanager
def _tls_gateway(cluster: EmbeddedCluster, port: int, certificate: Path, key: Path) -> Iterator[None]:
    """Run another versitygw over the same folder."""
    plain = cluster.server("versitygw")
    old, new = f"{cluster.settings.address}:{cluster.settings.s3_port}", f"{LOOPBACK}:{port}"
    server = replace(
        plain,
        name=_NAME,
        command=tuple(new if word == old else word for word in plain.command),
        ready=lambda: _listens(port),
        env={**plain.env, "VGW_CERT": str(certificate), "VGW_KEY": str(key)},
    )
    server.start(cluster.state, {"PATH": os.environ["PATH"]})
    try:
        server.wait(cluster.state)
        yield
    finally:
        stop(cluster.state, _NAME, grace=20)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False
