"""The gradient of one step, summed from as many passes as the memory asks for."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import GPT2LMHeadModel

from tweetbot_trainer.learning.batches.forward import stream_losses
from tweetbot_trainer.learning.batches.packing import static_stream_of, stream_of
from tweetbot_trainer.learning.batches.windows import Step, parts_of
from tweetbot_trainer.learning.training.device import Processor

#: Positions of one forward and backward pass; a larger step is summed from several.
POSITIONS = 8192


@dataclass(slots=True)
class Gradients:
    """Computes gradients; the first time that a GPU's memory is too small, passes become half as large for good.

    `halved` is told the new limit, in positions a pass; a step's gradient stays the same sum.
    """

    model: GPT2LMHeadModel
    processor: Processor
    halved: Callable[[int], None]
    positions: int = POSITIONS
    halved_to: int | None = None

    def of(self, step: Step) -> float:
        """Add the gradient of the step's mean loss to the parameters' own, and return that loss in nats a token.

        Raises torch.OutOfMemoryError where half a pass is too large as well.
        """
        try:
            return self._summed(step)
        except torch.OutOfMemoryError:
            if self.halved_to is not None:
                raise
        # outside of `except`, whose traceback would hold on to the tensors of the pass that failed
        self._halve(step)
        return self._summed(step)

    def _summed(self, step: Step) -> float:
        labels = sum(window.labels for window in step)
        loss = 0.0
        for part in parts_of(step, self.positions):
            with self._products():
                mean = self._loss(part) / labels
            mean.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
            loss += mean.item()
        return loss

    def _loss(self, part: Step) -> Tensor:
        """A GPU waits for launches more than for padding: it gets shapes that come again."""
        stream = static_stream_of(part) if self.processor.device == "cuda" else stream_of(part)
        return stream_losses(self.model, stream).sum()

    def _halve(self, step: Step) -> None:
        self.model.zero_grad(set_to_none=True)  # what the passes before the failed one have added
        torch.cuda.empty_cache()
        largest = max(sum(len(window.ids) - 1 for window in part) for part in parts_of(step, self.positions))
        self.positions = self.halved_to = max(1, largest // 2)
        self.halved(self.positions)

    def _products(self) -> AbstractContextManager[Any]:
        if not self.processor.bf16:
            return nullcontext()
        return torch.autocast(self.processor.device, dtype=torch.bfloat16)
