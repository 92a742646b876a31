"""Where a training stands: all that is needed to go on as if it had never stopped.

The order of the posts is not in it: that is a function of seed and epoch (training.windows).
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import GPT2LMHeadModel

from tweetbot_trainer.learning.training.metrics import LogEntry

Weights = dict[str, Tensor]
_OPTIMIZER = "optimizer-"


@dataclass(frozen=True, slots=True)
class BestWeights:
    """The weights with the lowest validation loss so far, in nats a token, and the epoch that ended with them."""

    loss: float
    epoch: int
    weights: Weights


@dataclass(frozen=True, slots=True)
class TrainerState:
    """What has happened: `done` steps of `epoch` (from 1) are taken, its evaluation is not; times are in seconds."""

    epoch: int
    done: int
    tokens: int
    step_seconds: float
    seconds: float
    eval_loss: float | None
    losses: tuple[float, ...]
    rows: tuple[LogEntry, ...]
    processor: str
    threads: int
    best_loss: float | None = None
    best_epoch: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain values; JSON keeps every float exactly."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "TrainerState":
        """Return the course of these values. Raises TypeError, KeyError where they are something else."""
        entries = tuple(LogEntry(**entry) for entry in values["rows"])
        return cls(**{**values, "rows": entries, "losses": tuple(values["losses"])})


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A course and the tensors that belong to it, by part (`model`, `optimizer-exp_avg`, …) and name, on the CPU."""

    trainer_state: TrainerState
    tensors: Mapping[str, Weights]

    @property
    def best(self) -> BestWeights | None:
        """Return the best weights so far, where early stopping looks for them."""
        if self.trainer_state.best_loss is None or self.trainer_state.best_epoch is None:
            return None
        return BestWeights(self.trainer_state.best_loss, self.trainer_state.best_epoch, self.tensors["best"])


def copy_weights(model: GPT2LMHeadModel) -> Weights:
    """Return a copy of the trained weights on the CPU, each once: the head shares the embedding's."""
    return {name: parameter.detach().cpu().clone() for name, parameter in _get_trainable_parameters(model)}


@torch.no_grad()
def load_weights(model: GPT2LMHeadModel, weights: Weights) -> None:
    """Copy such weights into the model. Raises KeyError, RuntimeError where they are another model's."""
    for name, parameter in _get_trainable_parameters(model):
        parameter.copy_(weights[name])


def capture(
    trainer_state: TrainerState, model: GPT2LMHeadModel, optimizer: torch.optim.Optimizer, best: BestWeights | None
) -> Checkpoint:
    """Return the state; on the CPU its tensors are the live ones, so write it before the next step."""
    tensors: dict[str, Weights] = {
        "model": {name: parameter.detach().cpu() for name, parameter in _get_trainable_parameters(model)},
        "random": _get_rng_states(),
    }
    for index, moments in optimizer.state_dict()["state"].items():
        for name, tensor in moments.items():
            tensors.setdefault(f"{_OPTIMIZER}{name}", {})[str(index)] = tensor.detach().cpu()
    if best is not None:
        tensors["best"] = best.weights
    return Checkpoint(trainer_state, tensors)


def find_incompatibility(
    checkpoint: Checkpoint, model: GPT2LMHeadModel, optimizer: torch.optim.Optimizer
) -> str | None:
    """Return why the training of this model cannot go on from a state, or None: a library may name tensors anew."""
    trained = {name: parameter.shape for name, parameter in _get_trainable_parameters(model)}
    optimized = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    wanted = {"model": trained, "random": {"cpu": torch.get_rng_state().shape}}
    if checkpoint.trainer_state.best_loss is not None:
        wanted["best"] = trained
    if any(part.startswith(_OPTIMIZER) for part in checkpoint.tensors):  # none before the first step
        moments = {str(index): parameter.shape for index, parameter in enumerate(optimized)}
        wanted |= {f"{_OPTIMIZER}{moment}": moments for moment in ("exp_avg", "exp_avg_sq")}
        wanted[f"{_OPTIMIZER}step"] = dict.fromkeys(moments, torch.Size())
    for part, shapes in wanted.items():
        found = {name: tensor.shape for name, tensor in checkpoint.tensors.get(part, {}).items() if name != "cuda"}
        if found != shapes:
            return f"its tensors of {part} are not those of this training"
    return None


def restore(checkpoint: Checkpoint, model: GPT2LMHeadModel, optimizer: torch.optim.Optimizer) -> None:
    """Put model, optimizer and random numbers where they were; the state has no `find_incompatibility`."""
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


def _get_trainable_parameters(model: GPT2LMHeadModel) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield what training changes: with adapters, nothing else, and the base is read again by whoever goes on."""
    return ((name, one) for name, one in model.named_parameters() if one.requires_grad)


def _get_rng_states() -> Weights:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states
