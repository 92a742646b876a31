"""The proxies end with everything that they began."""

import gc
import http.client
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest

from tweetbot_faults.bucket.proxy import Rule, S3Proxy


class Silent(BaseHTTPRequestHandler):
    """A server that gets a request and never answers."""

    asked, over = Event(), Event()

    def do_GET(self) -> None:
        self.asked.set()
        self.over.wait(120)

    def log_message(self, format: str, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def silent_server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    Silent.over.set()
    server.shutdown()
    server.server_close()


def test_a_request_that_nobody_answers_leaves_no_task_when_the_proxy_ends(
    silent_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    with S3Proxy(silent_server) as proxy:
        proxy.rule = Rule()
        client = http.client.HTTPConnection(urlsplit(proxy.endpoint).netloc)
        client.request("GET", "/bucket/key")
        assert Silent.asked.wait(120)
        client.close()  # as a trainer that is killed
    del proxy
    gc.collect()
    assert caplog.messages == []
