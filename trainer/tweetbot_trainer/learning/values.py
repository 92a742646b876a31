"""What training will really use: the spec's values, with those that it leaves open resolved by the base.

Light on purpose: `prepare` needs it for the training key and may not import torch.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from tweetbot_contract.spec.model import Lora, Model
from tweetbot_contract.spec.sources import Source
from tweetbot_contract.spec.training import Training


def compute_source_weights(sources: Sequence[Source]) -> tuple[int, ...]:
    """Return the sources' weights in lowest terms; none where none is given, or a single source has nothing to mix."""
    weights = [source.weight for source in sources if source.weight is not None]
    if len(weights) < 2:
        return ()
    divisor = math.gcd(*weights)
    return tuple(weight // divisor for weight in weights)


#: Part of the training key: raise it with every change of the loop that gives other weights from the same values.
RECIPE_VERSION = 3
SCRATCH = "scratch://"
#: huggingtweets: so many reshuffled copies of the posts make one stream, cut into blocks of so many tokens.
COPIES, BLOCK = 4, 1024

Recipe = Literal["tweetbot", "huggingtweets"]


@dataclass(frozen=True, slots=True)
class BaseDefaults:
    """What a kind of base wants where the spec says nothing."""

    learning_rate: float
    batch_tokens: int
    warmup: float
    weight_decay: float
    betas: tuple[float, float]
    dropout: float
    temperature: float


#: A published GPT-2: the outcome of huggingtweets' hyper-parameter search, with AdamW's own betas.
PRETRAINED = BaseDefaults(1.372e-4, 1024, 0.0, 0.0, (0.9, 0.999), 0.1, 1.0)
#: Weights from nothing: tried on a seeded grammar (design, section 9, "Base names"), the learning rate and the batch on
#: human texts as well (docs/experiments.md, 9).
FROM_SCRATCH = BaseDefaults(1.4e-3, 128, 0.1, 0.1, (0.9, 0.99), 0.0, 0.7)
#: Twice as wide, so a lower rate.
SMALL_FROM_SCRATCH = replace(FROM_SCRATCH, learning_rate=3e-4)
#: Adapters want ten times a full training's rate, fifteen times in under SHORT_STEPS steps ("LoRA Without Regret",
#: Thinking Machines 2025), and no decay: that would pull them to the base.
ADAPTERS = replace(PRETRAINED, learning_rate=1.4e-3, weight_decay=0.0)
ADAPTERS_SHORT_RATE, SHORT_STEPS = 2e-3, 100


@dataclass(frozen=True, slots=True)
class LoraConfig:
    """The shape of the adapters; they count `scale` times."""

    rank: int
    alpha: int

    @property
    def scale(self) -> float:
        """Return alpha / rank."""
        return self.alpha / self.rank


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Every value that shapes the weights, and the sampling values that are published with them.

    `learning_rate` is the peak; `warmup` the share of steps up to it; `batch_tokens` are label tokens a step;
    `precision` stays as asked for, since the processor that trains is not known when the key is computed;
    `lora` is None where every weight is trained; `short_learning_rate` is the peak in a training of under SHORT_STEPS;
    `source_weights` stand in the order of spec.sources, and are empty where every post counts the same.
    `recipe_version` is the version of this code.
    """

    epochs: int
    learning_rate: float
    batch_tokens: int
    warmup: float
    weight_decay: float
    betas: tuple[float, float]
    dropout: float
    seed: int
    precision: Literal["Auto", "FP32", "BF16"]
    holdout_percent: int
    early_stopping: bool
    temperature: float
    top_p: float = 0.95
    top_k: int = 50
    schedule: str = "cosine"
    optimizer: str = "AdamW"
    adam_epsilon: float = 1e-8
    clip_norm: float = 1.0
    recipe_version: int = RECIPE_VERSION
    source_weights: tuple[int, ...] = ()
    recipe: Recipe = "tweetbot"
    attention_dropout: float = 0.0
    lora: LoraConfig | None = None
    short_learning_rate: float | None = None

    def get_peak_rate(self, steps: int) -> float:
        """Return the highest learning rate of a training of so many steps."""
        if self.short_learning_rate is not None and steps < SHORT_STEPS:
            return self.short_learning_rate
        return self.learning_rate

    def as_json(self) -> dict[str, Any]:
        """Return plain values for the training key and for trackers; floats keep their shortest exact spelling.

        Values that came later are left out where they are as before, so that keys from before there were any stay.
        """
        values = {**asdict(self), "betas": list(self.betas), "source_weights": list(self.source_weights)}
        return {
            _JSON_NAMES.get(name, name): value
            for name, value in values.items()
            if name not in _LATER or value != _LATER[name]
        }


#: Published keys and manifests have these fields under an older name.
_JSON_NAMES = {"recipe": "procedure", "recipe_version": "recipe"}
#: Values that were added once there were keys, and what they are where nobody asks for something else.
_LATER: dict[str, Any] = {
    "source_weights": [],
    "recipe": "tweetbot",
    "attention_dropout": 0.0,
    "lora": None,
    "short_learning_rate": None,
}


def resolve_lora(model: Model) -> LoraConfig | None:
    """Return the shape of the adapters that the spec asks for; None where every weight is trained."""
    if model.method != "LoRA":
        return None
    shape = model.lora or Lora()
    return LoraConfig(shape.rank, shape.alpha)


def resolve_hyperparameters(
    training: Training, base: str, sources: Sequence[Source], lora: LoraConfig | None = None
) -> Hyperparameters:
    """Return the values that a run with these sources and this base, such as `hf://gpt2`, trains with."""
    if training.recipe == "huggingtweets":
        return _build_huggingtweets(training)
    default = _choose_defaults(base, lora)
    return Hyperparameters(
        epochs=training.epochs,
        learning_rate=float(training.learning_rate) if training.learning_rate else default.learning_rate,
        batch_tokens=training.batch_tokens or default.batch_tokens,
        warmup=default.warmup,
        weight_decay=default.weight_decay,
        betas=default.betas,
        dropout=default.dropout,
        seed=training.seed,
        precision=training.precision,
        holdout_percent=training.holdout_percent,
        early_stopping=training.early_stopping,
        temperature=default.temperature,
        source_weights=compute_source_weights(sources),
        lora=lora,
        short_learning_rate=ADAPTERS_SHORT_RATE if lora and not training.learning_rate else None,
    )


def _build_huggingtweets(training: Training) -> Hyperparameters:
    """Return what the notebook of 2021 gave transformers' Trainer, and that Trainer's own defaults; no rule of ours.

    One block a step; the four passes are copies within the one epoch.
    """
    return Hyperparameters(
        epochs=1,
        learning_rate=1.372e-4,
        batch_tokens=BLOCK - 1,  # a block's first token is predicted by nothing
        warmup=0.0,
        weight_decay=0.0,
        betas=(0.9, 0.999),
        dropout=0.1,
        attention_dropout=0.1,
        seed=training.seed,
        precision="FP32",
        holdout_percent=training.holdout_percent,
        early_stopping=False,
        temperature=1.0,
        recipe="huggingtweets",
    )


def _choose_defaults(base: str, lora: LoraConfig | None) -> BaseDefaults:
    if base.startswith(SCRATCH):
        return SMALL_FROM_SCRATCH if base == f"{SCRATCH}small" else FROM_SCRATCH
    return ADAPTERS if lora else PRETRAINED
