"""What several of the trainer's tests stand on."""

from collections.abc import Iterator

import pytest

from builders_x import SECRET, Clock
from tweetbot_fakes.x_api import FakeX


@pytest.fixture
def x() -> Iterator[FakeX]:
    """The X API with an account of 250 posts."""
    with FakeX(token=SECRET) as server:
        server.add_account("harbour_gull", posts=250)
        yield server


@pytest.fixture
def clock() -> Clock:
    """Time that passes only by waiting."""
    return Clock()
