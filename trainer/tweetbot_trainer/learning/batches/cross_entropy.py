"""Cross-entropy in the memory of the logits: they are the largest tensor of a training, and torch's own keeps three."""

from typing import Any

import torch
from torch import Tensor

#: The target of a position without a label, as torch's cross_entropy has it.
NO_LABEL = -100


def compute_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return -log softmax(logits)[target] in nats, [labels] float32; 0 where the target is NO_LABEL.

    `logits` [labels, vocabulary] float32 are overwritten: the caller must not use them again. `targets` [labels] int64
    are ids.
    """
    found: Tensor = _InPlace.apply(logits, targets)
    return found


class _InPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor) -> Tensor:
        labelled = (targets != NO_LABEL).to(logits.dtype)  # [labels]: 1 for a label, 0 for padding
        indices = targets.clamp(min=0).unsqueeze(1)
        highest = logits.amax(1, keepdim=True)
        chosen = logits.gather(1, indices)
        # From here on the logits' memory holds exp(logit - highest), which the backward pass reuses as well.
        exponentials = logits.sub_(highest).exp_()
        sums = exponentials.sum(1, keepdim=True)
        ctx.save_for_backward(exponentials, sums, indices, labelled)
        return (sums.log() + highest - chosen).squeeze(1) * labelled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Return d loss / d logits = (softmax - one-hot target) * the gradient of each label's loss."""
        exponentials, sums, indices, labelled = ctx.saved_tensors
        scale = (gradients[0] * labelled).unsqueeze(1)
        softmax = exponentials.mul_(scale / sums)
        return softmax.scatter_add_(1, indices, -scale), None
