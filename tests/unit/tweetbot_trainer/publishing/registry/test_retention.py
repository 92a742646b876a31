"""Old versions go, the newest, the served and the adopted stay, and no fault on the way harms a run."""

import hashlib
from io import StringIO
from pathlib import Path
from typing import Literal

import pytest

from builders.stages import a_folder, a_local_run, a_version
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrainSucceeded
from tweetbot_fakes.storage import Killed, WatchedStore
from tweetbot_trainer.publishing.registry.latest import read_served_version, update_latest
from tweetbot_trainer.publishing.registry.publish import publish, store_rejected
from tweetbot_trainer.publishing.registry.retention import erase_old_versions, mark_adopted
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store import ObjectStore, StorageUnavailable
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()


def a_run(folder: Path, number: int, *, keep: int = 2) -> RunDocument:
    run_id = hashlib.sha256(str(number).encode()).hexdigest()[:16]
    return a_local_run(folder, run_id=run_id, run_number=number, spec={"history": {"models": keep}})


def published(folder: Path, number: int) -> TrainSucceeded:
    """Publish the version of this run, on the day of this number."""
    run, key = a_run(folder, number), hashlib.sha256(f"key {number}".encode()).hexdigest()
    files = a_folder(folder / f"finished-{number}", b"weights")
    at = f"2026-11-{number:02}T06:00:00.000Z"
    return publish(STORE, run, files, a_version(files, run, key[:16], training_key=key, published_at=at))


def rejected(folder: Path, number: int) -> str:
    """Keep the version of this run beside, on the day of this number; answers where."""
    run, key = a_run(folder, number), hashlib.sha256(f"key {number}".encode()).hexdigest()
    files = a_folder(folder / f"finished-{number}", b"weights")
    at = f"2026-11-{number:02}T06:00:00.000Z"
    version = a_version(files, run, key[:16], training_key=key, published_at=at)
    return store_rejected(STORE, run, files, version, check=lambda: None)


def kept(folder: Path, results: list[TrainSucceeded]) -> list[int]:
    """Return which results' versions stand, whole, counted from 1."""
    return [number for number, result in enumerate(results, 1) if STORE.find(f"{result.model.uri}/config.json")]


def erase(folder: Path, number: int, *, store: ObjectStore = STORE, keep: int = 2) -> None:
    erase_old_versions(store, a_run(folder, number, keep=keep), Log(StringIO()), StopRequest())


def test_the_newest_stay_and_nothing_is_left_of_the_others(tmp_path: Path) -> None:
    results = [published(tmp_path, number) for number in (1, 2, 3, 4)]
    erase(tmp_path, 4)
    assert kept(tmp_path, results) == [3, 4]
    models = list(STORE.list(f"file://{tmp_path}/bucket/team-a/gull/models/"))
    assert len({info.uri.split("/models/")[1][:16] for info in models}) == 2


def test_fewer_than_asked_for_all_stay(tmp_path: Path) -> None:
    results = [published(tmp_path, number) for number in (1, 2)]
    erase(tmp_path, 2, keep=3)
    assert kept(tmp_path, results) == [1, 2]


def test_what_latest_json_points_to_stays_however_old_it_is(tmp_path: Path) -> None:
    results = [published(tmp_path, number) for number in (1, 2, 3, 4)]
    update_latest(STORE, a_run(tmp_path, 5), results[0])
    erase(tmp_path, 5)
    assert kept(tmp_path, results) == [1, 3, 4]


def test_what_a_later_run_adopted_stays_for_good(tmp_path: Path) -> None:
    results = [published(tmp_path, number) for number in (1, 2)]
    mark_adopted(STORE, a_run(tmp_path, 3), results[0])
    update_latest(STORE, a_run(tmp_path, 3), results[0])
    results += [published(tmp_path, number) for number in (4, 5, 6)]
    erase(tmp_path, 6)
    assert kept(tmp_path, results) == [1, 4, 5]  # the fourth and fifth published, on days 5 and 6
    assert read_served_version(STORE, a_run(tmp_path, 6)) == results[-1].model.uri.split("/")[-2]


def test_adopting_what_is_served_marks_nothing(tmp_path: Path) -> None:
    results = [published(tmp_path, number) for number in (1,)]
    mark_adopted(STORE, a_run(tmp_path, 2), results[0])
    assert not [info for info in STORE.list(f"file://{tmp_path}/bucket/") if info.uri.endswith("ADOPTED")]


def test_without_a_pointer_nothing_goes(tmp_path: Path) -> None:
    results = [published(tmp_path, number) for number in (1, 2, 3)]
    STORE.delete(f"{a_run(tmp_path, 3).prefix}/latest.json")
    erase(tmp_path, 3, keep=1)
    assert kept(tmp_path, results) == [1, 2, 3]


def test_a_manifest_that_cannot_be_read_protects_its_folder(tmp_path: Path) -> None:
    results = [published(tmp_path, number) for number in (1, 2, 3)]
    STORE.put(f"{results[0].model.uri.removesuffix('/model')}/MANIFEST.json", b"{")
    erase(tmp_path, 3, keep=1)
    assert kept(tmp_path, results) == [1, 3]


def test_of_what_failed_a_gate_the_newest_stay_though_nothing_was_ever_published(tmp_path: Path) -> None:
    homes = [rejected(tmp_path, number) for number in (1, 2, 3, 4)]
    erase(tmp_path, 4)
    assert [home for home in homes if STORE.find(f"{home}/MANIFEST.json")] == homes[2:]
    assert not list(STORE.list(f"{homes[0]}/"))


def test_published_versions_and_those_that_failed_a_gate_are_counted_apart(tmp_path: Path) -> None:
    results, beside = [published(tmp_path, number) for number in (1, 2)], [rejected(tmp_path, 3), rejected(tmp_path, 4)]
    erase(tmp_path, 4)
    assert kept(tmp_path, results) == [1, 2]
    assert all(STORE.find(f"{home}/MANIFEST.json") for home in beside)


def test_another_bots_versions_are_out_of_reach(tmp_path: Path) -> None:
    results = [published(tmp_path, number) for number in (1, 2, 3)]
    neighbour = f"file://{tmp_path}/bucket/team-a/gull2/models/v1/MANIFEST.json"
    STORE.put(neighbour, b"{}")
    erase(tmp_path, 3, keep=1)
    assert (kept(tmp_path, results), STORE.get(neighbour)) == ([3], b"{}")


def test_a_copy_beside_a_version_or_deeper_is_neither_counted_nor_erased(tmp_path: Path) -> None:
    results = [published(tmp_path, number) for number in (1, 2)]
    models = f"{a_run(tmp_path, 2).prefix}/models"
    manifest = STORE.get(f"{results[0].model.uri.removesuffix('/model')}/MANIFEST.json")
    copies = [f"{results[0].model.uri.removesuffix('/model')}-kept/notes.txt", f"{models}/kept/v1/MANIFEST.json"]
    for uri in copies:
        STORE.put(uri, manifest)
    erase(tmp_path, 2, keep=1)
    assert (kept(tmp_path, results), [STORE.get(uri) for uri in copies]) == ([2], [manifest, manifest])


@pytest.mark.parametrize("phase", ["before", "after"])
def test_killed_anywhere_the_next_publication_finishes_it(tmp_path: Path, phase: Literal["before", "after"]) -> None:
    counting = WatchedStore(STORE)
    results = [published(tmp_path / "counted", number) for number in (1, 2)]
    erase(tmp_path / "counted", 2, store=counting, keep=1)
    for index in range(len(counting.requests)):
        home = tmp_path / str(index)
        results = [published(home, number) for number in (1, 2)]
        with pytest.raises(Killed):
            erase(home, 2, store=WatchedStore(STORE, die_at=index, phase=phase), keep=1)
        erase(home, 2, keep=1)
        assert kept(home, results) == [2]
        assert not list(STORE.list(f"file://{home}/bucket/team-a/gull/models/{results[0].model.uri.split('/')[-2]}/"))


class Absent(FolderStore):
    """A store that is away when something is to be removed."""

    def delete(self, uri: str) -> None:
        raise StorageUnavailable("S3 does not answer")


def test_a_store_that_is_away_does_not_end_the_run(tmp_path: Path) -> None:
    results = [published(tmp_path, number) for number in (1, 2)]
    erase(tmp_path, 2, store=Absent(), keep=1)
    assert kept(tmp_path, results) == [1, 2]


def test_a_process_that_is_asked_to_end_leaves_the_rest_for_the_next(tmp_path: Path) -> None:
    results = [published(tmp_path, number) for number in (1, 2)]
    stop = StopRequest()
    stop.request()
    erase_old_versions(STORE, a_run(tmp_path, 2, keep=1), Log(StringIO()), stop)
    assert kept(tmp_path, results) == [1, 2]
