"""Our AdamW beside torch's own: the same bits, the same state, and torch's where its private kernel is gone."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tweetbot_contract.spec.training import Training
from tweetbot_trainer.learning.training.optimizer import FusedAdamW, Optimizer, can_update, create_optimizer
from tweetbot_trainer.learning.values import resolve_hyperparameters

VALUES = resolve_hyperparameters(Training(), "scratch://mini", ())


def a_model() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(33, 17), nn.LayerNorm(17), nn.Linear(17, 5))


def of_torch(model: nn.Module) -> Optimizer:
    groups = [{"params": [p for p in model.parameters() if (p.dim() >= 2) == decayed]} for decayed in (True, False)]
    groups[0]["weight_decay"], groups[1]["weight_decay"] = VALUES.weight_decay, 0.0  # type: ignore[assignment]
    return torch.optim.AdamW(groups, betas=VALUES.betas, eps=VALUES.adam_epsilon, fused=True)


def take_steps(model: nn.Module, optimizer: Optimizer, steps: range) -> dict[str, Tensor]:
    """Take steps by rates that change; the first leaves a layer without gradient. Return the weights."""
    for step in steps:
        for group in optimizer.param_groups:
            group["lr"] = 0.01 / (step + 1)
        inputs = torch.randn(8, 33, generator=torch.Generator().manual_seed(step))
        model(inputs).square().sum().backward()
        if step == 0:
            model[2].bias.grad = None  # type: ignore[index]
        optimizer.step()
        optimizer.zero_grad()
    return dict(model.named_parameters())


def assert_same(found: Any, expected: Any) -> None:
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_weights_and_moments_are_those_of_torchs_adamw_to_the_last_bit() -> None:
    assert VALUES.weight_decay > 0
    ours, theirs = a_model(), a_model()
    own, other = create_optimizer(ours, VALUES), of_torch(theirs)
    assert isinstance(own, FusedAdamW)
    assert_same(take_steps(ours, own, range(6)), take_steps(theirs, other, range(6)))
    assert_same(own.state_dict()["state"], other.state_dict()["state"])


@pytest.mark.parametrize("ours_first", [True, False])
def test_each_continues_from_the_moments_of_the_other_to_the_last_bit(ours_first: bool) -> None:
    model = a_model()
    first, second = (create_optimizer(model, VALUES), of_torch(model))[:: 1 if ours_first else -1]
    take_steps(model, first, range(3))
    second.load_state_dict({**second.state_dict(), "state": first.state_dict()["state"]})
    whole = a_model()
    assert_same(take_steps(model, second, range(3, 6)), take_steps(whole, of_torch(whole), range(6)))


def test_moments_that_are_loaded_are_copies() -> None:
    model = a_model()
    first = create_optimizer(model, VALUES)
    take_steps(model, first, range(2))
    kept = {name: one.clone() for name, one in first.state_dict()["state"][0].items()}
    second = create_optimizer(model, VALUES)
    second.load_state_dict(first.state_dict())
    take_steps(model, second, range(2, 4))
    assert_same(first.state_dict()["state"][0], kept)


def change_the_sign(parameters: list[Tensor], *rest: Any, **named: Any) -> None:
    for parameter in parameters:
        parameter += 0.25


def refuse(*rest: Any, **named: Any) -> None:
    raise TypeError("_fused_adamw_(): another signature")


@pytest.mark.parametrize("kernel", [None, refuse, change_the_sign])
def test_without_the_kernel_that_it_knows_a_training_uses_torchs_own_class(
    kernel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = torch._fused_adamw_
    if kernel is None:
        monkeypatch.delattr(torch, "_fused_adamw_")
    else:
        monkeypatch.setattr(torch, "_fused_adamw_", kernel)
    assert not can_update()
    model, whole = a_model(), a_model()
    optimizer = create_optimizer(model, VALUES)
    monkeypatch.setattr(torch, "_fused_adamw_", real, raising=False)
    assert isinstance(optimizer, torch.optim.AdamW)
    assert_same(take_steps(model, optimizer, range(2)), take_steps(whole, of_torch(whole), range(2)))
