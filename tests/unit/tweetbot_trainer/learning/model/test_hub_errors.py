"""What the hub names is final, what it does not name passes, as the hub's own client reads its answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from tweetbot_fakes.remotes.model_hub import COMMIT, NAME, Answer, FakeHub, model_hub, refused
from tweetbot_trainer.learning.model import hub
from tweetbot_trainer.learning.model.hub_errors import NO_ANSWER, TABLE
from tweetbot_trainer.runtime.errors import SpecRefused, StageError, TemporaryError
from tweetbot_trainer.runtime.refusals import Meaning

PAGE = {"content-type": "text/html"}
#: What huggingface.co answers to strangers who ask for a model that is private, or that does not exist.
STRANGER = (401, {"content-type": "application/json"}, b'{"error":"Invalid username or password."}')


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHub]:
    with model_hub(tmp_path_factory.mktemp("hub")) as fake:
        yield fake


@pytest.fixture
def fake(running: FakeHub) -> FakeHub:
    running.faults = []
    return running


def failure(fake: FakeHub, answer: Answer) -> StageError:
    """Return how a name fails to become a commit."""
    fake.faults = [answer]
    with pytest.raises(StageError) as failed:
        hub.resolve_commit(NAME, "v1", endpoint=fake.url)
    return failed.value


@pytest.mark.parametrize(
    ("answer", "reason", "words"),
    [
        (refused(404, "RepoNotFound", "Repository not found"), "BaseModelNotFound", f"no public model {NAME}"),
        (refused(401, "RepoNotFound", "Repository not found"), "BaseModelNotFound", f"no public model {NAME}"),
        (STRANGER, "BaseModelNotFound", "in spec.model.tokenSecret"),
        (refused(404, "RevisionNotFound", "Invalid rev id: v1"), "BaseModelNotFound", "has no revision v1"),
        (refused(404, "EntryNotFound", "Entry not found"), "BaseModelRefused", "lacks a file"),
        (refused(403, "GatedRepo", "Access to model is restricted"), "BaseModelRefused", "is gated"),
        (refused(403, "", "Access to this resource is disabled."), "BaseModelRefused", "was disabled"),
    ],
)
def test_what_the_hub_names_ends_at_once(fake: FakeHub, answer: Answer, reason: str, words: str) -> None:
    failed = failure(fake, answer)
    assert (type(failed), failed.reason.name) == (SpecRefused, reason)
    assert words in failed.message
    assert f"answered {answer[0]} for {NAME}" in failed.message


@pytest.mark.parametrize(
    "answer",
    [
        *((status, {}, b"") for status in (400, 401, 402, 403, 404, 407, 410, 429, 451, 500, 502, 503)),
        *((status, PAGE, b"<html><p>Sign in") for status in (200, 401, 403, 404, 503)),
        (404, {"content-type": "application/json"}, b'{"errors": [{"status": 404, "message": "Not Found"}]}'),
        (403, {"content-type": "application/json"}, b'["Forbidden"]'),
        (404, {"content-type": "text/plain"}, b"Repository not found here"),
        (418, {"x-error-code": "Teapot"}, b""),
        (503, {"x-error-code": "RepoNotFound"}, b""),
        (200, {}, b""),
        (200, {}, b"[1]"),
        (200, {}, b'{"id": "harbour/gpt2"}'),
        (200, {}, b'{"sha": '),
        (200, {"content-encoding": "gzip"}, b"{}"),
        (200, {}, b"[" * 100_000),
        (204, {}, b""),
        (302, {}, b""),
    ],
)
def test_what_the_hub_does_not_name_passes(fake: FakeHub, answer: Answer) -> None:
    """Its client takes every 401 for a missing model, also one of a proxy."""
    failed = failure(fake, answer)
    assert (type(failed), failed.reason.name) == (TemporaryError, "ModelHubUnavailable")
    assert NAME in failed.message


def test_a_page_for_people_is_quoted(fake: FakeHub) -> None:
    blocked = failure(fake, (403, PAGE, b"<html><p>Ask your  administrator.</p>"))
    assert f"answered 403 for {NAME}: Ask your administrator; if it lasts" in blocked.message


LINES = [(meaning, name) for meaning in TABLE for name in meaning.names]


@pytest.mark.parametrize(("meaning", "name"), LINES, ids=[f"{name} {'/'.join(m.words)}" for m, name in LINES])
def test_every_line_of_the_table_is_reached(fake: FakeHub, meaning: Meaning, name: str) -> None:
    failed = failure(fake, refused(403, name, meaning.words[0] if meaning.words else "no"))
    assert (type(failed), failed.reason) == (meaning.error, meaning.reason)
    assert meaning.advice.format(name=NAME, revision="v1") in failed.message


def test_an_invalid_name_is_refused(fake: FakeHub) -> None:
    with pytest.raises(SpecRefused, match="BaseModelNotFound: The hub has no public model a b"):
        hub.resolve_commit("a b", None, endpoint=fake.url)


def test_what_listing_was_refused_for_is_told_of_a_download(fake: FakeHub, tmp_path: Path) -> None:
    """The client wraps it, as if the hub were away."""
    fake.faults = [refused(403, "", "Access to this resource is disabled.")]
    with pytest.raises(SpecRefused, match="was disabled"):
        hub.download(NAME, COMMIT, tmp_path, endpoint=fake.url)


@pytest.mark.parametrize("error", [NO_ANSWER("no"), ConnectionError("offline"), LocalEntryNotFoundError("no")])
def test_a_hub_that_does_not_answer_is_temporary(error: Exception) -> None:
    def ask() -> None:
        raise error

    with pytest.raises(TemporaryError, match=r"ModelHubUnavailable: .*does not answer for owner/name"):
        hub.ask_hub("owner/name", "main", ask)
