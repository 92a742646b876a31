"""`kubectl tweetbot drafts`, on a fake API server whose Pod ends at the first look."""

import json

import pytest

from tweetbot_fakes.kubernetes.api_requests import FakeApi
from tweetbot_fakes.plugin import a_model, a_stored_bot, a_trained_api, end_pod, list_pod_writes, run_plugin

DRAFT = json.dumps({"ai_generated": True, "disclosure": "AI-generated.", "index": 0, "text": "My dream is the harbour"})
COPIES = "1 texts copied a post of the dataset and were discarded"


def test_drafts_go_to_the_pipe_and_all_else_beside_it() -> None:
    api = a_trained_api()
    words = ("drafts", "gull", "--count", "20", "--prompt=--$(HOME)", "--seed", "7")
    done = run_plugin(api, *words, sleep=end_pod(api, COPIES, DRAFT, '{"a": 1}', "", DRAFT))
    assert (done.code, done.output) == (0, f"{DRAFT}\n{DRAFT}\n")
    assert [COPIES in done.notes, '{"a": 1}' in done.notes] == [True, True]
    assert list_pod_writes(api) == ["POST", "DELETE"]
    (container,) = api.sent[0][2]["spec"]["containers"]
    command = " ".join(container["command"])
    assert command.startswith(f"tweetbot-trainer generate --model {a_model()['uri']} --jsonl --count 20 --seed 7")
    assert "--prompt=--$$(HOME)" in container["command"]


def test_a_pod_that_fails_is_told_in_its_own_words_and_deleted() -> None:
    api, said = a_trained_api(), "tweetbot-trainer: NotAuthorized: the key may not read s3://team-a/models"
    done = run_plugin(api, "drafts", "gull", sleep=end_pod(api, said, exitCode=11))
    assert (done.code, done.output) == (1, "")
    assert [said in done.notes, "No drafts were written: it ended with exit code 11" in done.notes] == [True, True]
    assert list_pod_writes(api) == ["POST", "DELETE"]


def test_a_pod_that_does_not_end_is_deleted_all_the_same() -> None:
    api = a_trained_api()
    done = run_plugin(api, "drafts", "gull")
    assert (done.code, "did not end within 1200 s: it waits for a node" in done.notes) == (1, True)
    assert list_pod_writes(api) == ["POST", "DELETE"]


def test_ctrl_c_deletes_the_pod() -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    api = a_trained_api()
    assert run_plugin(api, "drafts", "gull", sleep=interrupt).code == 130
    assert list_pod_writes(api) == ["POST", "DELETE"]


def test_without_a_model_nothing_is_started() -> None:
    api = FakeApi(a_stored_bot())
    done = run_plugin(api, "drafts", "gull")
    assert (done.code, api.sent, "has no model yet" in done.notes) == (3, [], True)


def test_a_number_after_kubectls_n_is_explained() -> None:
    """The trainer's own -n is the number of posts."""
    done = run_plugin(api := a_trained_api(), "drafts", "gull", "-n", "20")
    assert (done.code, api.sent, "write --count 20" in done.notes) == (2, [], True)
    assert "namespace 20" in run_plugin(api, "drafts", "gull", "-n", "20", "--count", "1").notes


@pytest.mark.parametrize("words", [("--count", "0"), ("--count", "101"), ("--seed", "-1"), ("--seed", str(2**63))])
def test_what_the_trainer_would_refuse_is_refused_before_a_pod_is_started(words: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_plugin(a_trained_api(), "drafts", "gull", *words)
    assert ended.value.code == 2
