"""A batch's gradient, and what happens if a GPU's memory is too small for it (simulated: no GPU is needed)."""

import pytest
import torch
from torch.nn import functional

from builders import model as builders_model
from builders.model import DEVICE, examples_of, require_gradient, some_texts, some_values
from tweetbot_trainer.learning.batches.batching import Batch
from tweetbot_trainer.learning.batches.cross_entropy import NO_LABEL, compute_cross_entropy
from tweetbot_trainer.learning.batches.examples import Example
from tweetbot_trainer.learning.batches.forward import compute_label_losses, compute_total_loss
from tweetbot_trainer.learning.batches.packing import pack, pad_to_static_shape
from tweetbot_trainer.learning.decoder.activations import ACTIVATIONS
from tweetbot_trainer.learning.decoder.gpt2 import Gpt2Mlp
from tweetbot_trainer.learning.model.base import Base
from tweetbot_trainer.learning.training.callbacks import Callbacks, TrainOutput
from tweetbot_trainer.learning.training.gradients import GradientAccumulator
from tweetbot_trainer.learning.training.loop import train
from tweetbot_trainer.runtime.errors import SpecRefused

TEXTS = some_texts(24)


def a_base() -> Base:
    base = builders_model.a_base(TEXTS)
    base.model.set_dropout(0.0)
    return base


def a_batch(base: Base) -> Batch:
    return tuple(examples_of(base, TEXTS))


def positions_of(batch: Batch) -> int:
    return sum(len(example.ids) - 1 for example in batch)


def with_memory_for(base: Base, fit: int) -> Base:
    """Let the base's activation run out of memory if a pass has more positions than fit."""
    within = ACTIVATIONS["gelu_new"]

    def activate(x: torch.Tensor) -> torch.Tensor:
        if x.requires_grad and x.shape[0] > fit:
            raise torch.OutOfMemoryError("CUDA out of memory (simulated).")
        return within(x)

    for module in base.model.modules():
        if isinstance(module, Gpt2Mlp):
            module.activate = activate
    return base


def gradient_of(base: Base, limits: list[int]) -> tuple[float, torch.Tensor]:
    loss = GradientAccumulator(base.model, DEVICE, limits.append).accumulate(a_batch(base))
    return loss, require_gradient(base.model.embedding.weight)


def test_smaller_micro_batches_give_the_same_gradient() -> None:
    whole, limits = positions_of(a_batch(a_base())), list[int]()
    expected = gradient_of(a_base(), limits)
    assert limits == []
    found = gradient_of(with_memory_for(a_base(), whole - 1), limits)
    assert limits == [whole // 2]
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    assert torch.allclose(found[1], expected[1], rtol=1e-3, atol=1e-6)


def test_micro_batches_before_the_failed_one_count_once() -> None:
    ids = range(1, 10)
    step = tuple(Example(tuple(ids[: size + 1]), 1) for size in (8, 4, 4, 4))  # passes of 8 and 12 positions
    tight, roomy, limits = with_memory_for(a_base(), 8), a_base(), list[int]()
    GradientAccumulator(tight.model, DEVICE, limits.append, positions=12).accumulate(step)
    GradientAccumulator(roomy.model, DEVICE, limits.append, positions=6).accumulate(step)
    assert limits == [6]
    assert torch.equal(require_gradient(tight.model.embedding.weight), require_gradient(roomy.model.embedding.weight))


def trained(base: Base, callbacks: Callbacks) -> TrainOutput:
    step = a_batch(base)
    return train(base.model, step, step, some_values(epochs=1), device=DEVICE, callbacks=callbacks, stop_early=False)


def test_a_training_continues_in_halves_and_reports_it() -> None:
    limits = list[int]()
    outcome = trained(with_memory_for(a_base(), 40), Callbacks(on_reduce=limits.append))
    assert [outcome.reduced_to] == limits
    assert outcome.recomputed
    roomy = trained(a_base(), Callbacks())
    assert (roomy.reduced_to, roomy.recomputed) == (None, False)


def test_running_out_of_memory_again_ends_it_with_advice() -> None:
    with pytest.raises(SpecRefused, match=r"OutOfMemory: .*too little memory: lower spec.training.batchTokens"):
        trained(with_memory_for(a_base(), 3), Callbacks())


def test_static_shapes_compute_the_same_and_recur() -> None:
    base = a_base()
    step = sorted(a_batch(base), key=lambda example: len(example.ids))
    parts = [step[:5], step[5:12], step[12:]]
    for part in parts:
        padded = compute_label_losses(base.model, pad_to_static_shape(part)).sum().detach()
        assert float(padded) == pytest.approx(float(compute_total_loss(base.model, part).detach()), rel=1e-5)
    shapes = {
        (stream.equal_length_groups, len(stream.targets))
        for stream in map(pad_to_static_shape, ([step[0]] * 3, [step[0]] * 7))
    }
    assert len(shapes) == 1


def test_padding_of_static_shapes_is_no_label() -> None:
    step = a_batch(a_base())
    targets = pad_to_static_shape(step).targets
    assert targets[targets != NO_LABEL].tolist() == pack(step).targets.tolist()
    assert len(targets) > len(pack(step).targets)


def test_the_cross_entropy_is_torchs_own() -> None:
    torch.manual_seed(1)
    logits = torch.randn(6, 9, requires_grad=True)
    targets, weights = torch.tensor([0, 8, 3, NO_LABEL, 3, 1]), torch.randn(6)
    expected = functional.cross_entropy(logits, targets, reduction="none")
    (gradient,) = torch.autograd.grad((expected * weights).sum(), logits)
    found = compute_cross_entropy(logits * 1, targets)
    assert torch.allclose(found, expected, atol=1e-6)
    assert torch.allclose(torch.autograd.grad((found * weights).sum(), logits)[0], gradient, atol=1e-6)


def test_large_logits_do_not_overflow() -> None:
    found = compute_cross_entropy(torch.tensor([[1e4, 0.0], [-1e4, 1e4]]), torch.tensor([0, 0]))
    assert found.tolist() == [0.0, 2e4]
