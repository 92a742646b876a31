"""A scheduled run trains only if the served model has not seen at least this many posts."""

from pathlib import Path

import pytest

from builders.stages import ENOUGH, a_context, a_folder, a_local_run, a_source, a_version
from tweetbot_contract.result import PrepareSucceeded
from tweetbot_trainer.publishing.registry.latest import read_served_version
from tweetbot_trainer.publishing.registry.publish import publish
from tweetbot_trainer.publishing.registry.run_record import read_record
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()


def prepared(folder: Path, number: int, *, wanted: int = 0, trigger: str = "") -> PrepareSucceeded:
    run = a_local_run(folder, run_id=f"{number:016}", run_number=number, min_new_posts=wanted, trigger=trigger)
    return prepare(a_context(folder, run))


def serve(folder: Path, result: PrepareSucceeded) -> str:
    """Publish a model of this dataset as the first run would, and return its version."""
    run = a_local_run(folder, run_id=f"{1:016}")
    record = read_record(STORE, run)
    assert record is not None
    files = a_folder(folder / "finished", b"weights")
    version = record.training_key[:16]
    publish(STORE, run, files, a_version(files, run, version, training_key=record.training_key, dataset=result.dataset))
    return version


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A bucket in which a model of ENOUGH posts is served, and a source that has ten more by now."""
    a_source(tmp_path)
    serve(tmp_path, prepared(tmp_path, 1))
    a_source(tmp_path, posts=ENOUGH + 10)
    return tmp_path


def test_too_few_new_posts_are_counted_and_nothing_is_to_be_trained(home: Path) -> None:
    result = prepared(home, 2, wanted=11, trigger="schedule/2026-11-23T03:00:00Z")
    assert (result.new_posts, result.adopted) == (10, None)


def test_enough_new_posts_are_trained_on(home: Path) -> None:
    assert prepared(home, 2, wanted=10).new_posts is None


def test_a_run_that_needs_none_does_not_count(home: Path) -> None:
    assert prepared(home, 2).new_posts is None


def test_nothing_new_at_all_adopts_the_model_that_is_served(home: Path) -> None:
    a_source(home)
    result = prepared(home, 2, wanted=11, trigger="schedule/2026-11-23T03:00:00Z")
    assert (result.new_posts, result.adopted is not None) == (None, True)


def test_a_forced_run_adopts_nothing(home: Path) -> None:
    a_source(home)
    assert prepared(home, 2, trigger="force/now").adopted is None


def test_a_retrain_of_the_same_posts_and_values_adopts_the_same_model(home: Path) -> None:
    a_source(home)
    adopted = prepared(home, 2, trigger="now").adopted
    assert adopted is not None
    assert adopted.model.uri.endswith(f"/{read_served_version(STORE, a_local_run(home))}/model")


def test_a_retrain_on_new_posts_trains(home: Path) -> None:
    assert prepared(home, 2, trigger="now").adopted is None


def test_asked_again_it_answers_the_same(home: Path) -> None:
    assert prepared(home, 2, wanted=11) == prepared(home, 2, wanted=11)


def test_without_a_served_model_every_post_is_new(tmp_path: Path) -> None:
    a_source(tmp_path)
    assert prepared(tmp_path, 1, wanted=10**6).new_posts is None


def test_a_dataset_of_before_that_is_gone_holds_up_no_training(home: Path) -> None:
    first = read_record(STORE, a_local_run(home, run_id=f"{1:016}"))
    assert first is not None
    for info in list(STORE.list(f"{first.result.dataset.uri}/")):
        STORE.delete(info.uri)
    assert prepared(home, 2, wanted=11).new_posts is None
