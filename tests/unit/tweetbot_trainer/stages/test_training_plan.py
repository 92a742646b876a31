"""What a run trains, settled before torch is asked for anything."""

from pathlib import Path
from typing import Any

import pytest

from builders.stages import a_context, a_local_run, a_source
from tweetbot_trainer.publishing.registry.run_record import read_record
from tweetbot_trainer.stages.prepare import prepare
from tweetbot_trainer.stages.training_plan import TrainingPlan, build_training_plan


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
