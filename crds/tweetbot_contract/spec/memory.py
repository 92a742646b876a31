"""How much memory a training takes, from the shape of its base: of its Pod, and of its GPU.

Each weight is 4 bytes in float32. Of each weight that is trained the optimizer's two moments and the gradient are 12
more, and the best weights so far 4. A token of a forward pass leaves `ModelShape.kept_numbers` of each layer to the
backward pass, and one for each entry of the vocabulary. With recomputation it leaves the input of each layer alone; one
layer at a time is computed again, and the head in parts. Measured trainings took 0.9 to 1.2 times the sum on a CPU,
beside 300 to 770 MiB of the program itself, by the build of torch (docs/decisions/0060, 0093). On a GPU nothing was
measured.
"""

import math
from dataclasses import dataclass

from tweetbot_contract.spec.families import ModelShape
from tweetbot_contract.spec.known_bases import find_base
from tweetbot_contract.spec.model import Lora
from tweetbot_contract.spec.quantities import read_quantity
from tweetbot_contract.spec.scheduling import Resources
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_contract.spec.training import BLOCK, PRETRAINED_BATCH_TOKENS

GIB = 1024**3
#: Bytes of the program before it loads a model: at least, and with room for CUDA, samples and pictures.
PROGRAM, ROOMY_PROGRAM = 300 * 1024**2, GIB
#: Bytes of a GPU that CUDA and its libraries take: at least, and with room.
CUDA, ROOMY_CUDA = GIB // 2, 3 * GIB // 2
_WEIGHT, _MOMENTS, _GRADIENT, _BEST, _BF16 = 4, 8, 4, 4, 2
#: Inputs that are kept beside those of the layers: around the first one, and before the head.
_ENDS = 4
#: How much more than the numbers that are kept allocators take: as measured, and with room.
_SLACK, _ROOMY_SLACK = 1.2, 1.3
#: Tokens of a step that every dataset fills: fewer posts than make these are refused as too few.
_FEWEST_TOKENS = 1024
#: Input positions per micro-batch, one forward and backward pass; and labels per part of the head with recomputation.
MICRO_BATCH, HEAD_PART = 8192, 1024
#: Of each process beside the first of a training on several GPUs, whose memory holds its weights: torch, and the GPU's
#: runtime. Not measured: no machine with several GPUs was at hand.
OTHER_PROCESS = 3 * GIB


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes that a training takes at least, bytes below which it recomputes, and bytes that it has room in."""

    least: int
    plain: int
    enough: int


@dataclass(frozen=True, slots=True)
class Load:
    """What is trained: a base of this shape, with adapters of a rank or, for None, all its weights, in such steps."""

    shape: ModelShape
    rank: int | None
    batch_tokens: int

    @property
    def trained(self) -> int:
        """Count the weights that are trained."""
        return self.shape.weights if self.rank is None else self.rank * self.shape.linear_widths

    @property
    def _states(self) -> int:
        frozen = 0 if self.rank is None else _WEIGHT * self.shape.weights
        return frozen + (_WEIGHT + _MOMENTS + _GRADIENT) * self.trained

    def _measure_pass(self, tokens: int, *, recompute: bool) -> int:
        """Return the bytes that a forward pass of this many tokens leaves to the backward pass."""
        shape, tokens = self.shape, min(tokens, MICRO_BATCH)
        if not recompute:
            return _WEIGHT * tokens * (shape.layers * shape.kept_numbers + shape.vocabulary)
        head = min(tokens, HEAD_PART) * shape.vocabulary
        inputs = (shape.layers + _ENDS) * shape.channels
        return _WEIGHT * (tokens * (inputs + shape.kept_numbers) + head)

    def estimate_pod(self, *, gpu: bool) -> MemoryNeed:
        """Estimate the memory of the training's Pod; with `gpu`, weights and activations are the GPU's.

        A checkpoint passes through the Pod's memory on a GPU, too, and so do the best weights.
        """
        if gpu:
            kept = max(_WEIGHT * self.shape.weights, (_WEIGHT + _MOMENTS) * self.trained)
            least = PROGRAM + kept
            return MemoryNeed(least, least, 2 * ROOMY_PROGRAM + kept + _BEST * self.trained)
        return self._add_up(self._states, _BEST * self.trained, PROGRAM, ROOMY_PROGRAM)

    def estimate_gpu(self, *, bf16: bool = True) -> MemoryNeed:
        """Estimate the memory of the training's GPU; in bfloat16 copies of the weights live through a pass."""
        copies = _BF16 * self.shape.weights if bf16 else 0
        return self._add_up(self._states + copies, 0, CUDA, ROOMY_CUDA)

    def _add_up(self, states: int, best: int, program: int, roomy: int) -> MemoryNeed:
        fewest = min(self.batch_tokens, _FEWEST_TOKENS)
        whole = self._measure_pass(self.batch_tokens, recompute=False)
        return MemoryNeed(
            program + states + self._measure_pass(fewest, recompute=True),
            program + states + best + int(_SLACK * whole),
            roomy + states + best + int(_ROOMY_SLACK * whole),
        )


def find_load(spec: TweetBotSpec) -> Load | None:
    """Return what a spec trains, where its base is known by its name; None for others and for random weights."""
    base = find_base(spec.model.base)
    if base is None:
        return None
    rank = (spec.model.lora or Lora()).rank if spec.model.method == "LoRA" else None
    original = spec.training.recipe == "huggingtweets"
    tokens = BLOCK - 1 if original else spec.training.batch_tokens or PRETRAINED_BATCH_TOKENS
    return Load(base.shape, rank, tokens)


def estimate_pod(spec: TweetBotSpec, load: Load) -> MemoryNeed:
    """Estimate what the training's Pod takes, with all its processes."""
    need = load.estimate_pod(gpu=spec.resources.gpu.count > 0)
    others = OTHER_PROCESS * max(0, spec.resources.gpu.count - 1)
    return MemoryNeed(need.least + others, need.plain + others, need.enough + others)


def resolve_memory(spec: TweetBotSpec) -> str:
    """Return the memory of the training's Pod: the spec's, or more where that is the default and too little."""
    given, load = spec.resources.memory, find_load(spec)
    if load is None or given != Resources().memory:
        return given
    need = estimate_pod(spec, load)
    return format_gibibytes(need.enough) if need.plain > (read_quantity(given) or 0) else given


def format_gibibytes(size: int) -> str:
    """Return bytes as a quantity of whole GiB, rounded up."""
    return f"{math.ceil(size / GIB)}Gi"
