"""One recipe on one account: the learning rate by the validation posts, then the figures on the test posts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from tweetbot_contract.spec.model import Model
from tweetbot_contract.spec.training import Training
from tweetbot_quality_bench.base import SHAPE
from tweetbot_trainer.data.dataset.splits import Splits, split
from tweetbot_trainer.data.posts import DatasetPost
from tweetbot_trainer.learning.evaluation.likelihood import measure_likelihood
from tweetbot_trainer.learning.evaluation.memorization import measure_memorization
from tweetbot_trainer.learning.fine_tune import FineTuneResult, fine_tune
from tweetbot_trainer.learning.generation.generation import PostGenerator
from tweetbot_trainer.learning.model.base import Base, read_base
from tweetbot_trainer.learning.model.identity import SCRATCH_DIGESTS, BaseIdentity
from tweetbot_trainer.learning.model.scratch import create_base
from tweetbot_trainer.learning.sampling import resolve_generation_config
from tweetbot_trainer.learning.style.style import measure_style
from tweetbot_trainer.learning.training.callbacks import Callbacks
from tweetbot_trainer.learning.training.state import Weights, copy_weights, load_weights
from tweetbot_trainer.learning.values import Hyperparameters, resolve_hyperparameters, resolve_lora
from tweetbot_trainer.runtime.errors import TrainingDiverged

STOCK, OURS, ADAPTERS = "huggingtweets", "tweetbot", "LoRA"
RECIPES = (STOCK, OURS, ADAPTERS)
#: The trained base's name.
BASE = "s3://bench/base"
#: Learning rates, each three times the last: the second is best for all weights, adapters need ten times as much.
RATES = (4e-4, 1.2e-3, 3.6e-3, 1.1e-2)


def resolve_values(recipe: str, base: str = BASE, *, posts: int | None = None, family: str = "gpt2") -> Hyperparameters:
    """Resolve a recipe's hyperparameters for a base and an account of `posts` posts; the learning rate is searched."""
    training = Training(recipe="huggingtweets") if recipe == STOCK else Training(precision="FP32")
    lora = resolve_lora(Model(method="LoRA")) if recipe == ADAPTERS else None
    return resolve_hyperparameters(training, base, (), lora, posts=posts, architecture=(family, SHAPE.channels))


@dataclass(frozen=True, slots=True)
class Task:
    """A recipe's values for an account, the rates to search, and how many texts to generate with the best model.

    `shares` are how far to interpolate from the base's weights to the tuned ones; 1 is the tuned ones. `start` is a
    scratch base in place of the one that all begin from. An account of `size` is cut to as many posts, and measured on
    `unseen` ones.
    """

    recipe: str
    account: str
    posts: tuple[DatasetPost, ...]
    values: Hyperparameters
    rates: tuple[float, ...] = RATES
    texts: int = 1000
    shares: tuple[float, ...] = (1.0,)
    start: str | None = None
    size: int | None = None
    unseen: tuple[DatasetPost, ...] = ()


@dataclass(frozen=True, slots=True)
class Trained:
    """A model for one rate and share: its weights, and its loss on the validation posts in bits per byte."""

    rate: float
    share: float
    validation: float
    weights: Weights
    tuned: FineTuneResult


def run_task(task: Task, start: Path | str) -> dict[str, Any]:
    """Return what the recipe reaches on the account, from the base in a folder or a scratch base."""
    torch.set_num_threads(1)
    start = task.start or start
    splits = split(task.posts, task.values.holdout_percent)
    if task.unseen:
        splits = replace(splits, test=task.unseen)
    tried = [one for rate in task.rates for one in _try_rate(task, start, splits, rate)]
    best = min(tried, key=lambda one: one.validation)
    base = _load_base(start, splits)
    load_weights(base.model, best.weights)
    base.model.eval()
    outcome = best.tuned.outcome
    return {
        "recipe": task.recipe,
        "account": task.account,
        "size": task.size,
        "rate": best.rate,
        "share": best.share,
        "validation": {f"{one.rate:g} {one.share:g}".removesuffix(" 1"): round(one.validation, 4) for one in tried},
        "bitsPerByte": _measure_bits(base, splits.test),
        "baseBitsPerByte": best.tuned.metrics.base_bits_per_byte,
        "labelTokens": outcome.tokens,
        "steps": outcome.steps,
        "bestEpoch": outcome.best_epoch,
        "validationLosses": [round(row.eval_loss, 4) for row in outcome.log_history if row.eval_loss is not None],
        "seconds": round(sum({one.rate: one.tuned.outcome.seconds for one in tried}.values()), 1),
        **(_measure_texts(base, splits, task) if task.texts else {}),
    }


def _try_rate(task: Task, start: Path | str, splits: Splits, rate: float) -> list[Trained]:
    """Return the models of a rate, or none if it is so high that the loss is not finite."""
    try:
        return _train_shares(task, start, splits, rate)
    except TrainingDiverged:
        return []


def _train_shares(task: Task, start: Path | str, splits: Splits, rate: float) -> list[Trained]:
    base = _load_base(start, splits)
    before = copy_weights(base.model)
    values = replace(task.values, learning_rate=rate, short_learning_rate=None)
    tuned = fine_tune(base, splits, values, callbacks=Callbacks())
    after = copy_weights(base.model)
    found = []
    for share in task.shares:
        weights = {name: torch.lerp(before[name], after[name], share) for name in after}
        load_weights(base.model, weights)
        found.append(Trained(rate, share, _measure_bits(base, splits.validation), weights, tuned))
    return found


def _load_base(start: Path | str, splits: Splits) -> Base:
    """Load or create the base again: a training changes it in place."""
    if isinstance(start, Path):
        return read_base(start, BaseIdentity(BASE, "folder", ""))
    model, tokenizer = create_base(start, [post.text for post in splits.train], seed=42)
    return Base(model, tokenizer, BaseIdentity(start, "scratch", SCRATCH_DIGESTS[start]))


def _measure_bits(base: Base, posts: Sequence[DatasetPost]) -> float:
    return measure_likelihood(base.model, base.tokenizer, [post.text for post in posts]).bits_per_byte


def _measure_texts(base: Base, splits: Splits, task: Task) -> dict[str, float | None]:
    """Measure how many generated texts contain a passage of a post, and their style, by the product's own measures."""
    values = task.values
    sampling = resolve_generation_config(values, base.model.config.context)
    texts = PostGenerator(base, sampling, values.seed).sample_unconditionally(task.texts)
    train, validation, test = ([post.text for post in part] for part in (splits.train, splits.validation, splits.test))
    found = measure_memorization(texts, train, test, seed=values.seed)
    style = measure_style(texts, train, validation + test).score
    return {
        "verbatimRate": found.verbatim_rate,
        "verbatimRateSized": found.sized_rate,
        "verbatimRateUnseen": found.unseen_rate,
        "verbatimWordsRate": found.word_rate,
        "styleScore": round(style.value, 3) if style else None,
    }
