"""What several of the trainer's tests stand on."""

from collections.abc import Iterator
from functools import cache

import pytest
from botocore import loaders

from builders.x import SECRET, Clock
from tweetbot_fakes.remotes.x_api import FakeX


@pytest.fixture(scope="session", autouse=True)
def _models_of_aws_are_parsed_once() -> Iterator[None]:
    """Each client parses its models from half a megabyte of JSON; here they are parsed once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loaders.JSONFileLoader, "load_file", staticmethod(cache(loaders.JSONFileLoader().load_file)))
        yield


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
