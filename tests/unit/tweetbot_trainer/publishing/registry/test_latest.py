"""latest.json where others write it all the time."""

from pathlib import Path

import pytest

from builders.operator import a_train_result
from builders.stages import a_local_run
from tweetbot_trainer.publishing.registry.latest import update_latest
from tweetbot_trainer.store import Body, StorageUnavailable
from tweetbot_trainer.store.folder import FolderStore


class Contested(FolderStore):
    """A folder in which another writer of latest.json always wins."""

    def put_if_absent(self, uri: str, body: Body) -> bool:
        return not uri.endswith("/latest.json") and super().put_if_absent(uri, body)


def test_a_swap_that_is_lost_again_and_again_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="changed by others"):
        update_latest(Contested(), a_local_run(tmp_path, stage="Train"), a_train_result())
