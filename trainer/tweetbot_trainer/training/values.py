"""What training will really use: the spec's values, with those that it leaves open resolved by the base.

Light on purpose: `prepare` needs it for the training key and may not import torch.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tweetbot_contract.sources import Source
from tweetbot_contract.spec import Training
from tweetbot_trainer.training.mixing import weights_of

#: Part of the training key: raise it with every change of the loop that gives other weights from the same values.
RECIPE_VERSION = 1
SCRATCH = "scratch://"


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
#: Weights from nothing: tried on a seeded grammar (design, section 9, "Base names").
FROM_NOTHING = BaseDefaults(3e-3, 512, 0.1, 0.1, (0.9, 0.99), 0.0, 0.7)


@dataclass(frozen=True, slots=True)
class TrainingValues:
    """Every value that shapes the weights, and the sampling values that are published with them.

    `learning_rate` is the peak; `warmup` the share of steps up to it; `batch_tokens` are label tokens a step;
    `precision` stays as asked for, since the processor that trains is not known when the key is computed;
    `source_weights` stand in the order of spec.sources, and are empty where every post counts the same.
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
    recipe: int = RECIPE_VERSION
    source_weights: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return plain values for the training key and for trackers; floats keep their shortest exact spelling.

        Source weights that do not matter are left out, so that keys from before there were any stay.
        """
        values = {**asdict(self), "betas": list(self.betas), "source_weights": list(self.source_weights)}
        return {name: value for name, value in values.items() if name != "source_weights" or value}


def effective_values(training: Training, base: str, sources: Sequence[Source]) -> TrainingValues:
    """Return the values that a run with these sources and this base, such as `hf://gpt2`, trains with."""
    default = FROM_NOTHING if base.startswith(SCRATCH) else PRETRAINED
    return TrainingValues(
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
        source_weights=weights_of(sources),
    )
