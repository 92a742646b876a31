"""A result comes when it is shown: `try` goes on for hours after its document."""

import io
from dataclasses import dataclass

import pytest

from tweetbot_kubectl.output.blocks import Text
from tweetbot_kubectl.output.output import Form, Output


@dataclass(frozen=True, slots=True)
class Shown:
    url: str


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_pipe_has_a_result_once_it_is_shown(form: Form) -> None:
    pipe = io.BytesIO()
    stream = io.TextIOWrapper(io.BufferedWriter(pipe), write_through=False)
    Output(form, stream).show(Shown("http://127.0.0.1"), (Text("http://127.0.0.1"),))
    assert b"http://127.0.0.1" in pipe.getvalue()
