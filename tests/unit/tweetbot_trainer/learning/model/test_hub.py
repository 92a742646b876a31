"""The Hugging Face Hub, by its real client against a fake of ours."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from builders.manifests import a_spec
from builders.model import a_saved_base
from tweetbot_fakes.remotes.model_hub import COMMIT, NAME, FakeHub, model_hub
from tweetbot_trainer.learning.model import hub
from tweetbot_trainer.learning.model.base import load_base, read_base
from tweetbot_trainer.learning.model.base_files import BaseFiles, resolve_base_identity
from tweetbot_trainer.learning.model.identity import FILES, BaseIdentity
from tweetbot_trainer.runtime.errors import SpecRefused, TemporaryError
from tweetbot_trainer.runtime.retry_budget import RetryBudget
from tweetbot_trainer.store.folder import FolderStore

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
    assert read_base(tmp_path / "base", IDENTITY).model.config.channels == 32


def test_bytes_that_the_commit_does_not_record_are_fetched_again(fake: FakeHub, tmp_path: Path) -> None:
    fake.damaged = len(FILES)
    with pytest.raises(TemporaryError, match=rf"ModelHubUnavailable: .* of hf://{NAME} came with other bytes"):
        hub.download(NAME, COMMIT, tmp_path / "base", endpoint=fake.url)
    hub.download(NAME, COMMIT, tmp_path / "base", endpoint=fake.url)
    for name in FILES:
        assert (tmp_path / "base" / name).read_bytes() == (fake.folder / name).read_bytes()


def test_a_part_of_a_file_is_read_where_it_lies(fake: FakeHub, tmp_path: Path) -> None:
    files = hub.RemoteFiles(NAME, COMMIT, tmp_path, endpoint=fake.url)
    whole = (fake.folder / "model.safetensors").read_bytes()
    with files.open_file("model.safetensors") as stream:
        stream.seek(100)
        assert stream.read(50) == whole[100:150]
    assert (fake.served, fake.ranges) == ([], [("model.safetensors", len(whole) - 100)])


def test_a_hub_that_goes_away_before_a_part_of_a_file_is_temporary(fake: FakeHub, tmp_path: Path) -> None:
    stream = hub.RemoteFiles(NAME, COMMIT, tmp_path, endpoint=fake.url).open_file("model.safetensors")
    fake.away = 1
    with pytest.raises(TemporaryError, match="ModelHubUnavailable"):
        stream.read(8)
    assert len(stream.read(8)) == 8


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
    with pytest.raises(TemporaryError, match="ModelHubUnavailable"):
        hub.resolve_commit(NAME, None, endpoint="http://127.0.0.1:9")


@pytest.fixture
def the_hub(fake: FakeHub, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    """The fake as the client's own hub: HF_ENDPOINT is read once, when the client is loaded."""
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, fake.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "ENDPOINT", fake.url)
    return fake


def test_a_hub_that_comes_back_is_waited_for(the_hub: FakeHub, tmp_path: Path) -> None:
    spec = a_spec(model={"base": f"hf://{NAME}"})
    the_hub.away = 3
    pauses: list[float] = []
    identity = resolve_base_identity(spec, BaseFiles(lambda _: FolderStore()), RetryBudget(600, sleep=pauses.append))
    assert (identity.digest, bool(pauses)) == (COMMIT, True)
    the_hub.away = 1
    base = load_base(
        identity,
        train_texts=(),
        seed=1,
        folder=tmp_path / "base",
        download=FolderStore().download,
        retry_budget=RetryBudget(600, sleep=pauses.append),
    )
    assert base.model.config.channels == 32


def test_a_gated_base_is_loaded_with_its_token(the_hub: FakeHub, tmp_path: Path) -> None:
    the_hub.token = "hf_reader"
    base = load_base(
        IDENTITY,
        train_texts=(),
        seed=1,
        folder=tmp_path / "base",
        download=FolderStore().download,
        retry_budget=RetryBudget(0),
        hub_token="hf_reader",
    )
    assert base.model.config.channels == 32


def test_a_model_that_is_not_there_is_not_waited_for(the_hub: FakeHub) -> None:
    def unasked(seconds: float) -> None:
        raise AssertionError(seconds)

    with pytest.raises(SpecRefused, match="BaseModelNotFound"):
        resolve_base_identity(
            a_spec(model={"base": "hf://no/such"}), BaseFiles(lambda _: FolderStore()), RetryBudget(600, sleep=unasked)
        )


def test_a_full_disk_is_not_the_hubs_fault() -> None:
    def question() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        hub.ask_hub("owner/name", "main", question)
