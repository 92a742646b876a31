"""AdamW in one kernel, without `torch.optim`, whose first optimizer loads torch._dynamo and torch.distributed.

That takes two seconds of a processor (docs/decisions/0094). The kernel is the one that torch.optim.AdamW(fused=True)
calls, so the weights are the same to the last bit; it is private to torch, so where it is gone, that class takes over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from tweetbot_trainer.learning.values import Hyperparameters

#: A parameter's `step` [], `exp_avg` and `exp_avg_sq` [its shape] by name: torch's own, which are in checkpoints.
Moments = dict[str, Tensor]


class Optimizer(Protocol):
    """What a training needs of an optimizer; torch.optim.Optimizer has it, too."""

    param_groups: list[dict[str, Any]]

    def step(self) -> object:
        """Change the parameters by their gradients and the groups' rates `lr`."""

    def zero_grad(self) -> None:
        """Drop the gradients."""

    def state_dict(self) -> dict[str, Any]:
        """Return the moments of each parameter by its place among all groups, as `state`."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from the moments of `state_dict`."""


@dataclass(slots=True)
class FusedAdamW:
    """torch.optim.AdamW(fused=True); `param_groups` have `params`, `weight_decay` and `lr`, as there."""

    param_groups: list[dict[str, Any]]
    betas: tuple[float, float]
    eps: float
    moments: dict[nn.Parameter, Moments] = field(default_factory=dict)

    @torch.no_grad()
    def step(self) -> None:
        """Change the parameters that have gradients."""
        for group in self.param_groups:
            parameters = [one for one in group["params"] if one.grad is not None]
            moments = [self._get_moments(one) for one in parameters]
            update(parameters, moments, group["lr"], group["weight_decay"], self.betas, self.eps)

    def zero_grad(self) -> None:
        """Drop the gradients."""
        for parameter in self._list_parameters():
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """Return the moments, not copies of them."""
        places = enumerate(self._list_parameters())
        return {"state": {place: self.moments[one] for place, one in places if one in self.moments}}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Copy the moments to where their parameters are."""
        parameters = self._list_parameters()
        self.moments = {
            parameters[place]: {name: one.to(parameters[place].device, copy=True) for name, one in moments.items()}
            for place, moments in state_dict["state"].items()
        }

    def _get_moments(self, parameter: nn.Parameter) -> Moments:
        if parameter not in self.moments:
            self.moments[parameter] = create_moments(parameter)
        return self.moments[parameter]

    def _list_parameters(self) -> list[nn.Parameter]:
        return [parameter for group in self.param_groups for parameter in group["params"]]


def create_optimizer(model: nn.Module, hyperparameters: Hyperparameters) -> Optimizer:
    """Create a fused AdamW that decays matrices but neither biases nor norms; the loop sets each step's rate."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    matrices, others = [p for p in parameters if p.dim() >= 2], [p for p in parameters if p.dim() < 2]
    groups: list[dict[str, Any]] = [
        {"params": params, "weight_decay": decay, "lr": hyperparameters.learning_rate}
        for params, decay in ((matrices, hyperparameters.weight_decay), (others, 0.0))
    ]
    if can_update():
        return FusedAdamW(groups, hyperparameters.betas, hyperparameters.adam_epsilon)
    return torch.optim.AdamW(groups, betas=hyperparameters.betas, eps=hyperparameters.adam_epsilon, fused=True)


def create_moments(parameter: nn.Parameter) -> Moments:
    """Create the moments of a parameter that no step has changed yet."""
    return {
        "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
        "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
        "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
    }


def update(
    parameters: Sequence[nn.Parameter],
    moments: Sequence[Moments],
    rate: float,
    weight_decay: float,
    betas: tuple[float, float],
    eps: float,
) -> None:
    """Change parameters by their gradients, and their moments; all are on one device and in one number format."""
    if not parameters:
        return
    steps = [one["step"] for one in moments]
    torch._foreach_add_(steps, 1)
    torch._fused_adamw_(
        list(parameters),
        [one.grad for one in parameters if one.grad is not None],
        [one["exp_avg"] for one in moments],
        [one["exp_avg_sq"] for one in moments],
        [],
        steps,
        lr=rate,
        beta1=betas[0],
        beta2=betas[1],
        weight_decay=weight_decay,
        eps=eps,
        amsgrad=False,
        maximize=False,
    )


def can_update() -> bool:
    """Tell whether this torch still has the private functions, and they still do what they did: its first step of 1."""
    weight = nn.Parameter(torch.ones(1))
    weight.grad = torch.ones(1)
    try:
        with torch.no_grad():
            update([weight], [create_moments(weight)], 0.25, 0.0, (0.9, 0.999), 1e-8)
    except (AttributeError, TypeError, RuntimeError):
        return False
    return abs(weight.item() - 0.75) < 1e-6
