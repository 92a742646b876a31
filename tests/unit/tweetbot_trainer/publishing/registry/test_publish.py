"""A version is published once, whole or not at all, wherever its publisher is killed."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import pytest

from builders.manifests import a_spec
from builders.stages import KEY, a_folder, a_version
from tweetbot_contract.handover import NAME_LIMIT, RunDocument
from tweetbot_fakes.storage import Killed, WatchedStore
from tweetbot_trainer.publishing.registry.latest import update_latest
from tweetbot_trainer.publishing.registry.lookup import choose_version, find_reusable
from tweetbot_trainer.publishing.registry.manifest import build_version_uri, decode_manifest
from tweetbot_trainer.publishing.registry.ownership import join_prefix
from tweetbot_trainer.publishing.registry.publish import publish
from tweetbot_trainer.runtime.errors import SpecRefused, StageStopped
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()


def a_run(tmp_path: Path, **changes: Any) -> RunDocument:
    spec = a_spec(output={"s3": {"uri": f"file://{tmp_path}/bucket"}})
    fields = {"stage": "Train", "namespace": "team-a", "name": "gull", "uid": "uid-gull", "run_id": "0123456789abcdef"}
    return RunDocument(**{**fields, "run_number": 3, "dataset": "d" * 64, "spec": spec, **changes})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a finished training."""
    return a_folder(tmp_path / "finished", b"weights")


def read_latest_json(run: RunDocument) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(STORE.get(f"{run.prefix}/latest.json"))
    return content


def check_as_server(run: RunDocument) -> Callable[[], None]:
    """Return a check as a server of the model would do it: latest.json, manifest, every file."""

    def check() -> None:
        if STORE.find(f"{run.prefix}/latest.json") is None:
            return
        version = read_latest_json(run)["uri"].removesuffix("/model")
        body = STORE.get(f"{version}/MANIFEST.json")
        assert hashlib.sha256(body).hexdigest() == read_latest_json(run)["manifestSha256"]
        for path, record in json.loads(body)["files"].items():
            assert hashlib.sha256(STORE.get(f"{version}/{path}")).hexdigest() == record["sha256"]

    return check


def files_of(run: RunDocument) -> set[str]:
    return {info.uri.rpartition("/")[2] for info in STORE.list(f"{run.prefix}/models/")}


def versions(run: RunDocument) -> set[str]:
    start = f"{run.prefix}/models/"
    return {info.uri.removeprefix(start).partition("/")[0] for info in STORE.list(start)}


def test_the_result_names_what_to_load(tmp_path: Path, folder: Path) -> None:
    run = a_run(tmp_path)
    model = publish(STORE, run, folder, a_version(folder, run)).model
    assert (model.name, model.size_bytes) == (f"team-a-gull-{KEY[:16]}", len(b"{}weights"))
    assert STORE.get(f"{model.uri}/model.safetensors") == b"weights"


def test_the_manifest_is_written_after_every_file_and_before_latest_json(tmp_path: Path, folder: Path) -> None:
    run = a_run(tmp_path)
    store = WatchedStore(STORE)
    publish(store, run, folder, a_version(folder, run))
    written = [uri.removeprefix(f"{run.prefix}/") for action, uri in store.requests if action.startswith("put")]
    assert written[-3:] == [f"models/{KEY[:16]}/MANIFEST.json", "owner.json", "latest.json"]
    assert len(written) == 6


def requests_of_a_publication(tmp_path: Path) -> int:
    folder = a_folder(tmp_path / "counted", b"weights")
    run = a_run(tmp_path / "counted")
    store = WatchedStore(STORE)
    publish(store, run, folder, a_version(folder, run))
    return len(store.requests)


@pytest.mark.parametrize("phase", ["before", "after"])
def test_killed_at_any_request_it_is_published_once_by_the_next_attempt(
    tmp_path: Path, phase: Literal["before", "after"]
) -> None:
    for index in range(requests_of_a_publication(tmp_path)):
        home = tmp_path / phase / str(index)
        run = a_run(home)
        first, second = a_folder(home / "1", b"weights"), a_folder(home / "2", b"weights of another attempt")
        dying = WatchedStore(STORE, die_at=index, phase=phase, after_each=check_as_server(run))
        with pytest.raises(Killed):
            publish(dying, run, first, a_version(first, run))
        again = WatchedStore(STORE, after_each=check_as_server(run))
        result = publish(again, run, second, a_version(second, run))
        assert versions(run) == {KEY[:16]}
        assert read_latest_json(run)["manifestSha256"] == result.model.digest


def test_a_stop_before_the_manifest_publishes_nothing(tmp_path: Path, folder: Path) -> None:
    run, stop = a_run(tmp_path), StopRequest()
    store = WatchedStore(STORE, after_each=lambda: stop.request() if files_of(run) else None)
    with pytest.raises(StageStopped):
        publish(store, run, folder, a_version(folder, run), check=stop.check)
    assert "MANIFEST.json" not in files_of(run)
    assert STORE.find(f"{run.prefix}/latest.json") is None


def test_a_stop_after_the_manifest_still_moves_latest_json(tmp_path: Path, folder: Path) -> None:
    run, stop = a_run(tmp_path), StopRequest()
    store = WatchedStore(STORE, after_each=lambda: stop.request() if "MANIFEST.json" in files_of(run) else None)
    result = publish(store, run, folder, a_version(folder, run), check=stop.check)
    assert stop.requested
    assert read_latest_json(run)["uri"] == result.model.uri


def test_publishing_twice_changes_nothing(tmp_path: Path, folder: Path) -> None:
    run = a_run(tmp_path)
    first = publish(STORE, run, folder, a_version(folder, run))
    store = WatchedStore(STORE)
    other = a_folder(tmp_path / "other", b"other weights")
    assert publish(store, run, other, a_version(other, run)) == first
    assert [action for action, _ in store.requests if action.startswith("put")] == []


def test_the_loser_of_a_race_returns_the_winners_version(tmp_path: Path, folder: Path) -> None:
    run = a_run(tmp_path)
    winner = a_version(folder, run)

    class Race(WatchedStore):
        """Another publisher's manifest comes in between."""

        def put_if_absent(self, uri: str, body: Any) -> bool:
            if uri.endswith("MANIFEST.json"):
                STORE.put(uri, winner.encode())
            return super().put_if_absent(uri, body)

    result = publish(Race(STORE), run, folder, a_version(folder, run, published_at="later"))
    assert result.model.published_at == winner.published_at


class Interrupted(WatchedStore):
    """Before its `at`-th write (from 0) of a version's files another Pod publishes the same training."""

    def __init__(self, at: int, other: Callable[[], Any]) -> None:
        super().__init__(STORE)
        self._at, self._other = at, other
        self.written: list[str] = []

    def put(self, uri: str, body: Any) -> None:
        if len(self.written) == self._at:
            self._other()
        self.written.append(uri)
        super().put(uri, body)


@pytest.mark.parametrize("at", range(3))
def test_the_files_of_a_version_published_meanwhile_are_not_overwritten(tmp_path: Path, folder: Path, at: int) -> None:
    run, stop = a_run(tmp_path), StopRequest()
    theirs = a_folder(tmp_path / "theirs", b"weights of another processor")
    (theirs / "report/loss.png").write_bytes(b"another plot")

    def other() -> None:
        publish(STORE, run, theirs, a_version(theirs, run, published_at="earlier"))
        stop.request()

    store = Interrupted(at, other)
    with suppress(StageStopped):
        publish(store, run, folder, a_version(folder, run), check=stop.check)
    check_as_server(run)()
    assert find_reusable(STORE, run, KEY) is not None


def test_a_damaged_version_is_published_again(tmp_path: Path, folder: Path) -> None:
    run = a_run(tmp_path)
    publish(STORE, run, folder, a_version(folder, run))
    STORE.put(f"{build_version_uri(run, KEY[:16])}/model/model.safetensors", b"garbage")
    assert find_reusable(STORE, run, KEY) is None
    later = publish(STORE, run, folder, a_version(folder, run, published_at="later"))
    assert find_reusable(STORE, run, KEY) == later


def test_a_manifest_that_cannot_be_read_is_overwritten(tmp_path: Path, folder: Path) -> None:
    run = a_run(tmp_path)
    STORE.put(f"{build_version_uri(run, KEY[:16])}/MANIFEST.json", b"{")
    publish(STORE, run, folder, a_version(folder, run))
    check_as_server(run)()
    assert find_reusable(STORE, run, KEY) is not None


@pytest.mark.parametrize("path", ["../../../loose", "/etc/loose", "model/..", "model//loose", ".", "", "model/a\0b"])
def test_a_manifest_that_names_files_outside_of_its_folder_is_refused(tmp_path: Path, folder: Path, path: str) -> None:
    """A rejected model is downloaded by its manifest: a forged one could write anywhere on the disk."""
    content = json.loads(a_version(folder, a_run(tmp_path)).encode())
    assert decode_manifest(json.dumps(content).encode()) is not None
    content["files"][path] = content["files"]["model/config.json"]
    assert decode_manifest(json.dumps(content).encode()) is None


def test_a_manifest_of_a_newer_trainer_is_read_without_what_it_added(tmp_path: Path, folder: Path) -> None:
    """After a rollback its models are found, and nothing is trained again."""
    manifest = a_version(folder, a_run(tmp_path))
    content = json.loads(manifest.encode())
    later = content | {"laterField": 1, "metrics": content["metrics"] | {"laterFigure": 2.0}}
    assert decode_manifest(json.dumps(later).encode()) == manifest


def test_a_version_of_another_training_is_never_overwritten(tmp_path: Path, folder: Path) -> None:
    run = a_run(tmp_path)
    foreign = a_version(folder, run, training_key="0" * 64)
    STORE.put(f"{build_version_uri(run, KEY[:16])}/MANIFEST.json", foreign.encode())
    with pytest.raises(SpecRefused, match="holds a model of another training"):
        publish(STORE, run, folder, a_version(folder, run))


def test_latest_json_never_goes_back_to_an_older_run(tmp_path: Path, folder: Path) -> None:
    old, new = a_run(tmp_path, run_number=1), a_run(tmp_path, run_number=2, run_id="fedcba9876543210")
    publish(STORE, new, folder, a_version(folder, new, version="b", training_key="b" * 64))
    publish(STORE, old, folder, a_version(folder, old))
    assert read_latest_json(new)["runNumber"] == 2


def test_latest_json_moves_for_a_run_whose_number_a_restored_cluster_gave_again(tmp_path: Path, folder: Path) -> None:
    """Numbers went back with etcd, and until they passed the lost run's, nothing new was served."""
    lost = a_run(tmp_path, run_number=7, run_started_at="2026-01-01T12:00:00Z")
    after = a_run(tmp_path, run_number=4, run_started_at="2026-01-02T12:00:00Z", run_id="fedcba9876543210")
    publish(STORE, lost, folder, a_version(folder, lost))
    publish(STORE, after, folder, a_version(folder, after, version="b", training_key="b" * 64))
    assert read_latest_json(after)["runNumber"] == 4
    publish(STORE, lost, folder, a_version(folder, lost))  # its Pod outlived the restore
    assert read_latest_json(after)["runNumber"] == 4


def test_latest_json_moves_for_a_recreated_bot(tmp_path: Path, folder: Path) -> None:
    old = a_run(tmp_path, run_number=7, cluster="cluster-a")
    new = a_run(tmp_path, run_number=1, cluster="cluster-a", uid="uid-new")
    result = publish(STORE, old, folder, a_version(folder, old))
    assert join_prefix(STORE, new, Log(StringIO())) is None
    assert update_latest(STORE, new, result)
    assert (read_latest_json(new)["uid"], read_latest_json(new)["runNumber"]) == ("uid-new", 1)


def test_latest_json_returns_to_an_older_version_that_a_newer_run_reuses(tmp_path: Path, folder: Path) -> None:
    first, second = a_run(tmp_path, run_number=1), a_run(tmp_path, run_number=2)
    result = publish(STORE, first, folder, a_version(folder, first))
    publish(STORE, second, folder, a_version(folder, second, version="b", training_key="b" * 64))
    assert update_latest(STORE, a_run(tmp_path, run_number=3), result)
    assert read_latest_json(first)["uri"] == result.model.uri


def test_a_latest_json_of_somebody_else_is_overwritten(tmp_path: Path, folder: Path) -> None:
    run = a_run(tmp_path)
    STORE.put(f"{run.prefix}/latest.json", b"[]")
    publish(STORE, run, folder, a_version(folder, run))
    check_as_server(run)()


def test_a_model_is_reused_by_every_run_of_the_same_training(tmp_path: Path, folder: Path) -> None:
    run = a_run(tmp_path)
    result = publish(STORE, run, folder, a_version(folder, run))
    assert find_reusable(STORE, a_run(tmp_path, run_id="fedcba9876543210"), KEY) == result


def test_a_forced_run_reuses_no_other_runs_model(tmp_path: Path, folder: Path) -> None:
    run = a_run(tmp_path)
    publish(STORE, run, folder, a_version(folder, run))
    forced = a_run(tmp_path, run_id="fedcba9876543210", trigger="force/2026-11-23T06:00:00Z")
    assert find_reusable(STORE, forced, KEY) is None
    assert choose_version(STORE, forced, KEY) == f"{KEY[:16]}-3"


def test_a_forced_run_finds_what_it_has_published(tmp_path: Path, folder: Path) -> None:
    forced = a_run(tmp_path, trigger="force/2026-11-23T06:00:00Z")
    result = publish(STORE, forced, folder, a_version(folder, forced, version=f"{KEY[:16]}-3"))
    assert find_reusable(STORE, forced, KEY) == result


def test_a_forced_run_finds_its_model_in_a_rebuilt_cluster_too(tmp_path: Path, folder: Path) -> None:
    forced = a_run(tmp_path, trigger="force/2026-11-23T06:00:00Z")
    result = publish(STORE, forced, folder, a_version(folder, forced, version=f"{KEY[:16]}-3"))
    assert find_reusable(STORE, forced.model_copy(update={"run_number": 1, "uid": "uid-new"}), KEY) == result


def test_a_forced_run_skips_the_name_of_another_run(tmp_path: Path, folder: Path) -> None:
    old = a_run(tmp_path, trigger="force/2026-01-01T00:00:00Z")
    publish(STORE, old, folder, a_version(folder, old, version=f"{KEY[:16]}-3"))
    rebuilt = a_run(tmp_path, uid="uid-new", run_id="fedcba9876543210", trigger="force/2026-11-23T06:00:00Z")
    assert choose_version(STORE, rebuilt, KEY) == f"{KEY[:16]}-4"


def test_a_version_without_one_of_its_files_is_not_reused(tmp_path: Path, folder: Path) -> None:
    run = a_run(tmp_path)
    publish(STORE, run, folder, a_version(folder, run))
    STORE.delete(f"{build_version_uri(run, KEY[:16])}/model/config.json")
    assert find_reusable(STORE, run, KEY) is None


def test_the_longest_names_that_kubernetes_allows_fit_into_the_result_of_a_forced_run(
    tmp_path: Path, folder: Path
) -> None:
    run = a_run(tmp_path, namespace="n" * 63, name="b" * NAME_LIMIT, trigger="force/again", run_number=1_000_000)
    version = choose_version(STORE, run, KEY)
    result = publish(STORE, run, folder, a_version(folder, run, version=version))
    assert result.model.name == f"{run.namespace}-{run.name}-{version}"
