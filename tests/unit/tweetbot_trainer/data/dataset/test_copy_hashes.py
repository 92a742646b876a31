"""The keyed hashes beside a dataset: one key per TweetBot, however many Pods start at once, erased with the dataset."""

from pathlib import Path
from typing import Literal

import pytest

from builders.published import STORE, a_dataset
from tweetbot_fakes.storage import Killed, WatchedStore
from tweetbot_trainer.data.dataset.copies import CopyDetector
from tweetbot_trainer.data.dataset.copy_hashes import (
    COPY_HASHES_FILE,
    KEY_FILE,
    load_copy_detector,
    store_copy_hashes,
)
from tweetbot_trainer.data.dataset.dataset import Dataset, read_dataset
from tweetbot_trainer.runtime.errors import SpecRefused

POSTS = ["the harbour master refused to leave and the ferry went home without a single gull", "my hat sang at noon"]


def read(folder: str) -> Dataset:
    posts, summary = (STORE.get(f"{folder}/{name}") for name in ("posts.jsonl.zst", "dataset.json"))
    return read_dataset(posts, summary, digest=folder[-64:])


def key_of(folder: str) -> str:
    return f"{folder.rpartition('/')[0]}/{KEY_FILE}"


def test_two_bots_have_two_keys_and_two_datasets_of_a_bot_one(tmp_path: Path) -> None:
    mine, again, other = (
        a_dataset(tmp_path / name, posts) for name, posts in (("a", POSTS), ("a", POSTS[:1]), ("b", POSTS))
    )
    assert (STORE.get(key_of(mine)), len(STORE.get(key_of(mine)))) == (STORE.get(key_of(again)), 32)
    assert STORE.get(key_of(mine)) != STORE.get(key_of(other))
    assert STORE.get(f"{mine}/{COPY_HASHES_FILE}") != STORE.get(f"{other}/{COPY_HASHES_FILE}")


def test_a_pod_that_comes_second_takes_the_key_of_the_first(tmp_path: Path) -> None:
    folder = a_dataset(tmp_path, POSTS)
    STORE.delete(key_of(folder))

    class Late(WatchedStore):
        """Another Pod writes its key, and hashes, just before this one does."""

        def put_if_absent(self, uri: str, body: bytes | Path) -> bool:
            store_copy_hashes(STORE, folder, read(folder))
            return super().put_if_absent(uri, body)

    store_copy_hashes(Late(STORE), folder, read(folder))
    assert load_from_hashes(folder).is_copy(POSTS[1])


def load_from_hashes(folder: str) -> CopyDetector:
    watched = WatchedStore(STORE)
    detector = load_copy_detector(watched, folder)
    assert not [uri for _, uri in watched.requests if uri.endswith(".zst")]
    return detector


@pytest.mark.parametrize("phase", ["before", "after"])
def test_after_a_kill_at_any_request_the_next_pod_stores_the_hashes(
    tmp_path: Path, phase: Literal["before", "after"]
) -> None:
    folder = a_dataset(tmp_path, POSTS)
    for die_at in range(10):
        STORE.delete(key_of(folder))
        STORE.delete(f"{folder}/{COPY_HASHES_FILE}")
        try:
            store_copy_hashes(WatchedStore(STORE, die_at=die_at, phase=phase), folder, read(folder))
        except Killed:
            store_copy_hashes(STORE, folder, read(folder))
        else:
            assert die_at > 3
            return
        load_from_hashes(folder)
    raise AssertionError


@pytest.mark.parametrize("damaged", [KEY_FILE, COPY_HASHES_FILE])
@pytest.mark.parametrize("content", [None, b"", b"x" * 32])
def test_without_hashes_or_key_the_posts_are_compared_and_the_next_run_mends_it(
    tmp_path: Path, damaged: str, content: bytes | None
) -> None:
    folder = a_dataset(tmp_path, POSTS)
    uri = key_of(folder) if damaged == KEY_FILE else f"{folder}/{damaged}"
    STORE.delete(uri)
    if content is not None:
        STORE.put(uri, content)
    assert load_copy_detector(STORE, folder).is_copy(POSTS[1])
    store_copy_hashes(STORE, folder, read(folder))
    load_from_hashes(folder)


def test_the_hashes_go_with_the_folder_of_the_dataset(tmp_path: Path) -> None:
    folder = a_dataset(tmp_path, POSTS)
    assert f"{folder}/{COPY_HASHES_FILE}" in list(STORE.erase(f"{folder}/"))
    with pytest.raises(SpecRefused, match="there is no dataset at"):
        load_copy_detector(STORE, folder)
