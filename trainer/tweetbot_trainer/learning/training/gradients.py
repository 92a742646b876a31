"""The gradient of one step, summed from as many passes as the memory asks for."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import GPT2LMHeadModel

from tweetbot_trainer.learning.batches.examples import Batch, split_into_micro_batches
from tweetbot_trainer.learning.batches.forward import compute_label_losses
from tweetbot_trainer.learning.batches.packing import pack, pad_to_static_shape
from tweetbot_trainer.learning.training.device import Device

#: Positions of one forward and backward pass; a larger step is summed from several.
POSITIONS = 8192


@dataclass(slots=True)
class GradientAccumulator:
    """Computes gradients; the first time that a GPU's memory is too small, passes become half as large for good.

    `on_reduce` is told the new limit, in positions a pass; a step's gradient stays the same sum.
    """

    model: GPT2LMHeadModel
    device: Device
    on_reduce: Callable[[int], None]
    positions: int = POSITIONS
    reduced_to: int | None = None

    def accumulate(self, batch: Batch) -> float:
        """Add the gradient of the step's mean loss to the parameters' own, and return that loss in nats a token.

        Raises torch.OutOfMemoryError where half a pass is too large as well.
        """
        try:
            return self._accumulate_parts(batch)
        except torch.OutOfMemoryError:
            if self.reduced_to is not None:
                raise
        # outside of `except`, whose traceback would hold on to the tensors of the pass that failed
        self._halve(batch)
        return self._accumulate_parts(batch)

    def _accumulate_parts(self, batch: Batch) -> float:
        labels = sum(example.labels for example in batch)
        loss = 0.0
        for part in split_into_micro_batches(batch, self.positions):
            with self._make_autocast():
                mean = self._compute_loss(part) / labels
            mean.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
            loss += mean.item()
        return loss

    def _compute_loss(self, part: Batch) -> Tensor:
        """A GPU waits for launches more than for padding: it gets shapes that come again."""
        packed = pad_to_static_shape(part) if self.device.device_type == "cuda" else pack(part)
        return compute_label_losses(self.model, packed).sum()

    def _halve(self, batch: Batch) -> None:
        self.model.zero_grad(set_to_none=True)  # what the passes before the failed one have added
        torch.cuda.empty_cache()
        largest = max(
            sum(len(example.ids) - 1 for example in part) for part in split_into_micro_batches(batch, self.positions)
        )
        self.positions = self.reduced_to = max(1, largest // 2)
        self.on_reduce(self.positions)

    def _make_autocast(self) -> AbstractContextManager[Any]:
        if not self.device.bf16:
            return nullcontext()
        return torch.autocast(self.device.device_type, dtype=torch.bfloat16)
