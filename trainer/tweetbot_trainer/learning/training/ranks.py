"""The processes of one training, one for each GPU, which add up their gradients before every step.

Each computes its share of a step's examples, so together they compute the same step as one process. Rank 0 is the
stage's process; it alone reads and writes checkpoints, and sends what a training begins with to the others.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from tweetbot_trainer.learning.batches.batching import Batch
from tweetbot_trainer.learning.training.optimizer import Optimizer, create_moments
from tweetbot_trainer.learning.training.state import TrainerState


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process's place among those of a training; a process alone adds up nothing."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the stage's process."""
        return self.rank == 0

    def take_share(self, batch: Batch) -> Batch:
        """Return this process's examples of a batch, of like lengths as the others'; perhaps none."""
        return batch[self.rank :: self.size]

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Add up each gradient over all processes, in place."""
        if self.size == 1:
            return
        gradients = []
        for parameter in parameters:
            if parameter.requires_grad:
                parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
                gradients.append(parameter.grad)
        for work in [torch.distributed.all_reduce(gradient, async_op=True) for gradient in gradients]:
            work.wait()

    def sum_number(self, number: float, device: torch.device) -> float:
        """Return the sum of the processes' numbers."""
        if self.size == 1:
            return number
        # NCCL adds up what lies on the GPU
        total = torch.tensor(number, dtype=torch.float64, device=device)
        torch.distributed.all_reduce(total)
        return total.item()

    def send(self, tensors: Sequence[Tensor]) -> None:
        """Copy the tensors of rank 0 into those of the others."""
        for tensor in tensors:
            torch.distributed.broadcast(tensor, 0)

    def share_beginning(self, state: TrainerState, model: nn.Module, optimizer: Optimizer, seed: int) -> TrainerState:
        """Begin where rank 0 begins, with its weights and moments; return its state.

        Dropout differs from process to process: rank 0 goes on with its own random numbers, the others draw theirs.
        """
        if self.size == 1:
            return state
        device = next(model.parameters()).device
        shared = TrainerState.from_json(json.loads(self._send_text(json.dumps(state.as_json()), device)))
        parameters = [one for group in optimizer.param_groups for one in group["params"]]
        with torch.no_grad():
            self.send(list(model.parameters()))
            if shared.losses:
                self._send_moments(parameters, optimizer)
        if not self.leads:
            torch.manual_seed(seed + 1_000_003 * self.rank + len(shared.losses))
        return state if self.leads else replace(shared, processor=state.processor, threads=state.threads)

    def _send_moments(self, parameters: Sequence[nn.Parameter], optimizer: Optimizer) -> None:
        if not self.leads:
            moments = {place: create_moments(one) for place, one in enumerate(parameters)}
            optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
        for _, moments in sorted(optimizer.state_dict()["state"].items()):
            self.send([moments[name] for name in ("step", "exp_avg", "exp_avg_sq")])

    def _send_text(self, text: str, device: torch.device) -> str:
        body = text.encode()
        length = int(self.sum_number(len(body) if self.leads else 0, device))
        held = torch.tensor(list(body) if self.leads else [0] * length, dtype=torch.uint8, device=device)
        self.send([held])
        return bytes(held.tolist()).decode()
