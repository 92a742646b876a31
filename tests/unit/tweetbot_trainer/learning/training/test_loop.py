"""The loop: the loss falls, the same seed gives the same weights, and nothing half-trained gets out."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
import torch

from builders.model import (
    DEVICE,
    CheckpointsInMemory,
    a_base,
    examples_of,
    posts_of,
    require_gradient,
    some_texts,
    some_values,
    stopped_at,
)
from tweetbot_trainer.data.dataset.splits import Splits, split
from tweetbot_trainer.learning.batches.examples import split_into_examples
from tweetbot_trainer.learning.batches.forward import compute_total_loss
from tweetbot_trainer.learning.fine_tune import fine_tune
from tweetbot_trainer.learning.model.base import Base
from tweetbot_trainer.learning.model.marks import get_marks
from tweetbot_trainer.learning.model.tokenizer import encode_all
from tweetbot_trainer.learning.training.callbacks import Callbacks, TrainOutput
from tweetbot_trainer.learning.training.device import Device
from tweetbot_trainer.learning.training.loop import train
from tweetbot_trainer.learning.training.metrics import LogEntry, TrainingProgress
from tweetbot_trainer.learning.training.optimizer import create_optimizer
from tweetbot_trainer.learning.training.precision import ProductSeconds
from tweetbot_trainer.runtime.errors import StageStopped, TrainingDiverged

QUIET = Callbacks()
TRAIN, VALIDATION = some_texts(60), some_texts(12, seed=2)
#: Posts of another kind than those of TRAIN: the longer a model learns these, the worse it predicts them.
STRANGE = ["zzqx vwyj kkpp 0123"] * 12


def trained(
    base: Base,
    *,
    callbacks: Callbacks = QUIET,
    validation: list[str] = VALIDATION,
    stop_early: bool = False,
    device: Device = DEVICE,
    **values: Any,
) -> TrainOutput:
    return train(
        base.model,
        examples_of(base, TRAIN),
        examples_of(base, validation),
        some_values(**values),
        device=device,
        callbacks=callbacks,
        stop_early=stop_early,
    )


def weights_hash(base: Base) -> str:
    tensors = base.model.state_dict()
    return hashlib.sha256(b"".join(tensors[name].numpy().tobytes() for name in sorted(tensors))).hexdigest()


def test_the_loss_falls() -> None:
    outcome = trained(base := a_base(TRAIN), epochs=4, learning_rate="3e-3")
    assert outcome.train_loss < 0.6 * outcome.first_train_loss
    validation = [entry.eval_loss for entry in outcome.log_history if entry.eval_loss is not None]
    assert len(validation) == 5
    assert validation[-1] < 0.6 * validation[0]
    assert base.model.training is False


def test_the_same_seed_gives_the_same_weights() -> None:
    hashes = []
    for seed in (1, 1, 2):
        trained(base := a_base(TRAIN, seed=7), seed=seed, epochs=1)
        hashes.append(weights_hash(base))
    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]


def test_dropout_follows_the_seed_too() -> None:
    hashes = set()
    for _ in range(2):
        base = a_base(TRAIN)
        values = replace(some_values(epochs=1), dropout=0.1)
        parts = examples_of(base, TRAIN), examples_of(base, VALIDATION)
        train(base.model, *parts, values, device=DEVICE, callbacks=Callbacks(), stop_early=False)
        hashes.add(weights_hash(base))
    assert len(hashes) == 1


def test_a_request_to_stop_ends_it_before_the_next_step() -> None:
    seen: list[TrainingProgress] = []
    with pytest.raises(StageStopped):
        trained(a_base(TRAIN), callbacks=Callbacks(should_training_stop=stopped_at(4), on_progress=seen.append))
    assert [progress.step for progress in seen] == [1, 2, 3]


def test_a_loss_that_is_not_finite_ends_it_with_advice() -> None:
    with pytest.raises(TrainingDiverged, match=r"Diverged: .*learning rate 0\.5.*lower spec.training.learningRate"):
        trained(a_base(TRAIN, scale=1e30), learning_rate="0.5")


def test_it_stops_early_and_keeps_the_best_weights() -> None:
    outcome = trained(base := a_base(TRAIN), validation=STRANGE, stop_early=True, epochs=40)
    losses = [entry.eval_loss for entry in outcome.log_history if entry.eval_loss is not None][1:]
    assert outcome.epochs == len(losses) < 40
    assert outcome.best_epoch == 1 + losses.index(min(losses)) <= outcome.epochs - 2
    marks = examples_of(base, STRANGE)
    with torch.no_grad():
        kept = float(compute_total_loss(base.model, marks)) / sum(example.labels for example in marks)
    assert kept == pytest.approx(min(losses), rel=1e-5)


def test_without_early_stopping_all_epochs_are_trained() -> None:
    outcome = trained(a_base(TRAIN), validation=["zzqx vwyj"] * 12, epochs=6)
    assert (outcome.epochs, outcome.best_epoch) == (6, 6)


def test_progress_counts_to_the_end_and_every_step_is_logged() -> None:
    seen: list[TrainingProgress] = []
    entries: list[LogEntry] = []
    outcome = trained(a_base(TRAIN), callbacks=Callbacks(on_progress=seen.append, on_log=entries.append))
    assert [progress.step for progress in seen] == list(range(1, outcome.steps + 1))
    assert {progress.total_steps for progress in seen} == {outcome.steps}
    assert (seen[-1].percent, seen[-1].eta_seconds) == (100, 0.0)
    assert tuple(entries) == outcome.log_history
    steps = [entry.as_json() for entry in entries if entry.train_loss is not None]
    assert len(steps) == outcome.steps
    assert set(steps[0]) == {"step", "epoch", "train_loss", "learning_rate", "tokens_per_second"}
    assert steps[-1]["epoch"] == 2.0


def test_speed_counts_label_tokens() -> None:
    outcome = trained(base := a_base(TRAIN))
    assert outcome.tokens == 2 * sum(example.labels for example in examples_of(base, TRAIN))


def test_posts_in_one_batch_do_not_see_each_other() -> None:
    base = a_base(TRAIN)
    base.model.eval()
    some = examples_of(base, ["My dream is the cat slept", "a gull", "My dream is my hat left at noon in may"])
    with torch.no_grad():
        together = float(compute_total_loss(base.model, some))
        alone = sum(float(compute_total_loss(base.model, [example])) for example in some)
    assert together == pytest.approx(alone, rel=1e-5)


def test_a_large_step_summed_from_parts_has_the_same_gradient() -> None:
    base = a_base(TRAIN)
    base.model.eval()
    some = examples_of(base, TRAIN[:8])
    torch.autograd.backward(compute_total_loss(base.model, some))
    whole = require_gradient(base.model.embedding.weight).clone()
    base.model.zero_grad()
    for example in some:
        torch.autograd.backward(compute_total_loss(base.model, [example]))
    assert torch.allclose(require_gradient(base.model.embedding.weight), whole, rtol=1e-3, atol=1e-4)


def test_attention_weights_are_never_dropped() -> None:
    model = a_base(TRAIN).model
    model.set_dropout(0.1)
    rates = {name: one.p for name, one in model.named_modules() if isinstance(one, torch.nn.Dropout)}
    assert {rate for name, rate in rates.items() if name.endswith("attn_dropout")} == {0.0}
    assert {rate for name, rate in rates.items() if not name.endswith("attn_dropout")} == {0.1}
    assert model.config.model_dump().items() >= {"attn_pdrop": 0.0, "resid_pdrop": 0.1}.items()


def test_biases_and_norms_do_not_decay() -> None:
    decayed, kept = create_optimizer(a_base(TRAIN).model, some_values()).param_groups
    assert (decayed["weight_decay"], kept["weight_decay"]) == (0.1, 0.0)
    assert all(parameter.dim() < 2 for parameter in kept["params"])


def a_forgetful_account() -> Splits:
    """Return 60 posts of which the 6 for validation are of another kind: each epoch predicts them worse."""
    return split(posts_of(TRAIN[:48] + STRANGE[:6] + TRAIN[48:54]), 10)


def test_a_small_account_keeps_the_weights_that_predict_its_few_validation_posts_best() -> None:
    values = replace(some_values(epochs=40), stopping_posts=5)
    result = fine_tune(a_base(TRAIN), a_forgetful_account(), values, callbacks=Callbacks())
    assert result.outcome.best_epoch < result.outcome.epochs < 40
    assert result.metrics.reliability == "Low"


@pytest.mark.parametrize("changes", [{"stopping_posts": 7}, {"stopping_posts": 5, "early_stopping": False}])
def test_with_fewer_validation_posts_or_when_asked_all_epochs_are_trained(changes: dict[str, Any]) -> None:
    values = replace(some_values(epochs=6), **changes)
    result = fine_tune(a_base(TRAIN), a_forgetful_account(), values, callbacks=Callbacks())
    assert (result.outcome.epochs, result.outcome.best_epoch) == (6, 6)


def test_a_scratch_base_has_no_figures_before_training() -> None:
    splits, values = split(posts_of(TRAIN), 10), some_values(epochs=1)
    result = fine_tune(a_base(TRAIN), splits, values, callbacks=Callbacks())
    assert (result.base_test, result.metrics.base_bits_per_byte) == (None, None)


def test_another_base_is_measured_before_training() -> None:
    base = a_base(TRAIN)
    published = Base(base.model, base.tokenizer, replace(base.identity, kind="folder"))
    result = fine_tune(published, split(posts_of(TRAIN), 10), some_values(), callbacks=Callbacks())
    assert result.metrics.base_bits_per_byte is not None
    assert result.metrics.bits_per_byte < result.metrics.base_bits_per_byte


def test_a_post_longer_than_the_context_trains() -> None:
    base = a_base(TRAIN, context=16)
    long = split_into_examples(encode_all(base.tokenizer, [" ".join(TRAIN)])[0].tokens, get_marks(base.tokenizer), 16)
    assert len(long) > 10
    outcome = train(base.model, long, long, some_values(), device=DEVICE, callbacks=Callbacks(), stop_early=False)
    assert outcome.train_loss < outcome.first_train_loss


@pytest.mark.parametrize("stop_at", [1, 2, 7, 18])
def test_a_stopped_training_resumes_to_the_same_weights_and_figures(stop_at: int) -> None:
    whole = trained(undisturbed := a_base(TRAIN), epochs=2, stop_early=True)
    checkpoints = CheckpointsInMemory()
    with pytest.raises(StageStopped):
        trained(
            a_base(TRAIN),
            epochs=2,
            stop_early=True,
            callbacks=Callbacks(should_training_stop=stopped_at(stop_at), checkpoints=checkpoints),
        )
    earlier: list[LogEntry] = []
    callbacks = Callbacks(checkpoints=checkpoints, on_resume=earlier.extend)
    resumed = trained(base := a_base(TRAIN), epochs=2, stop_early=True, callbacks=callbacks)
    assert weights_hash(base) == weights_hash(undisturbed)
    assert len(checkpoints.saved[0].trainer_state.losses) == stop_at - 1
    assert [entry.train_loss for entry in resumed.log_history] == [entry.train_loss for entry in whole.log_history]
    assert (resumed.steps, resumed.epochs, resumed.tokens) == (whole.steps, whole.epochs, whole.tokens)
    assert list(resumed.log_history[: len(earlier)]) == earlier


def test_a_stopped_training_remembers_how_the_validation_loss_rose() -> None:
    """Of the two epochs that end it early, the first is over when it is stopped."""
    options: dict[str, Any] = {"validation": STRANGE, "epochs": 40, "stop_early": True}
    whole = trained(undisturbed := a_base(TRAIN), **options)
    stop_at = whole.steps - whole.steps // whole.epochs + 3
    checkpoints = CheckpointsInMemory()
    with pytest.raises(StageStopped):
        trained(
            a_base(TRAIN),
            callbacks=Callbacks(should_training_stop=stopped_at(stop_at), checkpoints=checkpoints),
            **options,
        )
    assert checkpoints.saved[0].trainer_state.epoch == whole.epochs
    resumed = trained(base := a_base(TRAIN), callbacks=Callbacks(checkpoints=checkpoints), **options)
    assert (resumed.epochs, resumed.best_epoch) == (whole.epochs, whole.best_epoch)
    assert weights_hash(base) == weights_hash(undisturbed)


def test_a_stopped_training_with_attention_dropout_resumes_to_the_same_weights() -> None:
    """Recipe huggingtweets: one epoch, its steps not yet all taken."""
    values = replace(some_values(epochs=1), attention_dropout=0.1, dropout=0.1)

    def train_once(base: Base, callbacks: Callbacks) -> str:
        parts = examples_of(base, TRAIN), examples_of(base, VALIDATION)
        train(base.model, *parts, values, device=DEVICE, callbacks=callbacks, stop_early=False)
        return weights_hash(base)

    checkpoints = CheckpointsInMemory()
    with pytest.raises(StageStopped):
        train_once(a_base(TRAIN), Callbacks(should_training_stop=stopped_at(5), checkpoints=checkpoints))
    assert train_once(a_base(TRAIN), Callbacks(checkpoints=checkpoints)) == train_once(a_base(TRAIN), QUIET)


def test_a_checkpoint_is_kept_when_it_is_due() -> None:
    checkpoints = CheckpointsInMemory(due_at=3)
    trained(a_base(TRAIN), epochs=1, callbacks=Callbacks(checkpoints=checkpoints))
    assert [len(saved.trainer_state.losses) for saved in checkpoints.saved] == [3]


#: A processor that gains by bfloat16, and one that loses by it.
FAST = Device("cpu", "fast in bfloat16", 1, bf16=True, products=ProductSeconds(fp32=0.02, bf16=0.01))
SLOW = Device("cpu", "slow in bfloat16", 1, bf16=False, products=ProductSeconds(fp32=0.02, bf16=0.98))


@pytest.mark.parametrize(("first", "second"), [(FAST, SLOW), (SLOW, FAST)])
def test_a_resumed_training_keeps_its_number_format_on_another_processor(first: Device, second: Device) -> None:
    checkpoints, used = CheckpointsInMemory(), list[Device]()
    trained(whole := a_base(TRAIN), device=first, epochs=1)
    stop = Callbacks(should_training_stop=stopped_at(5), checkpoints=checkpoints)
    with pytest.raises(StageStopped):
        trained(a_base(TRAIN), device=first, epochs=1, callbacks=stop)
    resume = Callbacks(checkpoints=checkpoints, on_device=used.append)
    outcome = trained(base := a_base(TRAIN), device=second, epochs=1, callbacks=resume)
    kept = replace(second, bf16=first.bf16, products=first.products)
    assert (outcome.device, used) == (kept, [kept])
    assert weights_hash(base) == weights_hash(whole)


def test_a_checkpoint_of_a_version_that_kept_no_format_goes_on_in_the_processors_own() -> None:
    checkpoints = CheckpointsInMemory()
    stop = Callbacks(should_training_stop=stopped_at(5), checkpoints=checkpoints)
    with pytest.raises(StageStopped):
        trained(a_base(TRAIN), epochs=1, callbacks=stop)
    checkpoints.saved[0].trainer_state.precision = None
    outcome = trained(a_base(TRAIN), device=FAST, epochs=1, callbacks=Callbacks(checkpoints=checkpoints))
    assert outcome.device == FAST
