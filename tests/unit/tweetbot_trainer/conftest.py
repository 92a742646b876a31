"""What several of the trainer's tests stand on."""

from collections.abc import Iterator
from functools import cache

import pytest
from botocore import hooks, loaders

from builders.x import SECRET, Clock
from tweetbot_fakes.remotes.x_api import FakeX
from tweetbot_fakes.scales import fit_once


@pytest.fixture(scope="session", autouse=True)
def _models_of_aws_are_parsed_once() -> Iterator[None]:
    """Each client looks through 400 folders, parses half a megabyte of JSON and looks its handlers over; here once."""
    list_services = loaders.Loader.list_available_services
    takes_keywords, find_name = cache(hooks.accepts_kwargs), hooks.EventAliaser(None)._alias_event_name
    found: dict[tuple[str, ...], list[str]] = {}

    def list_once(loader: loaders.Loader, type_name: str) -> list[str]:
        key = (type_name, *loader.search_paths)
        if key not in found:
            found[key] = list_services(loader, type_name)
        return found[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loaders.JSONFileLoader, "load_file", staticmethod(cache(loaders.JSONFileLoader().load_file)))
        patch.setattr(loaders.Loader, "list_available_services", list_once)
        patch.setattr(hooks, "accepts_kwargs", lambda handler: takes_keywords(getattr(handler, "__func__", handler)))
        patch.setattr(hooks.EventAliaser, "_alias_event_name", lambda _, event: find_name(event))
        yield


@pytest.fixture(scope="module")
def scales_are_fitted_once() -> Iterator[None]:
    """Fit the style's scale once to the same posts: it takes as long as a training, and many tests train on them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tweetbot_trainer.learning.style.style.fit_scale", fit_once)
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
