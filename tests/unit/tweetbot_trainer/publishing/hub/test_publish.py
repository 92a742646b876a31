"""A stage sends what it serves to the Hub. Whatever the Hub does, the stage has succeeded."""

import json
import shlex
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from builders.published import STORE, a_published_model, version_of
from builders.stages import a_context, a_local_run
from tweetbot_contract.handover import SECRETS_DIR_ENV, RunDocument, explain_hub_fault
from tweetbot_contract.result import HubResult, PinSucceeded, PrepareSucceeded, TrainSucceeded
from tweetbot_fakes.remotes.hub_repositories import BAD_TOKEN, TOKEN, FakeRepositories
from tweetbot_fakes.remotes.model_hub import refused
from tweetbot_trainer.__main__ import run_command
from tweetbot_trainer.cli.cleanup import erase
from tweetbot_trainer.cli.parser import parse_args
from tweetbot_trainer.cli.stage import dispatch_stage, forget_posts
from tweetbot_trainer.publishing.hub import publish as publish_module
from tweetbot_trainer.publishing.hub.erasure import delete_copies
from tweetbot_trainer.publishing.hub.publish import HubPublisher, run_within
from tweetbot_trainer.publishing.hub.record import read_pushes
from tweetbot_trainer.publishing.registry.manifest import build_result, read_version
from tweetbot_trainer.runtime.errors import NotAuthorized, StageError, TemporaryError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.signals import StopRequest

#: The Hub's own client uses its HTTP client in a way that that one has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
REPO = "harbour/gull"
HUB = {"repo": REPO, "tokenSecret": {"name": "hub", "key": "token"}}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeRepositories]:
    (tmp_path / "secrets" / "hub").mkdir(parents=True)
    (tmp_path / "secrets" / "hub" / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    with FakeRepositories() as fake:
        monkeypatch.setattr(constants, "ENDPOINT", fake.url)
        yield fake


def spec(folder: Path, **hub: Any) -> dict[str, Any]:
    return {"output": {"s3": {"uri": f"file://{folder}/bucket"}, "huggingFace": {**HUB, **hub}}}


@pytest.fixture
def run(tmp_path: Path) -> RunDocument:
    return a_published_model(tmp_path, spec=spec(tmp_path))


def a_publisher(folder: Path, run: RunDocument, log: StringIO | None = None) -> HubPublisher:
    words = Log(log or StringIO())
    return HubPublisher(run, STORE, secrets=folder / "secrets", work=folder / "work", log=words, stop=StopRequest())


def the_result(run: RunDocument, **changes: Any) -> TrainSucceeded:
    version = read_version(STORE, version_of(run))
    assert version
    return build_result(version, run).model_copy(update=changes)


def test_a_trained_version_is_sent_and_told(hub: FakeRepositories, run: RunDocument, tmp_path: Path) -> None:
    sent = a_publisher(tmp_path, run).publish(the_result(run)).hub
    made = hub.repositories[REPO]
    assert sent
    assert sent.published
    assert (sent.published.commit, sent.degraded) == (made.head, None)
    assert list(made.tags) == [the_result(run).model.version]


def test_a_version_beside_the_pinned_one_stays_off_the_hub(
    hub: FakeRepositories, run: RunDocument, tmp_path: Path
) -> None:
    assert a_publisher(tmp_path, run).publish(the_result(run, pinned="v1")).hub is None
    assert hub.asked == []


def test_a_model_of_another_cluster_is_not_sent_again(hub: FakeRepositories, run: RunDocument, tmp_path: Path) -> None:
    assert a_publisher(tmp_path, run).publish(the_result(run, prefix_owned="theirs")).hub is None
    assert hub.asked == []


def test_the_version_that_a_pin_serves_is_sent(hub: FakeRepositories, run: RunDocument, tmp_path: Path) -> None:
    moved = a_publisher(tmp_path, run).publish(PinSucceeded(served=the_result(run)))
    assert moved.served
    assert moved.served.hub
    assert moved.served.hub.published


def test_the_next_run_sends_what_an_earlier_one_could_not(
    hub: FakeRepositories, run: RunDocument, tmp_path: Path
) -> None:
    hub.fail("/commit/", refused(403, "", "Forbidden"))
    first = a_publisher(tmp_path, run).publish(the_result(run)).hub
    assert first
    assert first.published is None
    prepared = dispatch_stage("Prepare", a_context(tmp_path, run))
    assert isinstance(prepared, PrepareSucceeded)
    assert (prepared.hub, hub.repositories[REPO].tags) == (None, {}), "before the training nothing else is served"
    again = a_publisher(tmp_path, run).publish(prepared.model_copy(update={"adopted": the_result(run)}))
    assert again.adopted
    assert again.adopted.hub
    assert again.adopted.hub.published


def test_a_run_with_nothing_new_sends_what_is_served(hub: FakeRepositories, run: RunDocument, tmp_path: Path) -> None:
    quiet = dispatch_stage("Prepare", a_context(tmp_path, run.model_copy(update={"min_new_posts": 5})))
    assert isinstance(quiet, PrepareSucceeded)
    assert quiet.new_posts == 0
    assert quiet.hub
    assert quiet.hub.published
    assert list(hub.repositories) == [REPO]


def test_without_a_repository_in_the_spec_no_hub_is_asked(hub: FakeRepositories, tmp_path: Path) -> None:
    run = a_published_model(tmp_path)
    quiet = dispatch_stage("Prepare", a_context(tmp_path, run.model_copy(update={"min_new_posts": 5})))
    assert isinstance(quiet, PrepareSucceeded)
    assert (quiet.new_posts, quiet.hub, hub.asked) == (0, None, [])


def test_a_refusal_is_told_and_fails_nothing(hub: FakeRepositories, run: RunDocument, tmp_path: Path) -> None:
    hub.fail("GET /api/models", BAD_TOKEN)
    log = StringIO()
    sent = a_publisher(tmp_path, run, log).publish(the_result(run)).hub
    assert sent
    assert sent.published is None
    assert "Put a valid token into key token of the Secret hub" in (sent.degraded or "")
    assert hub.count("GET /api/models") == 1, "a refused token is not tried again while a GPU is held"
    assert "hub.degraded" in log.getvalue()


def test_a_secret_without_the_key_is_told(hub: FakeRepositories, run: RunDocument, tmp_path: Path) -> None:
    (tmp_path / "secrets" / "hub" / "token").unlink()
    sent = a_publisher(tmp_path, run).publish(the_result(run)).hub
    assert sent
    assert sent.degraded == "there is no token in key token of the Secret hub: create it"


def test_a_fault_of_ours_fails_nothing_either(
    hub: FakeRepositories, run: RunDocument, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish_module, "push_version", lambda *_: 1 / 0)
    sent = a_publisher(tmp_path, run).publish(the_result(run)).hub
    assert sent
    assert "unexpected error (ZeroDivisionError)" in (sent.degraded or "")


def test_a_hub_that_does_not_answer_is_left_alone(
    hub: FakeRepositories, run: RunDocument, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish_module, "LIMIT_SECONDS", 0.2)
    hub.hang("/commit/")
    sent = a_publisher(tmp_path, run).publish(the_result(run)).hub
    assert sent
    assert "did not take it within" in (sent.degraded or "")


def test_a_pod_that_is_to_stop_waits_for_no_hub() -> None:
    stop, release = StopRequest(), StopRequest()
    stop.request()
    with pytest.raises(TemporaryError, match="asked to stop"):
        run_within(60, lambda: release.pause(5), stop)
    release.request()


def test_what_the_thread_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        run_within(60, lambda: 1 / 0, StopRequest())


# ---- taking it back


def sent(folder: Path, run: RunDocument) -> None:
    assert a_publisher(folder, run).publish(the_result(run)).hub


def cleaned(folder: Path, run: RunDocument) -> None:
    log = Log(StringIO())
    erase(STORE, run, log, StopRequest(), take_back=lambda pushes: delete_copies(run, pushes, folder / "secrets", log))


def test_a_cleanup_deletes_the_repository(hub: FakeRepositories, run: RunDocument, tmp_path: Path) -> None:
    sent(tmp_path, run)
    other = hub.add("harbour/other", files={"model.safetensors": b"mine"})
    cleaned(tmp_path, run)
    assert hub.repositories == {"harbour/other": other}
    assert list(STORE.list(f"{run.prefix}/")) == []


def test_a_cleanup_finds_a_repository_that_the_spec_named_before(
    hub: FakeRepositories, run: RunDocument, tmp_path: Path
) -> None:
    sent(tmp_path, run)
    later = run.model_copy(update={"spec": a_local_run(tmp_path, spec=spec(tmp_path, repo="harbour/new")).spec})
    cleaned(tmp_path, later)
    assert hub.repositories == {}


def test_a_cleanup_leaves_a_repository_of_somebody_else(
    hub: FakeRepositories, run: RunDocument, tmp_path: Path
) -> None:
    sent(tmp_path, run)
    theirs = {"botUid": "uid-tern", "folder": "0" * 16, "version": "v1", "manifestSha256": "1" * 64}
    hub.add(REPO, files={"tweetbot.json": json.dumps(theirs).encode()})
    cleaned(tmp_path, run)
    assert list(hub.repositories) == [REPO]


def test_a_tweetbot_that_sent_nothing_is_deleted_without_the_hub(
    hub: FakeRepositories, run: RunDocument, tmp_path: Path
) -> None:
    (tmp_path / "secrets" / "hub" / "token").unlink()
    cleaned(tmp_path, run)
    assert hub.asked == []


def test_a_refused_deletion_is_told_and_tried_again_when_all_else_is_erased(
    hub: FakeRepositories, run: RunDocument, tmp_path: Path
) -> None:
    sent(tmp_path, run)
    hub.fail("DELETE", refused(403, "", "Forbidden"))
    with pytest.raises(NotAuthorized, match="Forbidden"):
        cleaned(tmp_path, run)
    left = {info.uri.rpartition("/")[2] for info in STORE.list(f"{run.prefix}/")}
    assert left == {"hub.json", "owner.json"}
    cleaned(tmp_path, run)
    assert hub.repositories == {}
    assert list(STORE.list(f"{run.prefix}/")) == []


def test_copies_without_a_token_are_named(hub: FakeRepositories, run: RunDocument, tmp_path: Path) -> None:
    sent(tmp_path, run)
    (tmp_path / "secrets" / "hub" / "token").unlink()
    with pytest.raises(StageError, match=f"{REPO} was not deleted"):
        cleaned(tmp_path, run)


def forget(folder: Path, *ids: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    (folder / "ids.txt").write_text("\n".join(ids), encoding="utf-8")
    code = run_command(["forget", "--ids", str(folder / "ids.txt"), "--root", f"file://{folder}/bucket", "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_forget_names_the_copies_that_learned_from_a_post(
    hub: FakeRepositories, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_published_model(tmp_path, spec=spec(tmp_path))
    sent(tmp_path, run)
    (post,) = [line for line in STORE.get(f"{run.prefix}/hub.json").decode().splitlines() if '"dataset"' in line]
    first = read_version(STORE, version_of(run))
    assert first
    assert first.manifest.dataset.digest in post
    ids = STORE.get(f"{first.manifest.dataset.uri}/ids.jsonl").decode().splitlines()
    code, document = forget(tmp_path, json.loads(ids[0])["id"], capsys=capsys)
    assert code == 0
    assert [copy["url"] for copy in document["copies"]] == [f"{hub.url}/{REPO}/tree/{first.manifest.version}"]


def test_once_the_post_is_forgotten_a_new_repository_has_the_served_version_alone(
    hub: FakeRepositories, tmp_path: Path
) -> None:
    """A repository keeps earlier versions, so it was deleted whole."""
    first = a_published_model(tmp_path, spec=spec(tmp_path))
    sent(tmp_path, first)
    (dataset,) = (info.uri for info in STORE.list(f"{first.prefix}/datasets/") if info.uri.endswith("ids.jsonl"))
    excluded = {"filter": {"excludeIds": [json.loads(STORE.get(dataset).splitlines()[0])["id"]]}}
    run = a_published_model(tmp_path, spec={**spec(tmp_path), **excluded}, run_id="f" * 16, run_number=2)
    sent(tmp_path, run)
    assert len(hub.repositories[REPO].tags) == 2
    folders = {"secrets": tmp_path / "secrets", "work": tmp_path / "work"}
    result = forget_posts(run, STORE, **folders, log=Log(StringIO()), stop=StopRequest())
    assert (result.erased.hub_copies, result.left) == (1, ())
    assert list(hub.repositories[REPO].tags) == [the_result(run).model.version]
    assert [push.version for push in read_pushes(STORE, f"{run.prefix}/hub.json")] == [the_result(run).model.version]


def test_forget_names_a_copy_whose_posts_nobody_knows_any_more(
    hub: FakeRepositories, run: RunDocument, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sent(tmp_path, run)
    version = the_result(run).model.version
    for folder in ("models", "datasets"):
        list(STORE.erase(f"{run.prefix}/{folder}/"))
    code, document = forget(tmp_path, "1", capsys=capsys)
    assert (code, document["unknown"]) == (10, [f"{hub.url}/{REPO}/tree/{version}"])


# ---- by hand


def published(run: RunDocument, *options: str) -> int:
    return run_command(["publish", "--model", run.prefix, "--repo", REPO, *options])


def test_a_version_is_sent_by_hand(
    hub: FakeRepositories, run: RunDocument, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)  # which people may have anywhere
    assert published(run, "--visibility", "Public") == 0
    assert f"is at {hub.url}/{REPO}/tree/" in capsys.readouterr().out
    assert not hub.repositories[REPO].private


def test_in_a_pod_the_token_is_that_of_its_secret(
    hub: FakeRepositories,
    run: RunDocument,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv(SECRETS_DIR_ENV, str(tmp_path))
    assert published(run) == 11
    assert "create the Secret of the Hub's token" in capsys.readouterr().err
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    assert published(run) == 0
    assert hub.repositories[REPO].private


def test_the_command_in_a_message_can_be_run(run: RunDocument) -> None:
    said = explain_hub_fault(run.spec, the_result(run).model.uri, HubResult(degraded="the Hub is away."))
    assert said.startswith("The Hub is away. The next run tries again.")
    arguments = parse_args(shlex.split(said.partition("run: ")[2])[1:])
    assert (arguments.model, arguments.repo, arguments.visibility) == (the_result(run).model.uri, REPO, "Private")


def test_nobody_is_shown_in_public_unasked(
    hub: FakeRepositories, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    run = a_published_model(tmp_path)
    manifest = STORE.get(f"{version_of(run)}/MANIFEST.json")
    STORE.put(f"{version_of(run)}/MANIFEST.json", manifest.replace(b'"Fictional"', b'"Unspecified"'))
    assert published(run, "--visibility", "Public") == 10
    assert "may not be public: its subject.relation is Unspecified" in capsys.readouterr().err
    assert hub.asked == []


def test_by_hand_a_token_is_asked_for(
    run: RunDocument, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    assert published(run) == 11
    assert "set HF_TOKEN" in capsys.readouterr().err
