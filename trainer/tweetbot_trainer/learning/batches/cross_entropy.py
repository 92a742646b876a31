"""Cross-entropy that reuses the logits' memory: they are the largest tensor of a training, and torch keeps three."""

from typing import Any

import torch
from torch import Tensor

#: The target of a place that is no label, as in torch's own cross_entropy.
NO_LABEL = -100


def compute_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return -log softmax(logits)[target] in nats, by label: [labels]; 0 where the target is NO_LABEL.

    `logits` [labels, vocabulary] are float32 and overwritten: nobody else may need them. `targets` [labels] are ids.
    """
    found: Tensor = _InPlace.apply(logits, targets)
    return found


class _InPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor) -> Tensor:
        labelled = (targets != NO_LABEL).to(logits.dtype)
        indices = targets.clamp(min=0).unsqueeze(1)
        highest = logits.amax(1, keepdim=True)
        chosen = logits.gather(1, indices)
        exponentials = logits.sub_(highest).exp_()
        sums = exponentials.sum(1, keepdim=True)
        ctx.save_for_backward(exponentials, sums, indices, labelled)
        return (sums.log() + highest - chosen).squeeze(1) * labelled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Return (softmax - 1 at the target) times the gradient of each label's loss."""
        exponentials, sums, indices, labelled = ctx.saved_tensors
        scale = (gradients[0] * labelled).unsqueeze(1)
        softmax = exponentials.mul_(scale / sums)
        return softmax.scatter_add_(1, indices, -scale), None
