"""A version goes to the Hub as one commit and a tag, by the Hub's own client; done twice, it changes nothing."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from builders.model import some_card_data
from builders.stages import KEY, a_folder, a_local_run, a_version
from tweetbot_fakes.remotes.hub_repositories import BAD_TOKEN, TOKEN, FakeRepositories
from tweetbot_fakes.remotes.model_hub import Answer, refused
from tweetbot_trainer.publishing.hub.client import HubRepository
from tweetbot_trainer.publishing.hub.push import Push, push_version, select_files
from tweetbot_trainer.publishing.hub.record import RECORD_FILE, read_pushes
from tweetbot_trainer.publishing.registry.manifest import StoredVersion, build_version_uri, read_version
from tweetbot_trainer.publishing.registry.publish import publish
from tweetbot_trainer.publishing.report.card import render_card
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused, StageError, TemporaryError
from tweetbot_trainer.store.folder import FolderStore

#: The Hub's own client uses its HTTP client in a way that that one has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
STORE, REPO = FolderStore(), "harbour/gull"
FIRST, SECOND = KEY[:16], f"{KEY[:16]}-2"


@pytest.fixture
def hub() -> Iterator[FakeRepositories]:
    with FakeRepositories() as fake:
        yield fake


def repository(hub: FakeRepositories, token: str = TOKEN) -> HubRepository:
    return HubRepository(REPO, token, token_place="key token of the Secret hub", endpoint=hub.url)


def a_published_version(folder: Path, name: str = FIRST, **files: str) -> StoredVersion:
    """Publish a version with a card and a picture, beside files that must not leave the bucket."""
    run, finished = a_local_run(folder), a_folder(folder / name, f"weights of {name}".encode())
    model = {"README.md": render_card(some_card_data()), "loss.png": "p", "training_posts.hashes": "posts", **files}
    for file, text in model.items():
        (finished / "model" / file).write_text(text, encoding="utf-8")
    key = hashlib.sha256(name.encode()).hexdigest()
    publish(STORE, run, finished, a_version(finished, run, name, training_key=key))
    found = read_version(STORE, build_version_uri(run, name))
    assert found
    return found


def a_push(folder: Path, version: StoredVersion, *, public: bool = False) -> Push:
    return Push(STORE, version, "uid-gull", public, folder / "sent" / version.manifest.version)


@pytest.fixture
def push(tmp_path: Path) -> Push:
    return a_push(tmp_path, a_published_version(tmp_path))


def test_a_repository_is_created_with_one_commit_of_the_model_and_its_tag(hub: FakeRepositories, push: Push) -> None:
    found, degraded = push_version(repository(hub), push)
    made = hub.repositories[REPO]
    assert (made.private, len(made.commits), degraded) == (True, 2, None)
    assert made.tags == {FIRST: made.head} == {FIRST: found.commit}
    assert found.url == f"{hub.url}/{REPO}/tree/{FIRST}"
    sent = {"README.md", "config.json", "model.safetensors", "loss.png", "tweetbot.json"}
    assert set(made.files) == {".gitattributes", *sent}
    assert made.files["model.safetensors"] == f"weights of {FIRST}".encode()
    assert json.loads(made.files["tweetbot.json"])["botUid"] == "uid-gull"


def test_a_version_that_is_there_costs_no_upload_and_no_commit(hub: FakeRepositories, push: Push) -> None:
    first = push_version(repository(hub), push)[0]
    hub.asked.clear()
    assert push_version(repository(hub), push)[0].commit == first.commit
    assert len(hub.asked) == 3
    assert hub.count("/commit/") == 0


def test_what_a_kill_left_undone_is_done_by_the_next_try(hub: FakeRepositories, push: Push) -> None:
    hub.fail("/tag/", refused(500, ""), times=1)
    with pytest.raises(TemporaryError):
        push_version(repository(hub), push)
    push_version(repository(hub), push)
    made = hub.repositories[REPO]
    assert (len(made.commits), list(made.tags)) == (2, [FIRST])


def test_the_next_version_replaces_the_files_of_the_one_before(hub: FakeRepositories, tmp_path: Path) -> None:
    first, second = a_published_version(tmp_path, **{"avatar-0.png": "a"}), a_published_version(tmp_path, SECOND)
    push_version(repository(hub), a_push(tmp_path, first))
    made = hub.repositories[REPO]
    made.files["NOTES.txt"] = b"added by its owner"
    push_version(repository(hub), a_push(tmp_path, second))
    assert made.files["model.safetensors"] == f"weights of {SECOND}".encode()
    assert "avatar-0.png" not in made.files
    assert "NOTES.txt" in made.files
    assert (list(made.tags), made.commits[made.tags[FIRST]]["avatar-0.png"]) == ([FIRST, SECOND], b"a")


def test_a_commit_that_came_in_between_is_not_overwritten_unseen(hub: FakeRepositories, push: Push) -> None:
    made = hub.add(REPO)
    hub.interpose("/commit/", lambda: made.commits.update({"2" * 40: {"model.safetensors": b"somebody else's"}}))
    with pytest.raises(TemporaryError, match="A commit has happened since"):
        push_version(repository(hub), push)
    with pytest.raises(SpecRefused, match="no TweetBot put there"):
        push_version(repository(hub), push)


def test_a_push_is_noted_beside_the_models_before_it_begins(hub: FakeRepositories, push: Push) -> None:
    hub.fail("/validate-yaml", refused(403, ""))
    with pytest.raises(NotAuthorized):
        push_version(repository(hub), push)
    (noted,) = read_pushes(STORE, f"{push.prefix}/{RECORD_FILE}")
    assert (noted.repo, noted.version, noted.dataset) == (REPO, FIRST, "d" * 64)


@pytest.mark.parametrize("files", [{"model.safetensors": b"mine"}, {"tweetbot.json": b"{}", "config.json": b"{}"}])
def test_somebody_elses_repository_is_left_alone(hub: FakeRepositories, push: Push, files: dict[str, bytes]) -> None:
    theirs = hub.add(REPO, files=files)
    with pytest.raises(SpecRefused, match="holds files that no TweetBot put there"):
        push_version(repository(hub), push)
    assert theirs.files == files


def test_two_tweetbots_do_not_share_a_repository(hub: FakeRepositories, push: Push, tmp_path: Path) -> None:
    push_version(repository(hub), push)
    other = replace(a_push(tmp_path / "other", a_published_version(tmp_path / "other")), bot_uid="uid-pelican")
    with pytest.raises(SpecRefused, match="another TweetBot's model"):
        push_version(repository(hub), other)


def test_a_tweetbot_that_was_created_again_keeps_its_repository(hub: FakeRepositories, push: Push) -> None:
    push_version(repository(hub), push)
    push_version(repository(hub), replace(push, bot_uid="uid-new"))
    assert len(hub.repositories[REPO].commits) == 2


def test_nothing_private_is_sent_to_a_public_repository(hub: FakeRepositories, push: Push) -> None:
    hub.add(REPO, private=False)
    with pytest.raises(SpecRefused, match=r"is public, .* so nothing was sent.*visibility: Public"):
        push_version(repository(hub), push)
    assert len(hub.repositories[REPO].commits) == 1


def test_a_private_repository_stays_private_and_is_told_of(hub: FakeRepositories, push: Push) -> None:
    made = hub.add(REPO)
    degraded = push_version(repository(hub), replace(push, public=True))[1]
    assert (made.private, len(made.commits)) == (True, 2)
    assert degraded
    assert "is private, although spec.output.huggingFace.visibility is Public" in degraded


def test_a_public_repository_is_created_where_the_spec_says_so(hub: FakeRepositories, push: Push) -> None:
    push_version(repository(hub), replace(push, public=True))
    assert not hub.repositories[REPO].private


@pytest.mark.parametrize(
    ("part", "answer", "error", "words"),
    [
        ("GET /api/models", BAD_TOKEN, NotAuthorized, "valid token into key token of the Secret hub"),
        (
            "POST /api/repos/create",
            refused(403, "", "You don't have the rights"),
            NotAuthorized,
            "don't have the rights",
        ),
        ("/commit/", refused(403, "", "Forbidden"), NotAuthorized, f"write to {REPO}"),
        ("/commit/", refused(409, "", "Conflict"), TemporaryError, "409"),
        ("/commit/", refused(412, "", "A commit has happened since"), TemporaryError, "A commit has happened"),
        ("/commit/", (429, {"retry-after": "7"}, b""), TemporaryError, "429"),
        ("/tag/", (500, {}, b"<h1>Oops</h1>"), TemporaryError, "500"),
        ("/validate-yaml", (503, {}, b""), TemporaryError, "cannot be used"),
        ("PUT /lfs/", refused(403, "", "Expired"), NotAuthorized, "403"),
        ("GET /api/models", (200, {}, b"a page for people"), TemporaryError, "cannot be used"),
    ],
)
def test_a_refusal_says_what_to_do(
    hub: FakeRepositories, push: Push, part: str, answer: Answer, error: type[StageError], words: str
) -> None:
    hub.fail(part, answer)
    with pytest.raises(error) as failed:
        push_version(repository(hub), push)
    assert failed.value.reason.name == "HubDegraded"
    assert words in failed.value.message
    assert TOKEN not in failed.value.message


def test_the_hubs_own_time_is_waited_for(hub: FakeRepositories, push: Push) -> None:
    hub.fail("/tag/", (429, {"retry-after": "7"}, b""))
    with pytest.raises(TemporaryError) as failed:
        push_version(repository(hub), push)
    assert failed.value.retry_after == 7


def test_a_hub_that_nobody_answers_for_is_away(push: Push) -> None:
    nobody = HubRepository(REPO, TOKEN, token_place="HF_TOKEN", endpoint="http://127.0.0.1:9")
    with pytest.raises(TemporaryError, match="does not answer"):
        push_version(nobody, push)


def test_a_wrong_token_is_named_by_where_it_lies(hub: FakeRepositories, push: Push) -> None:
    with pytest.raises(NotAuthorized, match="Put a valid token into key token of the Secret hub"):
        push_version(repository(hub, "hf_old"), push)


def test_what_a_token_may_not_see_is_not_created(hub: FakeRepositories, push: Push) -> None:
    hub.fail("GET /api/models", refused(401, "RepoNotFound", "Repository not found"))
    with pytest.raises(NotAuthorized):
        push_version(repository(hub), push)
    assert hub.repositories == {}


def test_nothing_but_weights_configuration_card_and_pictures_is_sent() -> None:
    kept = ["model-00001-of-00002.safetensors", "model.safetensors.index.json", "tokenizer.json", "badges.svg"]
    left = ["training_posts.hashes", "optimizer.pt", "posts.jsonl.zst", "ids.jsonl", "metrics.jsonl", "a/config.json"]
    assert select_files([*kept, *left]) == kept
