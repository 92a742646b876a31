"""Several processes train as one would, and go on from the checkpoints of fewer or more."""

import os
from dataclasses import replace

import pytest
import torch

from builders.model import DEVICE, CheckpointsInMemory, a_base, examples_of, some_texts, some_values, stopped_at
from tweetbot_trainer.learning.training import together
from tweetbot_trainer.learning.training.callbacks import Callbacks
from tweetbot_trainer.learning.training.together import Work, train_together
from tweetbot_trainer.runtime.errors import StageStopped, TemporaryError

TRAIN, VALIDATION = some_texts(60), some_texts(12, seed=2)
BASE = a_base(TRAIN)
#: A batch has some five posts, so that shares differ in size.
WORK = Work(
    config=BASE.model.config,
    recompute=False,
    examples=examples_of(BASE, TRAIN),
    validation=examples_of(BASE, VALIDATION),
    values=some_values(epochs=2),
    device=DEVICE,
    stop_early=False,
)


def test_two_processes_train_as_one_and_each_goes_on_from_the_others_checkpoint() -> None:
    whole, parts = a_base(TRAIN).model, a_base(TRAIN).model
    expected = train_together(whole, WORK, Callbacks(), 1)
    checkpoints = CheckpointsInMemory()
    for processes, steps in ((1, 4), (2, 9)):
        callbacks = Callbacks(checkpoints=checkpoints, should_training_stop=stopped_at(steps))
        with pytest.raises(StageStopped):
            train_together(parts, WORK, callbacks, processes)
        parts = a_base(TRAIN, seed=processes).model
    found = train_together(parts, WORK, Callbacks(checkpoints=checkpoints), 1)
    assert found.steps == expected.steps == 18
    for ours, theirs in zip(found.log_history, expected.log_history, strict=True):
        for name in ("step", "train_loss", "eval_loss"):
            assert getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=1e-5)
    for (name, ours_weights), theirs_weights in zip(parts.named_parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(ours_weights, theirs_weights, rtol=0, atol=1e-5, msg=name)


def test_a_process_that_ends_before_it_trains_is_told_at_once_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "_follow", os._exit)  # called with too many arguments
    with pytest.raises(TemporaryError, match=r"AcceleratorUnusable: of 2 processes .* has ended"):
        train_together(a_base(TRAIN).model, replace(WORK, values=some_values(epochs=1)), Callbacks(), 2)
