"""No post can be read out of what is published with a model, and no phrase be tested (decision 42)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from builders.stages import a_context, a_local_run
from harness.attacks.readout import (
    encode_old_hashes,
    find_plain_runs,
    find_tested_phrases,
    hash_windows,
    list_wide_arrays,
    read_posts,
    unpack,
)
from tweetbot_contract.result import TrackingResult, encode
from tweetbot_trainer.data.dataset.copy_hashes import COPY_HASHES_FILE, KEY_FILE
from tweetbot_trainer.data.dataset.dataset import Dataset
from tweetbot_trainer.data.dataset.store import load_dataset
from tweetbot_trainer.publishing.tracking.interface import TrackedArtifact
from tweetbot_trainer.stages import training_run
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.stages.train import train
from tweetbot_trainer.store.folder import FolderStore

pytestmark = pytest.mark.usefixtures("scales_are_fitted_once")

STORE = FolderStore()
_NAMES = ("Ada", "Bo", "Cleo", "Dov", "Eve", "Finn", "Gus", "Hal", "Ida", "Jo", "Kim")
_THINGS = ("kettle", "ladder", "parcel", "ticket", "violin", "candle", "biscuit")


def a_long_post(number: int) -> str:
    """Return a post of more than 100 characters that no other resembles for long."""
    name, thing = _NAMES[number % 11], _THINGS[number % 7]
    return (
        f"{number * 7919 % 9973} days ago {name} told me that the {thing} of flat {number * 31 % 97} weighs "
        f"{number * 613 % 7001} grams, and {_NAMES[number * 3 % 11]} still owes {number * 17 % 89} coins for it"
    )


POSTS = [a_long_post(number) for number in range(60)]


class TalkativeTracker:
    """Keeps all that it is told, as one text."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def get_current_result(self) -> TrackingResult:
        return TrackingResult(wandb_mode="Online", wandb_url="https://wandb.example/run")

    def log(self, metrics: Mapping[str, float]) -> None:
        self.told.append(dict(metrics))

    def set_summary(self, figures: Mapping[str, Any]) -> None:
        self.told.append(dict(figures))

    def log_table(self, name: str, columns: Sequence[str], data: Sequence[Sequence[Any]]) -> None:
        self.told.append([name, list(columns), [list(row) for row in data]])

    def log_artifact(self, artifact: TrackedArtifact) -> None:
        self.told.append(repr(artifact))

    def finish(self, *, failed: bool = False) -> TrackingResult:
        return self.get_current_result()


@dataclass(frozen=True)
class Published:
    """What leaves a training: files by name, and what travels beside them."""

    files: dict[str, bytes]
    dataset: Dataset
    folder: str


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder, tracker = tmp_path_factory.mktemp("readout"), TalkativeTracker()
    (folder / "posts.txt").write_text("".join(f"{post}\n" for post in POSTS), encoding="utf-8")
    spec = {"training": {"epochs": 1}}

    def a_stage(**changes: Any) -> Any:
        return replace(
            a_context(folder, a_local_run(folder, spec=spec, **changes)), start_tracker=lambda config: tracker
        )

    prepared = prepare(a_stage())
    context = a_stage(stage="Train", dataset=prepared.dataset.digest)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_run, "MEASURED_TEXTS", 20)  # a thousand take most of the time
        result = train(context)
    home = result.model.uri.removesuffix("/model")
    files = {info.uri.removeprefix(home): STORE.get(info.uri) for info in STORE.list(f"{home}/")}
    files["latest.json"] = STORE.get(f"{context.run.prefix}/latest.json")
    files["termination messages"] = encode(prepared) + encode(result)
    files["W&B"] = json.dumps(tracker.told, ensure_ascii=False).encode()
    dataset = load_dataset(STORE, context.run, prepared.dataset.digest)
    return Published(files, dataset, prepared.dataset.uri)


def test_the_attack_reads_posts_out_of_the_old_file() -> None:
    (words,) = list_wide_arrays(encode_old_hashes(POSTS))
    read = read_posts(words)
    assert len(read & set(POSTS)) > 0.9 * len(POSTS)


def test_a_phrase_can_be_tested_with_the_old_file_and_with_each_public_hash() -> None:
    assert find_tested_phrases(encode_old_hashes(POSTS[:3]), POSTS[:5]) == set(POSTS[:3])
    signatures = encode_old_hashes([post[:49] for post in POSTS[:3]])
    assert find_tested_phrases(signatures, [POSTS[0][:49]]) == {POSTS[0][:49]}
    bare = np.array(hash_windows(POSTS[0]), dtype=">u8")
    assert find_tested_phrases(b"x" + bare.astype("<u8").tobytes(), POSTS[:2]) == {POSTS[0]}


def test_a_run_of_a_post_is_found_in_the_open() -> None:
    for text in (POSTS[0][5:60], json.dumps({"a": POSTS[0][5:60]})):
        assert find_plain_runs(text.encode(), POSTS)
    assert find_plain_runs(POSTS[0].encode("utf-16-le"), POSTS)
    assert not find_plain_runs(POSTS[0][5:54].encode(), POSTS)


def test_nothing_that_is_published_lets_a_post_be_read(published: Published) -> None:
    assert "/model/model.safetensors" in published.files
    for name, file in published.files.items():
        for content in unpack(file):
            for words in list_wide_arrays(content):
                assert not read_posts(words), name
            assert not find_plain_runs(content, POSTS), name


def test_nothing_that_is_published_lets_a_phrase_be_tested(published: Published) -> None:
    for name, file in published.files.items():
        for content in unpack(file):
            assert not find_tested_phrases(content, POSTS[::6]), name


def test_what_the_copy_check_reads_lies_with_the_dataset_and_tells_nothing_without_the_key(
    published: Published,
) -> None:
    hashes = STORE.get(f"{published.folder}/{COPY_HASHES_FILE}")
    key = STORE.get(f"{published.folder.rpartition('/')[0]}/{KEY_FILE}")
    assert len(key) == 32
    assert not any(read_posts(words) for words in list_wide_arrays(hashes))
    assert not find_tested_phrases(hashes, POSTS[::6])
    assert not find_plain_runs(hashes, POSTS)
    assert not any(key in content or key.hex().encode() in content for content in published.files.values())
