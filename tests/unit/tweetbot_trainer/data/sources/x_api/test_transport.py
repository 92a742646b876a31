"""Every answer has a limit of time and of size, and a name for who gave it."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import requests

from tweetbot_fakes.remotes.served import Served
from tweetbot_fakes.remotes.x_api import FakeX
from tweetbot_fakes.remotes.x_api_answers import Answer, html
from tweetbot_trainer.data.sources.http import parse_object
from tweetbot_trainer.data.sources.x_api.transport import HOST, BoundedAdapter, get_server_name


@pytest.fixture
def x() -> Iterator[FakeX]:
    with FakeX() as server:
        yield server


def answered(x: FakeX, **limits: Any) -> requests.Response:
    with requests.Session() as session:
        session.mount("https://", BoundedAdapter(x.url, **limits))
        return session.get(f"{HOST}/2/users/1/tweets")


def test_a_silent_server_is_left(x: FakeX) -> None:
    x.fault(Answer(delay=0.5))
    with pytest.raises(requests.ReadTimeout):
        answered(x, timeout=(0.1, 0.1))


def test_an_answer_that_takes_too_long_as_a_whole_is_left(x: FakeX) -> None:
    x.fault(html(200))
    with pytest.raises(requests.ReadTimeout, match="not whole"):
        answered(x, longest=-1.0)


def test_an_answer_that_trickles_in_is_left() -> None:
    class Trickle(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            with suppress(OSError):
                while True:
                    self.wfile.write(b" ")
                    time.sleep(0.01)

        def log_message(self, *_: Any) -> None: ...

    with Served(Trickle) as server, requests.Session() as session:
        session.mount("https://", BoundedAdapter(server.url, longest=0.1))
        with pytest.raises(requests.ReadTimeout, match="not whole"):
            session.get(f"{HOST}/2/users/1/tweets")


def test_an_answer_that_is_too_large_is_left(x: FakeX) -> None:
    x.fault(Answer(body=b"x" * 101))
    with pytest.raises(requests.exceptions.ContentDecodingError, match="more than 100 bytes"):
        answered(x, largest=100)


def test_an_answer_within_its_limits_comes_as_it_is(x: FakeX) -> None:
    x.fault(Answer(body=b"x" * 100, headers={"x-rate-limit-reset": "1700000000"}))
    response = answered(x, largest=100)
    assert (response.content, response.headers["x-rate-limit-reset"]) == (b"x" * 100, "1700000000")


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b"<html>", {}),
        (b"<html><title>Access&nbsp;denied</title>\n<p>by the  proxy", {"message": "Access&nbsp;denied by the proxy"}),
        (b"<style>p {}</style><p>No<script>1 < 2</script>", {"message": "No"}),
        (b"[1]", {"message": "[1]"}),
        (b'{"errors": "all", "title": 7}', {"title": "7"}),
        (
            b'{"errors": [1, {"message": 3, "title": "x", "detail": null}]}',
            {"errors": [{"title": "x", "message": "3"}]},
        ),
    ],
)
def test_an_errors_body_comes_as_tweepy_can_read_it(x: FakeX, body: bytes, content: Any) -> None:
    x.fault(Answer(403, body))
    assert json.loads(answered(x).content) == content


@pytest.mark.parametrize(
    ("base", "name"),
    [
        (None, "api.twitter.com"),
        ("https://API.x.com/", "api.x.com"),
        ("http://127.0.0.1:8080", "127.0.0.1_8080"),
        ("https://me:secret@proxy.example/to/x?key=1", "proxy.example_to_x"),
    ],
)
def test_a_server_has_a_name_without_credentials(base: str | None, name: str) -> None:
    assert get_server_name(base) == name


def test_what_is_no_object_is_an_empty_one() -> None:
    assert [parse_object(body) for body in (b"", b"[]", b"\xff", b"[" * 200_000, b'{"a": 1}')] == [
        {},
        {},
        {},
        {},
        {"a": 1},
    ]
