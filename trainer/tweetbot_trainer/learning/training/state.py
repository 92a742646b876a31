"""Where a training stands: all that is needed to go on as if it had never stopped.

The order of the posts is not in it: that is a function of seed and epoch (training.windows).
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import GPT2LMHeadModel

from tweetbot_trainer.learning.training.metrics import MetricsRow

Weights = dict[str, Tensor]
_OPTIMIZER = "optimizer-"


@dataclass(frozen=True, slots=True)
class Best:
    """The weights with the lowest validation loss so far, in nats a token, and the epoch that ended with them."""

    loss: float
    epoch: int
    weights: Weights


@dataclass(frozen=True, slots=True)
class Course:
    """What has happened: `done` steps of `epoch` (from 1) are taken, its evaluation is not; times are in seconds."""

    epoch: int
    done: int
    tokens: int
    step_seconds: float
    seconds: float
    eval_loss: float | None
    losses: tuple[float, ...]
    rows: tuple[MetricsRow, ...]
    processor: str
    threads: int
    best_loss: float | None = None
    best_epoch: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain values; JSON keeps every float exactly."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Course":
        """Return the course of these values. Raises TypeError, KeyError where they are something else."""
        rows = tuple(MetricsRow(**row) for row in values["rows"])
        return cls(**{**values, "rows": rows, "losses": tuple(values["losses"])})


@dataclass(frozen=True, slots=True)
class TrainingState:
    """A course and the tensors that belong to it, by part (`model`, `optimizer-exp_avg`, …) and name, on the CPU."""

    course: Course
    tensors: Mapping[str, Weights]

    @property
    def best(self) -> Best | None:
        """Return the best weights so far, where early stopping looks for them."""
        if self.course.best_loss is None or self.course.best_epoch is None:
            return None
        return Best(self.course.best_loss, self.course.best_epoch, self.tensors["best"])


def weights_of(model: GPT2LMHeadModel) -> Weights:
    """Return a copy of the trained weights on the CPU, each once: the head shares the embedding's."""
    return {name: parameter.detach().cpu().clone() for name, parameter in _trained(model)}


@torch.no_grad()
def put_weights(model: GPT2LMHeadModel, weights: Weights) -> None:
    """Copy such weights into the model. Raises KeyError, RuntimeError where they are another model's."""
    for name, parameter in _trained(model):
        parameter.copy_(weights[name])


def captured(
    course: Course, model: GPT2LMHeadModel, optimizer: torch.optim.Optimizer, best: Best | None
) -> TrainingState:
    """Return the state; on the CPU its tensors are the live ones, so write it before the next step."""
    tensors: dict[str, Weights] = {
        "model": {name: parameter.detach().cpu() for name, parameter in _trained(model)},
        "random": _random_states(),
    }
    for place, moments in optimizer.state_dict()["state"].items():
        for name, tensor in moments.items():
            tensors.setdefault(f"{_OPTIMIZER}{name}", {})[str(place)] = tensor.detach().cpu()
    if best is not None:
        tensors["best"] = best.weights
    return TrainingState(course, tensors)


def misfit(state: TrainingState, model: GPT2LMHeadModel, optimizer: torch.optim.Optimizer) -> str | None:
    """Return why the training of this model cannot go on from a state, or None: a library may name tensors anew."""
    trained = {name: parameter.shape for name, parameter in _trained(model)}
    optimized = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    wanted = {"model": trained, "random": {"cpu": torch.get_rng_state().shape}}
    if state.course.best_loss is not None:
        wanted["best"] = trained
    if any(part.startswith(_OPTIMIZER) for part in state.tensors):  # none before the first step
        moments = {str(place): parameter.shape for place, parameter in enumerate(optimized)}
        wanted |= {f"{_OPTIMIZER}{moment}": moments for moment in ("exp_avg", "exp_avg_sq")}
        wanted[f"{_OPTIMIZER}step"] = dict.fromkeys(moments, torch.Size())
    for part, shapes in wanted.items():
        found = {name: tensor.shape for name, tensor in state.tensors.get(part, {}).items() if name != "cuda"}
        if found != shapes:
            return f"its tensors of {part} are not those of this training"
    return None


def restore(state: TrainingState, model: GPT2LMHeadModel, optimizer: torch.optim.Optimizer) -> None:
    """Put model, optimizer and random numbers where they were; the state has no `misfit`."""
    put_weights(model, state.tensors["model"])
    moments: dict[int, Weights] = {}
    for part, tensors in state.tensors.items():
        if part.startswith(_OPTIMIZER):
            for place, tensor in tensors.items():
                moments.setdefault(int(place), {})[part.removeprefix(_OPTIMIZER)] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    random = state.tensors["random"]
    torch.set_rng_state(random["cpu"])
    if "cuda" in random and torch.cuda.is_available():
        torch.cuda.set_rng_state(random["cuda"])


def _trained(model: GPT2LMHeadModel) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield what training changes: with adapters, nothing else, and the base is read again by whoever goes on."""
    return ((name, one) for name, one in model.named_parameters() if one.requires_grad)


def _random_states() -> Weights:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states
