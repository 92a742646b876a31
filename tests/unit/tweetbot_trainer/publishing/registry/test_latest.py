"""latest.json where others write it all the time."""

import json
from pathlib import Path

import pytest

from builders.operator import a_train_result
from builders.stages import a_local_run
from tweetbot_fakes.storage import WatchedStore
from tweetbot_trainer.publishing.registry.latest import read_latest, replace_manifest_hash, update_latest
from tweetbot_trainer.publishing.registry.manifest import build_earlier_manifest_name
from tweetbot_trainer.store import Body, StorageUnavailable
from tweetbot_trainer.store.folder import FolderStore

BEFORE, AFTER = "a" * 64, "b" * 64


class Contested(FolderStore):
    """A folder in which another writer of latest.json always wins."""

    def put_if_absent(self, uri: str, body: Body) -> bool:
        return not uri.endswith("/latest.json") and super().put_if_absent(uri, body)

    def put_if_match(self, uri: str, body: Body, etag: str) -> bool:
        return not uri.endswith("/latest.json") and super().put_if_match(uri, body, etag)


def test_a_swap_that_is_lost_again_and_again_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="changed by others"):
        update_latest(Contested(), a_local_run(tmp_path, stage="Train"), a_train_result())


@pytest.mark.parametrize(
    ("folder", "served", "moves"),
    [("models", "v1", True), ("models", "v2", False), ("rejected", "v1", False), ("copies", "v1", False)],
)
def test_only_the_manifest_of_a_published_version_stands_in_latest_json(
    tmp_path: Path, folder: str, served: str, moves: bool
) -> None:
    """A rejected version, or a copy, may have the name of the served one, and even its earlier manifest."""
    home = replaced_manifest(tmp_path, folder, served)
    replace_manifest_hash(FolderStore(), home, AFTER)
    assert read_latest(FolderStore(), f"file://{tmp_path}/gull/latest.json")["manifestSha256"] == (
        AFTER if moves else BEFORE
    )


def replaced_manifest(folder: Path, kind: str = "models", served: str = "v1") -> str:
    """Return the address of version v1, whose manifest was replaced, with a latest.json that has the earlier hash."""
    store, home = FolderStore(), f"file://{folder}/gull/{kind}/v1"
    content = {"uri": f"file://{folder}/gull/models/{served}/model", "manifestSha256": BEFORE}
    store.put(f"file://{folder}/gull/latest.json", json.dumps(content).encode())
    store.put(f"{home}/{build_earlier_manifest_name(BEFORE)}", b"{}")
    return home


def test_a_hash_that_is_never_written_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="changed by others"):
        replace_manifest_hash(Contested(), replaced_manifest(tmp_path), AFTER)


def test_a_version_at_the_root_of_a_bucket_called_models_has_no_latest_json() -> None:
    store = WatchedStore(FolderStore())
    replace_manifest_hash(store, "s3://models/v1", AFTER)
    assert store.requests == []
