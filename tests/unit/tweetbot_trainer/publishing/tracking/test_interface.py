"""Which bases are artifacts of a run."""

import pytest

from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.publishing.tracking.interface import make_base_artifact


@pytest.mark.parametrize(
    ("base", "name", "uri"),
    [
        (BaseIdentity("scratch://mini", "scratch", "mini-1"), None, None),
        (BaseIdentity("hf://gpt2", "hub", "c0ffee"), "gpt2", "https://huggingface.co/gpt2/tree/c0ffee"),
        (BaseIdentity("s3://team-a/bases/our gpt2", "folder", "d", "t", "c"), "our-gpt2", "s3://team-a/bases/our gpt2"),
    ],
)
def test_a_base_that_somebody_trained_is_an_artifact(base: BaseIdentity, name: str | None, uri: str | None) -> None:
    found = make_base_artifact(base)
    assert (found and found.name, found and found.uri) == (name, uri)
