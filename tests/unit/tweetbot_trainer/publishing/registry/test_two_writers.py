"""What is promised by two halves: a read and the write that depends on it, a name and the key that it stands for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builders.stages import KEY, a_folder, a_local_run, a_version
from tweetbot_contract.handover import RunDocument
from tweetbot_fakes.storage import WatchedStore
from tweetbot_trainer.publishing.registry.latest import read_latest, update_latest
from tweetbot_trainer.publishing.registry.lookup import find_rejected, find_reusable
from tweetbot_trainer.publishing.registry.manifest import build_rejected_uri, build_version_uri, read_version
from tweetbot_trainer.publishing.registry.publish import publish, store_rejected
from tweetbot_trainer.store import StorageUnavailable
from tweetbot_trainer.store.file_records import has_intact_files
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()
#: Another training whose version has the same name: the first 16 digits of its key are KEY's.
ANOTHER_KEY = KEY[:16] + "0" * 48


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a finished training."""
    return a_folder(tmp_path / "finished", b"weights")


class Contested(WatchedStore):
    """Another writer comes once, at our request for an object of this name."""

    def __init__(self, name: str, other: Callable[[], Any]) -> None:
        super().__init__(STORE)
        self._name, self._other = name, other
        self._came = False

    def _let_other_write(self, uri: str) -> None:
        if uri.endswith(self._name) and not self._came:
            self._came = True
            self._other()


class Between(Contested):
    """The other comes between our read and what we do next."""

    def find(self, uri: str) -> Any:
        found = super().find(uri)
        self._let_other_write(uri)
        return found


class Lossy(WatchedStore):
    """Answers that all was written, and keeps one file otherwise than it was sent."""

    def __init__(self, name: str, kept: bytes) -> None:
        super().__init__(STORE)
        self._name, self._kept = name, kept

    def put_if_absent(self, uri: str, body: Any) -> bool:
        return super().put_if_absent(uri, self._kept if uri.endswith(self._name) else body)


def newer_of(run: RunDocument) -> RunDocument:
    return run.model_copy(update={"run_number": run.run_number + 1, "run_id": "fedcba9876543210"})


@pytest.mark.parametrize("there", [True, False])
def test_a_pointer_that_a_newer_run_moved_meanwhile_stays(tmp_path: Path, folder: Path, there: bool) -> None:
    """It was read, then written over: the newer run's model was no longer served."""
    run = a_local_run(tmp_path)
    first = publish(STORE, run, folder, a_version(folder, run))
    if not there:
        STORE.delete(f"{run.prefix}/latest.json")
    newer = newer_of(run)
    second = first.model_copy(update={"model": first.model.model_copy(update={"name": "the newer one"})})
    third = first.model_copy(update={"model": first.model.model_copy(update={"name": "ours"})})
    store = Between("latest.json", lambda: update_latest(STORE, newer, second))
    assert not update_latest(store, run, third)
    assert read_latest(STORE, f"{run.prefix}/latest.json")["name"] == "the newer one"


@pytest.mark.parametrize("kept", [b"", b"weight", b"weightz"])
@pytest.mark.parametrize("rejected", [True, False])
def test_a_file_that_did_not_arrive_is_noticed_before_the_manifest(
    tmp_path: Path, folder: Path, kept: bytes, rejected: bool
) -> None:
    run = a_local_run(tmp_path)
    write = store_rejected if rejected else publish
    with pytest.raises(StorageUnavailable, match=r"model\.safetensors is not what was written"):
        write(Lossy("model.safetensors", kept), run, folder, a_version(folder, run), check=lambda: None)
    home = (build_rejected_uri if rejected else build_version_uri)(run, KEY[:16])
    assert read_version(STORE, home) is None
    assert STORE.find(f"{run.prefix}/latest.json") is None


class Overtaken(Contested):
    """The other comes right before our request to write arrives."""

    def put_if_absent(self, uri: str, body: Any) -> bool:
        self._let_other_write(uri)
        return super().put_if_absent(uri, body)

    def put_if_match(self, uri: str, body: Any, etag: str) -> bool:
        self._let_other_write(uri)
        return super().put_if_match(uri, body, etag)


@pytest.mark.parametrize("left", [b"", b"of a killed attempt"])
@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_late_write_spoils_no_version_that_another_pod_has_published(
    tmp_path: Path, folder: Path, name: str, left: bytes
) -> None:
    """Its check came before the other's manifest, its file after it: latest.json named a version with a wrong file."""
    run, other = a_local_run(tmp_path), a_folder(tmp_path / "other", b"other weights")
    (other / "model" / "config.json").write_text("{}")
    if left:
        STORE.put(f"{build_version_uri(run, KEY[:16])}/model/{name}", left)
    store = Overtaken(name, lambda: publish(STORE, run, other, a_version(other, run)))
    published = publish(store, run, folder, a_version(folder, run))
    version = read_version(STORE, build_version_uri(run, KEY[:16]))
    assert version is not None
    assert has_intact_files(STORE, version.home, version.manifest.files)
    assert version.manifest.files == a_version(other, run).files
    assert published.model.digest == version.sha256 == read_latest(STORE, f"{run.prefix}/latest.json")["manifestSha256"]


def test_a_version_that_appears_right_after_it_was_looked_for_is_the_result(tmp_path: Path, folder: Path) -> None:
    """Its files passed for those of a killed attempt, and were written over."""
    run, other = a_local_run(tmp_path), a_folder(tmp_path / "other", b"other weights")
    store = Between("MANIFEST.json", lambda: publish(STORE, run, other, a_version(other, run)))
    publish(store, run, folder, a_version(folder, run))
    version = read_version(STORE, build_version_uri(run, KEY[:16]))
    assert version is not None
    assert version.manifest.files == a_version(other, run).files


def test_a_file_that_another_pod_is_writing_ends_the_attempt_for_now(tmp_path: Path, folder: Path) -> None:
    run = a_local_run(tmp_path)
    uri = f"{build_version_uri(run, KEY[:16])}/model/model.safetensors"
    store = Overtaken("model.safetensors", lambda: STORE.put(uri, b"theirs"))
    with pytest.raises(StorageUnavailable, match="is being written by another trainer"):
        publish(store, run, folder, a_version(folder, run))
    assert STORE.get(uri) == b"theirs"


def test_a_version_of_a_key_that_only_begins_alike_is_not_reused(tmp_path: Path, folder: Path) -> None:
    run = a_local_run(tmp_path)
    publish(STORE, run, folder, a_version(folder, run, training_key=ANOTHER_KEY))
    assert find_reusable(STORE, run, ANOTHER_KEY) is not None
    assert find_reusable(STORE, run, KEY) is None


def test_a_rejected_version_of_a_key_that_only_begins_alike_is_not_reused(tmp_path: Path, folder: Path) -> None:
    run = a_local_run(tmp_path)
    store_rejected(STORE, run, folder, a_version(folder, run, training_key=ANOTHER_KEY), check=lambda: None)
    assert find_rejected(STORE, run, ANOTHER_KEY) is not None
    assert find_rejected(STORE, run, KEY) is None


def test_a_damaged_manifest_that_another_replaced_meanwhile_is_not_written_over(tmp_path: Path, folder: Path) -> None:
    run = a_local_run(tmp_path)
    manifest = f"{build_version_uri(run, KEY[:16])}/MANIFEST.json"
    theirs = a_version(folder, run, published_at="2026-11-23T05:00:00.000Z").encode()
    STORE.put(manifest, b"{")

    class Meanwhile(WatchedStore):
        """Another trainer's manifest comes before our swap."""

        def put_if_match(self, uri: str, body: Any, etag: str) -> bool:
            STORE.put(manifest, theirs)
            return super().put_if_match(uri, body, etag)

        def put(self, uri: str, body: Any) -> None:
            if uri == manifest:
                STORE.put(manifest, theirs)
            super().put(uri, body)

    with pytest.raises(StorageUnavailable, match="is being written by another trainer"):
        publish(Meanwhile(STORE), run, folder, a_version(folder, run))
    assert STORE.get(manifest) == theirs
