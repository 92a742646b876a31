"""A picture comes from its network's host or from the API's server, within limits, or not at all."""

from collections.abc import Iterator
from io import StringIO

import pytest

from tweetbot_fakes.remotes import x_api as fake
from tweetbot_fakes.remotes.x_api import FakeX
from tweetbot_fakes.remotes.x_api_answers import Answer, html
from tweetbot_trainer.data.sources.http import LARGEST_PICTURE, download_picture
from tweetbot_trainer.data.sources.x_api.source import PICTURES
from tweetbot_trainer.runtime.log import Log


@pytest.fixture
def x() -> Iterator[FakeX]:
    with FakeX() as server:
        yield server


def avatar(x: FakeX, address: str | None = None) -> tuple[bytes | None, str]:
    """Return what comes of an address, and the log."""
    address, log = address or f"{x.url}/pictures/gull_400x400.png", StringIO()
    found = download_picture(address, hosts=(PICTURES, f"{x.url}/path"), event="x.avatar", log=Log(log))
    return found, log.getvalue()


def test_a_picture_on_the_servers_host_is_fetched(x: FakeX) -> None:
    assert avatar(x) == (fake.PNG, "")
    assert x.requests[-1].path == "/pictures/gull_400x400.png"


@pytest.mark.parametrize(
    "answer",
    [
        html(404),
        html(503),
        Answer(end="closed"),
        Answer(204),
        Answer(302, headers={"location": "/pictures/another.png"}),
        Answer(body=b"x" * (LARGEST_PICTURE + 1)),
    ],
)
def test_a_picture_that_does_not_come_is_none_and_logged(x: FakeX, answer: Answer) -> None:
    x.fault(answer)
    found, output = avatar(x)
    assert found is None
    assert "could not be fetched" in output
    assert len(x.requests) == 1


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/gull_normal.png",
        "http://pbs.twimg.com/gull_normal.png",
        "https://pbs.twimg.com@elsewhere.example/gull_normal.png",
        "https://pbs.twimg.com.elsewhere.example/gull_normal.png",
        "file:///etc/passwd",
        "http://[::",
        "gull.png",
    ],
)
def test_a_picture_elsewhere_is_left(x: FakeX, address: str) -> None:
    found, output = avatar(x, address)
    assert found is None
    assert "another host than https://pbs.twimg.com" in output
    assert x.requests == []


def test_no_address_is_no_picture() -> None:
    assert download_picture(None, hosts=(PICTURES,), event="x.avatar", log=Log(StringIO())) is None
