"""Runs at Weights & Biases and copies on the Hub are deleted by the keys that there are, or told with what to do."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from builders.published import REPO, STORE, learn
from builders.stages import a_local_run
from tweetbot_contract.handover import RunDocument
from tweetbot_fakes.remotes.hub_repositories import BAD_TOKEN, TOKEN, FakeRepositories
from tweetbot_fakes.remotes.model_hub import refused
from tweetbot_fakes.remotes.wandb_server import KEY, wandb_server
from tweetbot_fakes.remotes.wandb_state import FakeWandb, Fault, RecordedArtifact
from tweetbot_trainer.publishing.forgetting.elsewhere import connect_person, connect_pod
from tweetbot_trainer.publishing.hub.record import MARKER_FILE, Marker, hash_folder
from tweetbot_trainer.publishing.tracking import wandb_erasure
from tweetbot_trainer.publishing.tracking.wandb_erasure import TrackingServer
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError, TemporaryError
from tweetbot_trainer.runtime.retry_budget import RetryBudget

#: The Hub's own client uses its HTTP client in a way that that one has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
PATH = "harbour/huggingtweets/runs/gull-1-train"


@pytest.fixture
def wandb() -> Iterator[FakeWandb]:
    with wandb_server() as server:
        server.run("gull-1-train")
        server.run("gull-2-train")
        for number in ("1", "2"):
            made_by = {f"gull-{number}-train"}
            server.artifacts[number] = RecordedArtifact(number, "model-gull", "model", number, {}, made_by=made_by)
        yield server


def delete(server: FakeWandb, *, key: str = KEY, path: str = PATH) -> None:
    TrackingServer(server.url, key, "name a valid one").delete_run(f"{server.url}/{path}")


def test_a_run_goes_with_what_it_made_and_no_other(wandb: FakeWandb) -> None:
    delete(wandb)
    assert (list(wandb.runs), list(wandb.artifacts), wandb.unknown) == (["gull-2-train"], ["2"], [])


def test_a_run_that_is_gone_is_as_good_as_deleted(wandb: FakeWandb) -> None:
    delete(wandb)
    delete(wandb)


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("401", NotAuthorized, r"refuses the API key \(401\): name a valid one, or delete it there"),
        ("unavailable", TemporaryError, "answered 503"),
        ("refuse", TemporaryError, "does not answer"),
        ("hang", TemporaryError, "does not answer"),
    ],
)
def test_a_server_that_does_not_delete_is_told(
    wandb: FakeWandb, fault: Fault, error: type[StageError], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wandb_erasure, "ANSWER_TIMEOUT", 0.2)
    wandb.fault = fault
    with pytest.raises(error, match=words) as told:
        delete(wandb)
    assert KEY not in told.value.message
    assert len(wandb.runs) == 2


def test_a_project_that_the_key_cannot_see_does_not_pass_for_a_run_that_is_gone(wandb: FakeWandb) -> None:
    wandb.hidden.add("huggingtweets")
    with pytest.raises(NotAuthorized, match="cannot see the project harbour/huggingtweets: name a valid one"):
        delete(wandb)


def test_a_key_that_may_read_only_is_told(wandb: FakeWandb) -> None:
    wandb.closed.add("huggingtweets")
    with pytest.raises(NotAuthorized, match=r"refuses the API key \(403\)"):
        delete(wandb)


def test_without_a_key_nothing_is_asked(wandb: FakeWandb) -> None:
    with pytest.raises(NotAuthorized, match="there is no API key for it: name a valid one, or delete it there"):
        delete(wandb, key="")
    assert bytes(wandb.received) == b""


@pytest.mark.parametrize("url", ["https://wandb.example.org/a/b/runs/c", "{}/a/b", "{}/a/b/reports/c", "", "x"])
def test_the_key_is_sent_to_no_other_server(wandb: FakeWandb, url: str) -> None:
    """The address comes from a manifest, which everybody can write who writes to the bucket."""
    with pytest.raises(SpecRefused, match=f"it is not at {wandb.url}, the server of the key: delete it there"):
        TrackingServer(wandb.url, KEY, "").delete_run(url.format(wandb.url))
    assert bytes(wandb.received) == b""


def test_the_public_servers_pages_are_at_another_host_than_its_api() -> None:
    server = TrackingServer("https://api.wandb.ai", "", "set it")
    with pytest.raises(NotAuthorized, match="there is no API key"):
        server.delete_run("https://wandb.ai/harbour/huggingtweets/runs/gull-1-train")


@pytest.fixture
def run(tmp_path: Path) -> RunDocument:
    document = a_local_run(tmp_path)
    learn(STORE, document)
    return document


@pytest.fixture
def hub(run: RunDocument, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeRepositories]:
    (tmp_path / "secrets" / "hub").mkdir(parents=True)
    (tmp_path / "secrets" / "hub" / "token").write_text(TOKEN, encoding="utf-8")
    marker = Marker(bot_uid=run.uid, folder=hash_folder(run.prefix), version="v1", manifest_sha256="")
    with FakeRepositories() as fake:
        monkeypatch.setattr(constants, "ENDPOINT", fake.url)
        fake.add(REPO, files={MARKER_FILE: marker.encode()})
        yield fake


def test_a_pod_and_a_person_delete_the_tweetbots_repository(
    hub: FakeRepositories, run: RunDocument, tmp_path: Path
) -> None:
    connect_pod(run, tmp_path / "secrets", RetryBudget(0)).delete_repository(REPO)
    assert hub.repositories == {}
    connect_person(run, {"HF_TOKEN": TOKEN}, RetryBudget(0)).delete_repository(REPO)  # which is gone


@pytest.mark.parametrize(
    ("answer", "error"), [(BAD_TOKEN, NotAuthorized), (refused(503, "", "away"), TemporaryError)], ids=["401", "503"]
)
def test_a_hub_that_does_not_delete_is_told(
    hub: FakeRepositories, run: RunDocument, tmp_path: Path, answer: tuple[int, dict[str, str], bytes], error: type
) -> None:
    hub.fail("api/repos/delete", answer, times=9)
    with pytest.raises(error):
        connect_pod(run, tmp_path / "secrets", RetryBudget(0)).delete_repository(REPO)
    assert list(hub.repositories) == [REPO]


def test_a_repository_of_somebody_else_stays(hub: FakeRepositories, run: RunDocument, tmp_path: Path) -> None:
    other = run.model_copy(update={"uid": "uid-of-another", "name": "tern"})
    with pytest.raises(SpecRefused, match="is not this TweetBot's: it was left as it is"):
        connect_pod(other, tmp_path / "secrets", RetryBudget(0)).delete_repository(REPO)
    assert list(hub.repositories) == [REPO]


def test_without_a_token_or_a_key_the_variable_is_named(run: RunDocument) -> None:
    elsewhere = connect_person(run, {}, RetryBudget(0))
    with pytest.raises(NotAuthorized, match="set HF_TOKEN"):
        elsewhere.delete_repository(REPO)
    with pytest.raises(NotAuthorized, match="set WANDB_API_KEY, or delete it there"):
        elsewhere.delete_tracked_run(f"https://wandb.ai/{PATH}")
