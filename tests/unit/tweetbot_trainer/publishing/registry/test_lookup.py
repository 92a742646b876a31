"""Under which name a forced run publishes, and how it finds that again."""

from pathlib import Path

import pytest

from builders.stages import KEY, a_folder, a_local_run, a_version
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrainSucceeded
from tweetbot_trainer.publishing.registry.lookup import (
    choose_version,
    download_files,
    find_rejected,
    find_reusable,
    reserve_version,
)
from tweetbot_trainer.publishing.registry.manifest import read_version
from tweetbot_trainer.publishing.registry.publish import publish, publish_rejected, store_rejected
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()


@pytest.fixture
def forced(tmp_path: Path) -> RunDocument:
    """A run that somebody asked for again."""
    return a_local_run(tmp_path, trigger="force/2026-11-23T06:00:00Z", run_number=3)


def get_reservation_uri(run: RunDocument) -> str:
    return f"{run.prefix}/runs/{run.run_id}/version"


def test_a_forced_run_that_was_edited_publishes_under_its_new_training(forced: RunDocument) -> None:
    edited = "e" * 64
    reserve_version(STORE, forced, choose_version(STORE, forced, KEY))
    assert choose_version(STORE, forced, edited) == f"{edited[:16]}-3"


def test_a_forced_run_that_lost_its_reservation_finds_its_own_version(forced: RunDocument, tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "finished", b"weights")
    result = publish(STORE, forced, folder, a_version(folder, forced, version=f"{KEY[:16]}-3"))
    STORE.delete(get_reservation_uri(forced))
    assert find_reusable(STORE, forced, KEY) == result


def publish_as(run: RunDocument, folder: Path, version: str, published_at: str) -> TrainSucceeded:
    manifest = a_version(folder, run, version=version)
    return publish(STORE, run, folder, manifest.model_copy(update={"published_at": published_at}))


@pytest.mark.parametrize("left", ["both", "the forced one"])
def test_what_was_forced_is_reused_where_it_is_served(forced: RunDocument, tmp_path: Path, left: str) -> None:
    folder = a_folder(tmp_path / "finished", b"weights")
    first, later = (a_local_run(tmp_path, run_id=each * 16, run_number=int(each)) for each in "14")
    publish_as(first, folder, KEY[:16], "2026-11-24T06:00:00Z")
    result = publish_as(forced, folder, f"{KEY[:16]}-3", "2026-11-23T06:00:00Z")
    if left == "the forced one":
        STORE.delete(f"{first.prefix}/models/{KEY[:16]}/MANIFEST.json")
    assert find_reusable(STORE, later, KEY) == result


def test_of_equal_versions_that_are_not_served_the_last_published_is_reused(
    forced: RunDocument, tmp_path: Path
) -> None:
    folder = a_folder(tmp_path / "finished", b"weights")
    first, later = (a_local_run(tmp_path, run_id=each * 16, run_number=int(each)) for each in "14")
    publish_as(first, folder, KEY[:16], "2026-11-22T06:00:00Z")
    result = publish_as(forced, folder, f"{KEY[:16]}-3", "2026-11-23T06:00:00Z")
    STORE.delete(f"{first.prefix}/latest.json")
    assert find_reusable(STORE, later, KEY) == result


def test_a_version_whose_key_begins_alike_is_not_reused(forced: RunDocument, tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "finished", b"weights")
    publish_as(forced, folder, f"{KEY[:16]}-3", "2026-11-23T06:00:00Z")
    later = a_local_run(tmp_path, run_id="4" * 16, run_number=4)
    assert choose_version(STORE, later, KEY[:16] + "0" * 48) == KEY[:16]


def test_a_reservation_stands_in_the_runs_own_folder(forced: RunDocument) -> None:
    reserve_version(STORE, forced, f"{KEY[:16]}-7")
    assert STORE.get(get_reservation_uri(forced)) == f"{KEY[:16]}-7\n".encode()


def test_a_forced_run_finds_what_its_gate_rejected_under_another_number_too(
    forced: RunDocument, tmp_path: Path
) -> None:
    folder = a_folder(tmp_path / "finished", b"weights")
    manifest = a_version(folder, forced, version=f"{KEY[:16]}-3")
    store_rejected(STORE, forced, folder, manifest, check=lambda: None)
    again = forced.model_copy(update={"run_number": 1})
    found = find_rejected(STORE, again, KEY)
    assert found is not None
    assert found.manifest.version == f"{KEY[:16]}-3"


def test_what_a_gate_rejected_is_published_from_its_own_files_and_may_be_stopped(
    forced: RunDocument, tmp_path: Path
) -> None:
    folder, checks = a_folder(tmp_path / "finished", b"weights"), list[bool]()
    manifest = a_version(folder, forced, version=f"{KEY[:16]}-3")
    store_rejected(STORE, forced, folder, manifest, check=lambda: None)
    found = find_rejected(STORE, forced, KEY)
    assert found is not None
    result = publish_rejected(STORE, forced, found, tmp_path / "new" / "folder", check=lambda: checks.append(True))
    assert STORE.get(f"{result.model.uri}/model.safetensors") == b"weights"
    assert checks


def test_a_file_that_came_otherwise_than_its_manifest_says_is_refused(forced: RunDocument, tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "finished", b"weights")
    result = publish(STORE, forced, folder, a_version(folder, forced, version=f"{KEY[:16]}-3"))
    version = read_version(STORE, result.model.uri.removesuffix("/model"))
    assert version is not None
    download_files(STORE, version, tmp_path / "whole", "model/")
    assert (tmp_path / "whole" / "model" / "config.json").exists()
    STORE.put(f"{result.model.uri}/config.json", b"other")
    with pytest.raises(SpecRefused, match=r"config\.json differs from its manifest"):
        download_files(STORE, version, tmp_path / "damaged")
