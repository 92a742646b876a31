"""All that a training needs to continue as if it had never stopped.

The order of the examples is not part of it: that follows from the seed and the epoch (batches.batching).
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from tweetbot_trainer.learning.decoder.decoder import Decoder
from tweetbot_trainer.learning.training.metrics import LogEntry
from tweetbot_trainer.learning.training.optimizer import Optimizer
from tweetbot_trainer.learning.training.precision import Precision, ProductSeconds

#: Tensors by name.
Weights = dict[str, Tensor]
_OPTIMIZER = "optimizer-"


@dataclass(slots=True)
class TrainerState:
    """How far a training is: `done` steps of `epoch` (from 1) are taken.

    Losses are in nats per token; `tokens` are labels. `processor` and `threads` are those of the attempt that is
    running. With early stopping, `best_loss` is the lowest validation loss, and `best_epoch` ended with it.
    `precision` and `products` are those of the first attempt, for all; None in checkpoints of older versions.
    """

    processor: str
    threads: int
    epoch: int = 1
    done: int = 0
    tokens: int = 0
    step_seconds: float = 0.0
    seconds: float = 0.0
    eval_loss: float | None = None
    losses: list[float] = field(default_factory=list)
    log_history: list[LogEntry] = field(default_factory=list)
    best_loss: float | None = None
    best_epoch: int | None = None
    precision: Precision | None = None
    products: ProductSeconds | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain values, from which JSON keeps every float exactly."""
        values = asdict(self)
        return {"rows": values.pop("log_history"), **values}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "TrainerState":
        """Return the state of `as_json`. Raises TypeError, KeyError if the values are something else."""
        own = dict(values)
        entries = [LogEntry(**entry) for entry in own.pop("rows")]
        products = own.pop("products", None)
        return cls(**own, log_history=entries, products=ProductSeconds(**products) if products else None)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state and its tensors on the CPU, by part (`model`, `best`, `random`, `optimizer-exp_avg`, …) and name."""

    trainer_state: TrainerState
    tensors: Mapping[str, Weights]


def copy_weights(model: Decoder) -> Weights:
    """Copy the trained weights to the CPU, each once: the head shares the embedding's."""
    return {name: parameter.detach().cpu().clone() for name, parameter in _get_trainable_parameters(model)}


@torch.no_grad()
def load_weights(model: Decoder, weights: Weights) -> None:
    """Copy weights of `copy_weights` into the model. Raises KeyError, RuntimeError if they are another model's."""
    for name, parameter in _get_trainable_parameters(model):
        parameter.copy_(weights[name])


def capture(trainer_state: TrainerState, model: Decoder, optimizer: Optimizer, best: Weights | None) -> Checkpoint:
    """Capture weights, optimizer moments and random number generators; `best` are the best weights so far.

    On a CPU these are the live tensors, not copies: write the checkpoint before the next step changes them.
    """
    tensors: dict[str, Weights] = {
        "model": {name: parameter.detach().cpu() for name, parameter in _get_trainable_parameters(model)},
        "random": _get_rng_states(),
    }
    # The optimizer's state is {parameter's index: {"step" [], "exp_avg" [shape], "exp_avg_sq" [shape]}}: stored as one
    # part per moment.
    for index, moments in optimizer.state_dict()["state"].items():
        for name, tensor in moments.items():
            tensors.setdefault(f"{_OPTIMIZER}{name}", {})[str(index)] = tensor.detach().cpu()
    if best is not None:
        tensors["best"] = best
    return Checkpoint(trainer_state, tensors)


def find_incompatibility(checkpoint: Checkpoint, model: Decoder, optimizer: Optimizer) -> str | None:
    """Return why this training cannot continue from a checkpoint, or None: libraries may rename their tensors."""
    trained = {name: parameter.shape for name, parameter in _get_trainable_parameters(model)}
    optimized = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    wanted = {"model": trained, "random": {"cpu": torch.get_rng_state().shape}}
    if checkpoint.trainer_state.best_loss is not None:
        wanted["best"] = trained
    if any(part.startswith(_OPTIMIZER) for part in checkpoint.tensors):  # there are no moments before the first step
        moments = {str(index): parameter.shape for index, parameter in enumerate(optimized)}
        wanted |= {f"{_OPTIMIZER}{moment}": moments for moment in ("exp_avg", "exp_avg_sq")}
        wanted[f"{_OPTIMIZER}step"] = dict.fromkeys(moments, torch.Size())
    for part, shapes in wanted.items():
        # "cuda" is the GPU's random number generator: a checkpoint of a GPU may continue on a CPU, and the reverse
        found = {name: tensor.shape for name, tensor in checkpoint.tensors.get(part, {}).items() if name != "cuda"}
        if found != shapes:
            return f"its tensors of {part} are not those of this training"
    return None


def restore(checkpoint: Checkpoint, model: Decoder, optimizer: Optimizer) -> None:
    """Restore weights, optimizer moments and random number generators from a checkpoint without incompatibility."""
    load_weights(model, checkpoint.tensors["model"])
    moments: dict[int, Weights] = {}
    for part, tensors in checkpoint.tensors.items():
        if part.startswith(_OPTIMIZER):
            for index, tensor in tensors.items():
                moments.setdefault(int(index), {})[part.removeprefix(_OPTIMIZER)] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    random = checkpoint.tensors["random"]
    torch.set_rng_state(random["cpu"])
    if "cuda" in random and torch.cuda.is_available():
        torch.cuda.set_rng_state(random["cuda"])


def _get_trainable_parameters(model: Decoder) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield the parameters that training changes: with LoRA the adapters alone, since the base is loaded again."""
    return ((name, one) for name, one in model.named_parameters() if one.requires_grad)


def _get_rng_states() -> Weights:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states
