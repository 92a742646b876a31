"""A server is asked whether it is one of Weights & Biases. Anything else is reported, and not waited for."""

import time
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tweetbot_fakes.remotes.served import Served
from tweetbot_fakes.remotes.wandb_server import KEY
from tweetbot_trainer.publishing.tracking.mode import check_api_key

AT_ONCE = partial(check_api_key, pause=lambda _: None)


class _Rubbish(BaseHTTPRequestHandler):
    """Sends the bytes that its subclass names, byte for byte where it `drips`."""

    said = b""
    drips = False

    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.wfile.write(self.said)
        with suppress(OSError):
            while self.drips:
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.01)


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n<html>",
        b"HTTP/1.1 200 OK\r\n\r\n[]",
        b'HTTP/1.1 200 OK\r\n\r\n{"data": "none"}',
        b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
    ],
    ids=["no HTTP", "a web page", "a list", "no object", "nested", "cut short"],
)
def test_a_server_other_than_weights_and_biases_is_reported_and_left_alone(said: bytes) -> None:
    with Served(type("Handler", (_Rubbish,), {"said": said})) as server:
        assert f"{server.url} is not Weights & Biases" in (AT_ONCE(server.url, KEY) or "")


def test_a_server_whose_answer_has_no_end_is_not_waited_for() -> None:
    dripping = {"said": b"HTTP/1.1 200 OK\r\n\r\n", "drips": True}
    with Served(type("Handler", (_Rubbish,), dripping)) as server:
        assert "does not answer (TimeoutError)" in (
            check_api_key(server.url, KEY, pause=lambda _: None, timeout=0.1) or ""
        )


def test_no_redirect_takes_the_key_to_another_server() -> None:
    elsewhere: list[str] = []

    class Elsewhere(_Rubbish):
        said = b'HTTP/1.1 200 OK\r\n\r\n{"data": {"viewer": {"id": "1"}}}'

        def do_GET(self) -> None:
            elsewhere.append(self.headers["Authorization"])

    with Served(Elsewhere) as other:
        moved = f"HTTP/1.1 302 Found\r\nLocation: {other.url}\r\n\r\n".encode()
        with Served(type("Handler", (_Rubbish,), {"said": moved})) as server:
            assert AT_ONCE(server.url, KEY) == f"{server.url} answered 302"
    assert elsewhere == []
