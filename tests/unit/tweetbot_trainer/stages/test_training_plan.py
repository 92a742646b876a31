"""What a run trains, settled before torch is asked for anything."""

from pathlib import Path
from typing import Any

import pytest

from builders.stages import a_context, a_folder, a_local_run, a_source, a_version
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import PrepareSucceeded
from tweetbot_trainer.learning.fingerprint import fingerprint
from tweetbot_trainer.learning.values import STOPPING_POSTS, resolve_hyperparameters
from tweetbot_trainer.publishing.registry.publish import publish
from tweetbot_trainer.publishing.registry.run_record import PrepareRecord, read_record, write_record
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.stages.training_plan import TrainingPlan, build_training_plan
from tweetbot_trainer.store.folder import FolderStore

STORE = FolderStore()
#: Numbers of posts, of which cleaning drops none, and the run of a later edit or time of the schedule.
SMALL, LARGE, LATER = 300, 600, "fedcba9876543210"


def plan(folder: Path, *weights: int | None, run_id: str) -> tuple[str, TrainingPlan]:
    """Return the training key that the preparation of two sources settled, and the plan of their training."""
    posts = {"uri": f"file://{a_source(folder)}", "format": "txt"}
    sources: list[dict[str, Any]] = [{"posts": posts, "weight": weight} for weight in weights]
    run = a_local_run(folder, spec={"sources": sources, "filter": {"deduplicate": False}}, run_id=run_id)
    digest = prepare(a_context(folder, run)).dataset.digest
    training = run.model_copy(update={"stage": "Train", "dataset": digest})
    record = read_record(a_context(folder, run).store, run)
    assert record is not None
    return record.training_key, build_training_plan(a_context(folder, training))


@pytest.mark.parametrize("weights", [(None, None), (1, 3)])
def test_both_stages_settle_on_one_key(tmp_path: Path, weights: tuple[int | None, int | None]) -> None:
    settled, planned = plan(tmp_path, *weights, run_id="0123456789abcdef")
    assert planned.key == settled


def test_weights_train_another_model_of_the_same_dataset(tmp_path: Path) -> None:
    _, plain = plan(tmp_path, None, None, run_id="0123456789abcde0")
    _, mixed = plan(tmp_path, 1, 3, run_id="0123456789abcde1")
    assert plain.data.digest == mixed.data.digest
    assert plain.key != mixed.key
    assert (plain.values.source_weights, mixed.values.source_weights) == ((), (1, 3))


def prepared(folder: Path, posts: int = SMALL, **run: Any) -> tuple[RunDocument, PrepareSucceeded, PrepareRecord]:
    """Prepare an account of `posts` posts; return the run, the stage's result and its record."""
    if not (folder / "posts.txt").exists():
        a_source(folder, posts=posts)
    document = a_local_run(folder, **run)
    result = prepare(a_context(folder, document))
    assert result.dataset.table.kept == posts
    record = read_record(STORE, document)
    assert record is not None
    return document, result, record


def former_key_of(run: RunDocument, record: PrepareRecord) -> str:
    """Return the training key that the record had before small accounts got defaults of their own."""
    values = resolve_hyperparameters(run.spec.training, record.base.uri, run.spec.sources)
    return fingerprint(record.result.dataset.digest, record.base, values)


def planned(folder: Path, run: RunDocument, result: PrepareSucceeded) -> TrainingPlan:
    document = run.model_copy(update={"stage": "Train", "dataset": result.dataset.digest})
    return build_training_plan(a_context(folder, document))


def publish_former(folder: Path, **changes: Any) -> None:
    """Publish what an earlier trainer made of the account, as if its run had been before the upgrade."""
    run, result, record = prepared(folder)
    key = former_key_of(run, record)
    finished = a_folder(folder / "finished", b"weights")
    plain = a_version(finished, run, version=key[:16], training_key=key, dataset=result.dataset)
    metrics = plain.metrics.model_copy(update=changes)
    publish(STORE, run, finished, plain.model_copy(update={"metrics": metrics}))


def test_a_small_account_is_trained_by_defaults_of_its_own(tmp_path: Path) -> None:
    run, result, record = prepared(tmp_path)
    plan = planned(tmp_path, run, result)
    assert plan.key == record.training_key != former_key_of(run, record)
    assert plan.values.stopping_posts < STOPPING_POSTS


def test_a_large_account_keeps_its_key(tmp_path: Path) -> None:
    run, result, record = prepared(tmp_path, LARGE)
    assert planned(tmp_path, run, result).key == record.training_key == former_key_of(run, record)


def test_a_run_that_an_earlier_trainer_prepared_goes_on_with_its_values(tmp_path: Path) -> None:
    run, result, record = prepared(tmp_path)
    former = former_key_of(run, record)
    write_record(STORE, run, record.model_copy(update={"training_key": former}))
    plan = planned(tmp_path, run, result)
    assert (plan.key, plan.values.stopping_posts) == (former, STOPPING_POSTS)


def test_an_upgrade_trains_no_small_account_again(tmp_path: Path) -> None:
    publish_former(tmp_path)
    run, result, record = prepared(tmp_path, run_id=LATER)
    assert result.adopted is not None
    assert record.training_key == former_key_of(run, record)
    assert planned(tmp_path, run, result).key == record.training_key


def test_a_retrain_trains_no_small_account_again(tmp_path: Path) -> None:
    publish_former(tmp_path)
    _, result, _ = prepared(tmp_path, run_id=LATER, trigger="2026-11-30")
    assert result.adopted is not None


def test_a_forced_retrain_trains_a_small_account_by_the_new_defaults(tmp_path: Path) -> None:
    publish_former(tmp_path)
    run, result, record = prepared(tmp_path, run_id=LATER, trigger="force/2026-11-30")
    assert run.forced
    assert result.adopted is None
    assert planned(tmp_path, run, result).key == record.training_key != former_key_of(run, record)


def test_a_model_that_misses_a_gate_keeps_no_small_account_from_the_new_defaults(tmp_path: Path) -> None:
    publish_former(tmp_path, verbatim_rate=0.73)
    gates = {"evaluation": {"gates": {"maxVerbatimPercent": 5}}}
    run, result, record = prepared(tmp_path, run_id=LATER, spec=gates)
    assert result.adopted is None
    assert planned(tmp_path, run, result).key == record.training_key != former_key_of(run, record)
