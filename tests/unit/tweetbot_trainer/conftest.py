"""What several of the trainer's tests stand on."""

from collections.abc import Iterator
from functools import cache

import pytest
from botocore import loaders

from builders.x import SECRET, Clock
from tweetbot_fakes.remotes.x_api import FakeX


@pytest.fixture(scope="session", autouse=True)
def _models_of_aws_are_parsed_once() -> Iterator[None]:
    """Each client looks through 400 folders and parses half a megabyte of JSON; here it is done once."""
    list_services = loaders.Loader.list_available_services
    found: dict[tuple[str, ...], list[str]] = {}

    def list_once(loader: loaders.Loader, type_name: str) -> list[str]:
        key = (type_name, *loader.search_paths)
        if key not in found:
            found[key] = list_services(loader, type_name)
        return found[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loaders.JSONFileLoader, "load_file", staticmethod(cache(loaders.JSONFileLoader().load_file)))
        patch.setattr(loaders.Loader, "list_available_services", list_once)
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
