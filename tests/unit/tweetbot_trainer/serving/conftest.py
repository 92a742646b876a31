"""Models that are served: untrained, and small."""

from pathlib import Path

import pytest

from builders.serving.client import Client, a_served_model, a_server
from tweetbot_trainer.serving.drafting.served import ServedModel


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model without a card."""
    path = tmp_path_factory.mktemp("served") / "model"
    a_served_model(path)
    return path


@pytest.fixture
def model(folder: Path) -> ServedModel:
    return a_served_model(folder)


@pytest.fixture
def client(model: ServedModel) -> Client:
    return Client(a_server(model))
