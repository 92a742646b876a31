"""The Hugging Face Hub, by its real client against a fake of ours."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from builders_model import a_saved_base
from tweetbot_fakes.model_hub import COMMIT, NAME, FakeHub, model_hub
from tweetbot_trainer.errors import SpecRefused, StageFailed, Temporary
from tweetbot_trainer.model import hub
from tweetbot_trainer.model.base import read_base
from tweetbot_trainer.model.identity import FILES, BaseIdentity

IDENTITY = BaseIdentity(f"hf://{NAME}", "hub", COMMIT)


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeHub]:
    folder = a_saved_base(tmp_path / "served")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle that nobody may read")
    with model_hub(folder) as running:
        yield running


@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_a_name_becomes_a_commit(fake: FakeHub, revision: str | None) -> None:
    assert hub.resolve_commit(NAME, revision, endpoint=fake.url) == COMMIT


def test_only_what_is_read_is_downloaded(fake: FakeHub, tmp_path: Path) -> None:
    hub.download(NAME, COMMIT, tmp_path / "base", endpoint=fake.url)
    assert sorted(fake.served) == sorted(FILES)
    assert read_base(tmp_path / "base", IDENTITY).model.config.n_embd == 32


def test_a_model_in_pickle_alone_is_refused(fake: FakeHub, tmp_path: Path) -> None:
    (fake.folder / "model.safetensors").unlink()
    hub.download(NAME, COMMIT, tmp_path / "base", endpoint=fake.url)
    with pytest.raises(SpecRefused, match=f"hf://{NAME} has no model.safetensors"):
        read_base(tmp_path / "base", IDENTITY)


def test_an_unknown_model_is_told_by_its_name(fake: FakeHub) -> None:
    with pytest.raises(SpecRefused, match=r"BaseModelNotFound: .*no public model no/such"):
        hub.resolve_commit("no/such", None, endpoint=fake.url)


def test_an_unknown_revision_is_told_apart(fake: FakeHub) -> None:
    with pytest.raises(SpecRefused, match=r"BaseModelNotFound: .*has no revision v9"):
        hub.resolve_commit(NAME, "v9", endpoint=fake.url)


def test_nobody_at_the_hubs_address_is_temporary() -> None:
    with pytest.raises(Temporary, match="ModelHubUnavailable"):
        hub.resolve_commit(NAME, None, endpoint="http://127.0.0.1:9")


def answer(status: int) -> Any:
    return SimpleNamespace(status_code=status, headers={}, request=SimpleNamespace(url="https://hub.example"))


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (RepositoryNotFoundError("no", response=answer(404)), SpecRefused, "BaseModelNotFound"),
        (RevisionNotFoundError("no", response=answer(404)), SpecRefused, "BaseModelNotFound"),
        (GatedRepoError("no", response=answer(403)), SpecRefused, "BaseModelRefused"),
        (HfHubHTTPError("no", response=answer(503)), Temporary, "ModelHubUnavailable"),
        (HfHubHTTPError("no", response=answer(429)), Temporary, "ModelHubUnavailable"),
        (hub.NO_ANSWER("no"), Temporary, "ModelHubUnavailable"),
        (ConnectionError("offline"), Temporary, "ModelHubUnavailable"),
    ],
)
def test_the_hubs_errors_become_ours(error: Exception, kind: type[StageFailed], reason: str) -> None:
    def question() -> None:
        raise error

    with pytest.raises(kind) as failure:
        hub.asking("owner/name", "main", question)
    assert failure.value.reason.name == reason
    assert "owner/name" in failure.value.message
