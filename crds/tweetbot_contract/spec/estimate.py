"""What a run would take, before it is paid for: spans in which the real figure is expected to lie.

Steps and tokens follow from the posts. Minutes follow from how fast the same training ran before or, the first time,
from the size of the base (docs/decisions/0086): a span from twice as fast as measured on two cores to a tenth of it.
For GPUs nothing was measured, and the span is wider.
"""

import math
from dataclasses import dataclass

from tweetbot_contract.spec.known_bases import find_base
from tweetbot_contract.spec.model import Model
from tweetbot_contract.spec.quantities import read_quantity
from tweetbot_contract.spec.scheduling import Resources
from tweetbot_contract.spec.sources import X_DOLLAR, X_POST_PRICE, X_USER_PRICE, Source
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_contract.spec.training import BLOCK, COPIES, PRETRAINED_BATCH_TOKENS, SCRATCH_BATCH_TOKENS

#: Weights of random bases, without those of the tokenizer's entries that the posts do not fill.
_SCRATCH_WEIGHTS = {"scratch://mini": 960_000, "scratch://small": 5_900_000}
#: Floating-point operations that a training does per token and weight.
_OPERATIONS = 6
#: Operations per second of one core, for small bases and for others (docs/benchmarks/trainer.json: gpt2, two cores).
_SMALL_WEIGHTS, _SMALL_CORE, _CORE = 20_000_000, 15e9, 75e9
#: How much faster a core may be; and slower, where others use it or a training is so short that its start counts.
_CORE_FASTER, _CORE_SLOWER = 2, 10
#: Operations per second of one GPU, from an old one to a new one: guessed, not measured.
_GPU_LEAST, _GPU_MOST = 2e12, 50e12
#: How much faster or slower the same training may be another time.
_AGAIN = 2
#: Tokens per post of English posts.
POST_TOKENS = 30
#: Epochs before early stopping can end a training.
_FEWEST_EPOCHS = 2
#: Seconds beside the training: both Pods' starts, the base, 1,000 samples, the upload.
_BESIDE_LEAST, _BESIDE_MOST = 10, 600


@dataclass(frozen=True, slots=True)
class Span:
    """The least and the most that is expected."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class MeasuredTraining:
    """How long the same training took before, in proportion to the posts of now, and what was beside it, if known."""

    train_seconds: float
    beside_seconds: float | None


@dataclass(frozen=True, slots=True)
class TrainingEstimate:
    """Optimizer steps, tokens trained on and minutes of the run; no minutes where nothing says how fast it will be."""

    steps: Span
    tokens: Span
    minutes: Span | None


@dataclass(frozen=True, slots=True)
class XBill:
    """What X charges for a source, at its list price in US dollars: at most, and as often as posts were paid before."""

    source: int
    most_usd: float
    expected_usd: float | None
    refused_above_usd: int


def estimate_training(
    spec: TweetBotSpec, post_tokens: int, *, weights: int | None = None, measured: MeasuredTraining | None = None
) -> TrainingEstimate:
    """Estimate the training on posts of this many tokens in all, those held out included.

    `weights` are those of the base, if they are known; `measured` is how long the same training took before.
    """
    epoch = post_tokens * (100 - 2 * spec.training.holdout_percent) // 100
    epochs = _estimate_epochs(spec)
    batch = _get_batch_tokens(spec)
    tokens = Span(epoch * epochs.least, epoch * epochs.most)
    steps = Span(*(math.ceil(epoch / batch) * each for each in (epochs.least, epochs.most)))
    weights = weights or find_weights(spec.model)
    if measured:
        return TrainingEstimate(steps, tokens, _scale_minutes(measured))
    rates = _estimate_speed(weights, spec.resources) if weights else None
    return TrainingEstimate(steps, tokens, _estimate_minutes(tokens, rates) if rates else None)


def compute_x_bills(sources: tuple[Source, ...], paid_before: int | None = None) -> tuple[XBill, ...]:
    """Return what X charges for each of its sources; `paid_before` is the posts that the last run paid for in all."""
    found = [(index, source.x) for index, source in enumerate(sources) if source.x]
    alone = len(found) == 1
    return tuple(
        XBill(
            index,
            _price(x.max_posts),
            _price(min(paid_before, x.max_posts)) if paid_before is not None and alone else None,
            x.max_spend_usd,
        )
        for index, x in found
    )


def find_weights(model: Model) -> int | None:
    """Return how many weights a base has that is known by its name."""
    if known := find_base(model.base):
        return known.shape.weights
    return _SCRATCH_WEIGHTS.get(model.base.rstrip("/"))


def _price(posts: int) -> float:
    return (posts * X_POST_PRICE + X_USER_PRICE) / X_DOLLAR


def _estimate_epochs(spec: TweetBotSpec) -> Span:
    if spec.training.recipe == "huggingtweets":
        return Span(COPIES, COPIES)
    most = spec.training.epochs
    return Span(min(_FEWEST_EPOCHS, most) if spec.training.early_stopping else most, most)


def _get_batch_tokens(spec: TweetBotSpec) -> int:
    if spec.training.recipe == "huggingtweets":
        return BLOCK - 1  # a block's first token is no label
    from_scratch = spec.model.base.startswith("scratch://")
    return spec.training.batch_tokens or (SCRATCH_BATCH_TOKENS if from_scratch else PRETRAINED_BATCH_TOKENS)


def _estimate_speed(weights: int, resources: Resources) -> Span:
    """Return the tokens per second of a base of this size."""
    if resources.gpu.count:
        return Span(_GPU_LEAST / (_OPERATIONS * weights), resources.gpu.count * _GPU_MOST / (_OPERATIONS * weights))
    core = _SMALL_CORE if weights < _SMALL_WEIGHTS else _CORE
    rate = core * float(read_quantity(resources.cpu) or 1) / (_OPERATIONS * weights)
    return Span(rate / _CORE_SLOWER, rate * _CORE_FASTER)


def _scale_minutes(measured: MeasuredTraining) -> Span:
    """Return half and twice what was measured: fewer epochs, and nodes that others use."""
    beside, trained = measured.beside_seconds, measured.train_seconds
    least, most = (_BESIDE_LEAST, _BESIDE_MOST) if beside is None else (beside / _AGAIN, beside * _AGAIN)
    return Span(round((least + trained / _AGAIN) / 60, 1), round((most + trained * _AGAIN) / 60, 1))


def _estimate_minutes(tokens: Span, speed: Span) -> Span:
    least, most = _BESIDE_LEAST + tokens.least / speed.most, _BESIDE_MOST + tokens.most / speed.least
    return Span(round(least / 60, 1), round(most / 60, 1))
