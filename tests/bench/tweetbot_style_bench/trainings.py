"""Whether two trainings of one spec, which differ in their seed alone, get the same score."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from tweetbot_quality_bench.contest import BASE, OURS, resolve_values
from tweetbot_trainer.data.dataset.splits import Splits, split
from tweetbot_trainer.data.posts import DatasetPost
from tweetbot_trainer.learning.evaluation.memorization import measure_memorization
from tweetbot_trainer.learning.fine_tune import fine_tune
from tweetbot_trainer.learning.generation.generation import PostGenerator
from tweetbot_trainer.learning.model.base import Base, read_base
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.learning.sampling import resolve_generation_config
from tweetbot_trainer.learning.style.style import measure_style
from tweetbot_trainer.learning.training.callbacks import Callbacks
from tweetbot_trainer.learning.values import Hyperparameters

SEEDS = (1, 2)
#: The best rate of the quality bench for this base, and as many texts as a run generates.
RATE, TEXTS = 1.2e-3, 1000


def measure_trainings(name: str, posts: Sequence[str], start: Path) -> dict[str, Any]:
    """Return the scores of the base in the folder `start`, and of a training of it by each seed."""
    torch.set_num_threads(1)
    ordered = tuple(DatasetPost(str(index), text, None, None, 0) for index, text in enumerate(posts))
    values = replace(resolve_values(OURS), learning_rate=RATE, short_learning_rate=None)
    splits = split(ordered, values.holdout_percent)
    scores = [_measure(_train(start, splits, replace(values, seed=seed)), splits, seed) for seed in SEEDS]
    first, second = (one["style"] for one in scores)
    return {
        "account": name,
        "base": _measure(_read(start), splits, SEEDS[0]),
        "trainings": scores,
        "difference": None if first is None or second is None else round(abs(first - second), 3),
    }


def _read(start: Path) -> Base:
    return read_base(start, BaseIdentity(BASE, "folder", ""))


def _train(start: Path, splits: Splits, values: Hyperparameters) -> Base:
    base = _read(start)
    fine_tune(base, splits, values, callbacks=Callbacks())
    return base


def _measure(base: Base, splits: Splits, seed: int) -> dict[str, Any]:
    base.model.eval()
    sampling = resolve_generation_config(resolve_values(OURS), base.model.config.context)
    texts = PostGenerator(base, sampling, seed).sample_unconditionally(TEXTS)
    train, validation, test = ([post.text for post in part] for part in (splits.train, splits.validation, splits.test))
    found = measure_style(texts, train, validation + test)
    verbatim = measure_memorization(texts, train, test, seed=seed).verbatim_rate
    return {
        "style": found.score and round(found.score.value, 3),
        "interval": found.score and [round(found.score.low, 3), round(found.score.high, 3)],
        "functionWords": found.function_words and round(found.function_words.value, 3),
        "untold": found.untold,
        "verbatimRate": verbatim,
    }
