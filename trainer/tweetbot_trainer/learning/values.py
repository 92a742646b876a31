"""The hyperparameters of a run: the spec's values, and for those that it leaves unset the defaults of its base.

Imports no torch: `prepare` needs them for the training key.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from tweetbot_contract.spec.families import GPT2_RATES, Rates
from tweetbot_contract.spec.known_bases import find_rates
from tweetbot_contract.spec.model import Lora, Model
from tweetbot_contract.spec.sources import Source
from tweetbot_contract.spec.training import BLOCK, PRETRAINED_BATCH_TOKENS, SCRATCH_BATCH_TOKENS, Training


def compute_source_weights(sources: Sequence[Source]) -> tuple[int, ...]:
    """Reduce the sources' weights to lowest terms; empty if there are none, or only one source, so nothing to mix."""
    weights = [source.weight for source in sources if source.weight is not None]
    if len(weights) < 2:
        return ()
    divisor = math.gcd(*weights)
    return tuple(weight // divisor for weight in weights)


#: Part of the training key: raise it with every change of the loop that yields other weights for the same values.
RECIPE_VERSION = 3
SCRATCH = "scratch://"

#: Validation posts from which on they decide when a training ends, and which weights it keeps.
STOPPING_POSTS = 50
#: The same for an account of at most SMALL_ACCOUNT kept posts, whose model would else learn its posts by heart
#: (docs/experiments.md, 10; docs/decisions/0056).
SMALL_ACCOUNT, SMALL_STOPPING_POSTS = 500, 5

Recipe = Literal["tweetbot", "huggingtweets"]


@dataclass(frozen=True, slots=True)
class BaseDefaults:
    """The hyperparameters of a kind of base where the spec leaves them unset."""

    learning_rate: float
    batch_tokens: int
    warmup: float
    weight_decay: float
    betas: tuple[float, float]
    dropout: float
    temperature: float


#: A published base; the rate is that of GPT-2, the outcome of huggingtweets' search, with AdamW's own betas. Dropout is
#: GPT-2's: a Llama has none.
PRETRAINED = BaseDefaults(GPT2_RATES.full, PRETRAINED_BATCH_TOKENS, 0.0, 0.0, (0.9, 0.999), 0.1, 1.0)
#: Random weights: tuned on a seeded grammar (design, section 9, "Base names"), the learning rate and the batch also on
#: human texts (docs/experiments.md, 9).
FROM_SCRATCH = BaseDefaults(1.4e-3, SCRATCH_BATCH_TOKENS, 0.1, 0.1, (0.9, 0.99), 0.0, 0.7)
#: Twice as wide, so it learns at a lower rate.
SMALL_FROM_SCRATCH = replace(FROM_SCRATCH, learning_rate=3e-4)
#: Adapters need a higher rate, in less than SHORT_STEPS steps a still higher one, and no weight decay: it would pull
#: them towards the base.
ADAPTERS = replace(PRETRAINED, learning_rate=GPT2_RATES.adapters, weight_decay=0.0)
SHORT_STEPS = 100


@dataclass(frozen=True, slots=True)
class LoraConfig:
    """The shape of LoRA adapters; their product is multiplied by `scale`."""

    rank: int
    alpha: int

    @property
    def scale(self) -> float:
        """Return alpha / rank."""
        return self.alpha / self.rank


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Every value that shapes the weights, and the sampling values that are published with them.

    `learning_rate` is the peak, and `warmup` the share of steps up to it. `short_learning_rate` replaces the peak in a
    training of less than SHORT_STEPS steps. `batch_tokens` are labels per step. `precision` is the spec's: the key is
    computed before it is known which device will train. `source_weights` are in the order of spec.sources, and empty if
    every post counts the same. `lora` is None if all weights are trained. Early stopping needs at least
    `stopping_posts` validation posts. `recipe_version` is the version of this code.
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
    stopping_posts: int = STOPPING_POSTS

    def stops_early(self, validation_posts: int) -> bool:
        """Tell whether this many validation posts decide when the training ends, and which weights it keeps."""
        return self.early_stopping and validation_posts >= self.stopping_posts

    def get_peak_rate(self, steps: int) -> float:
        """Return the peak learning rate of a training of this many steps."""
        if self.short_learning_rate is not None and steps < SHORT_STEPS:
            return self.short_learning_rate
        return self.learning_rate

    def as_json(self) -> dict[str, Any]:
        """Return plain values for the training key, manifests and trackers.

        Fields added later are left out while they have their default, so that older keys stay valid.
        """
        values = {**asdict(self), "betas": list(self.betas), "source_weights": list(self.source_weights)}
        return {
            _JSON_NAMES.get(name, name): value
            for name, value in values.items()
            if name not in _LATER or value != _LATER[name]
        }


#: Fields whose name in published keys and manifests is another one.
_JSON_NAMES = {"recipe": "procedure", "recipe_version": "recipe"}
#: Fields added since the first keys were published, and their defaults.
_LATER: dict[str, Any] = {
    "source_weights": [],
    "recipe": "tweetbot",
    "attention_dropout": 0.0,
    "lora": None,
    "short_learning_rate": None,
    "stopping_posts": STOPPING_POSTS,
}


def resolve_lora(model: Model) -> LoraConfig | None:
    """Return the shape of the adapters that the spec demands, or None if all weights are trained."""
    if model.method != "LoRA":
        return None
    shape = model.lora or Lora()
    return LoraConfig(shape.rank, shape.alpha)


def resolve_hyperparameters(
    training: Training,
    base: str,
    sources: Sequence[Source],
    lora: LoraConfig | None = None,
    *,
    posts: int | None = None,
    architecture: tuple[str, int] = ("", 0),
) -> Hyperparameters:
    """Resolve the hyperparameters of a run with these sources and this base, such as `hf://gpt2`.

    `posts` is how many cleaning kept; without it, the defaults are those of a large account. `architecture` is the
    base's model_type and width; without it they are those of a GPT-2.
    Each stage resolves them: the train stage may run in a newer image, whose defaults and RECIPE_VERSION count.
    """
    if training.recipe == "huggingtweets":
        return _build_huggingtweets(training, _choose_dropout(find_rates(*architecture)))
    rates = find_rates(*architecture)
    default = _choose_defaults(base, lora, rates)
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
        short_learning_rate=rates.short if lora and not training.learning_rate else None,
        stopping_posts=SMALL_STOPPING_POSTS if training.early_stopping and _is_small(posts) else STOPPING_POSTS,
    )


def _build_huggingtweets(training: Training, dropout: float) -> Hyperparameters:
    """Return what the notebook of 2021 gave transformers' Trainer, and that Trainer's defaults for the rest.

    A step is one block; the four passes are copies within one epoch.
    """
    return Hyperparameters(
        epochs=1,
        learning_rate=1.372e-4,
        batch_tokens=BLOCK - 1,  # a block's first token is no label
        warmup=0.0,
        weight_decay=0.0,
        betas=(0.9, 0.999),
        dropout=dropout,
        attention_dropout=dropout,
        seed=training.seed,
        precision="FP32",
        holdout_percent=training.holdout_percent,
        early_stopping=False,
        temperature=1.0,
        recipe="huggingtweets",
    )


def _is_small(posts: int | None) -> bool:
    return posts is not None and posts <= SMALL_ACCOUNT


def _choose_defaults(base: str, lora: LoraConfig | None, rates: Rates) -> BaseDefaults:
    if base.startswith(SCRATCH):
        return SMALL_FROM_SCRATCH if base == f"{SCRATCH}small" else FROM_SCRATCH
    default, rate = (ADAPTERS, rates.adapters) if lora else (PRETRAINED, rates.full)
    return replace(default, learning_rate=rate, dropout=_choose_dropout(rates))


def _choose_dropout(rates: Rates) -> float:
    """Return GPT-2's own dropout; the other families have none."""
    return PRETRAINED.dropout if rates == GPT2_RATES else 0.0
