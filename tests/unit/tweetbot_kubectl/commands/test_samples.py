"""`kubectl tweetbot samples`."""

import json

from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import a_model, a_stored_bot, a_training_status, run_plugin

SAMPLES = [
    {"prompt": "My dream is", "text": "My dream is the harbour"},
    {"prompt": "Today", "text": "Today \x1b[31mthe seal\nlooked at me"},
    {"prompt": "My dream is", "text": "My dream is [bold]chips[/bold]"},
]


def a_trained() -> FakeApi:
    return FakeApi(a_stored_bot(status=a_training_status(model=a_model(), samples=SAMPLES)))


def test_samples_are_grouped_by_prompt_and_say_what_wrote_them() -> None:
    assert run_plugin(a_trained(), "samples", "gull").output.splitlines() == [
        "AI-generated, by model 227ba5f2c6c9109f",
        "",
        "My dream is",
        "• My dream is the harbour",
        "• My dream is [bold]chips[/bold]",
        "",
        "Today",
        "• Today [31mthe seal looked at me",
    ]


def test_what_a_model_wrote_commands_no_terminal() -> None:
    output = run_plugin(a_trained(), "samples", "gull", terminal=True).output
    assert "[31mthe seal" in output
    assert "\x1b[31m" not in output
    assert "[bold]chips[/bold]" in output


def test_the_document_keeps_texts_as_they_are() -> None:
    document = json.loads(run_plugin(a_trained(), "samples", "gull", "-o", "json").output)
    assert document["disclosure"] == "AI-generated"
    assert document["prompts"][1] == {"prompt": "Today", "texts": ["Today \x1b[31mthe seal\nlooked at me"]}


def test_without_a_model_there_are_no_samples() -> None:
    done = run_plugin(FakeApi(a_stored_bot()), "samples", "gull")
    assert (done.code, "`kubectl tweetbot status gull` says why" in done.notes) == (3, True)
