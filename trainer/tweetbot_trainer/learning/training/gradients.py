"""The gradient of one step, accumulated over as many micro-batches as the memory demands."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tweetbot_contract.spec.memory import MICRO_BATCH
from tweetbot_trainer.learning.batches.batching import Batch, split_into_micro_batches
from tweetbot_trainer.learning.batches.forward import compute_label_losses
from tweetbot_trainer.learning.batches.packing import pack, pad_to_static_shape
from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.training.device import Device


@dataclass(slots=True)
class GradientAccumulator:
    """Computes a batch's gradient; the first time that a GPU runs out of memory it halves the micro-batches for good.

    From then on activations are recomputed, too. The gradient is the sum over all labels divided by the batch's labels,
    however it is split. `on_reduce` gets the new limit, in positions per micro-batch.
    """

    model: Decoder
    device: Device
    on_reduce: Callable[[int], None]
    positions: int = MICRO_BATCH
    reduced_to: int | None = None

    def accumulate(self, batch: Batch) -> float:
        """Add the gradient of the batch's mean loss to the parameters' `grad`, and return the loss in nats per token.

        Each of several processes computes its share of the batch, and gets the sum. Raises torch.OutOfMemoryError if
        half a micro-batch is too large as well.
        """
        loss = self._accumulate_share(batch)
        self.device.ranks.sum_gradients(self.model.parameters())
        return self.device.ranks.sum_number(loss, self.model.device)

    def _accumulate_share(self, batch: Batch) -> float:
        try:
            return self._accumulate_parts(batch)
        except torch.OutOfMemoryError:
            if self.reduced_to is not None:
                raise
        # Retry outside of `except`: the traceback there keeps the tensors of the failed pass alive.
        self._halve(batch)
        return self._accumulate_parts(batch)

    def _accumulate_parts(self, batch: Batch) -> float:
        labels = sum(example.labels for example in batch)
        loss = 0.0
        for part in split_into_micro_batches(self.device.ranks.take_share(batch), self.positions):
            with self._make_autocast():
                mean = self._compute_loss(part) / labels
            mean.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
            loss += mean.item()
        return loss

    def _compute_loss(self, part: Batch) -> Tensor:
        """A GPU waits for kernel launches more than for padding: give it shapes that recur."""
        packed = pad_to_static_shape(part) if self.device.device_type == "cuda" else pack(part)
        return compute_label_losses(self.model, packed).sum()

    def _halve(self, batch: Batch) -> None:
        self.model.zero_grad(set_to_none=True)  # drop what earlier micro-batches of this batch have added
        torch.cuda.empty_cache()
        parts = split_into_micro_batches(self.device.ranks.take_share(batch), self.positions)
        largest = max(sum(len(example.ids) - 1 for example in part) for part in parts)
        self.positions = self.reduced_to = max(1, largest // 2)
        self.model.recompute = True
        self.on_reduce(self.positions)

    def _make_autocast(self) -> AbstractContextManager[Any]:
        """With bf16, matrix products run in bfloat16; weights, gradients and the loss stay float32."""
        if not self.device.bf16:
            return nullcontext()
        return torch.autocast(self.device.device_type, dtype=torch.bfloat16)
