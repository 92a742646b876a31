"""Compares a model with the version that latest.json serves, on the same test posts (decision 55).

Both are measured here, by the model's own test part: the losses of single posts are kept nowhere, as they would confirm
a guess of a post's text (decision 42).
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from tweetbot_trainer.data.dataset.splits import split
from tweetbot_trainer.data.dataset.store import load_dataset
from tweetbot_trainer.data.posts import DatasetPost
from tweetbot_trainer.learning.evaluation.comparison import Comparison, NoComparison
from tweetbot_trainer.learning.evaluation.likelihood import (
    FEWEST_POSTS,
    Likelihood,
    bootstrap_interval,
    compute_ratio,
    measure_likelihood,
)
from tweetbot_trainer.learning.model.base import read_base
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.publishing.registry.latest import read_served_version
from tweetbot_trainer.publishing.registry.lookup import download_files
from tweetbot_trainer.publishing.registry.manifest import MODEL_FOLDER, StoredVersion, build_version_uri, read_version
from tweetbot_trainer.runtime.errors import SpecRefused, TooLittleData
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.gates import ANY_REGRESSION
from tweetbot_trainer.stages.training_plan import TrainingPlan

Posts = Sequence[DatasetPost]


def compare_rejected(
    context: StageContext, plan: TrainingPlan, rejected: StoredVersion
) -> Comparison | NoComparison | None:
    """Compare a version that missed a gate before, as compare_with_served does; it is measured again, too."""
    if find_champion(context, plan) is None:
        return None
    dataset = load_dataset(context.store, context.run, plan.data.digest)
    test = split(dataset.posts, plan.values.holdout_percent).test
    return compare_with_served(context, plan, test, measure_version(context, rejected, test))


def compare_with_served(
    context: StageContext, plan: TrainingPlan, test: Posts, measured: Likelihood
) -> Comparison | NoComparison | None:
    """Compare the model of a plan, whose test posts have been `measured`, with the served version.

    None if nothing is served that it could take the place of, or if the spec accepts anything.
    """
    champion = find_champion(context, plan)
    if champion is None:
        return None
    try:
        return _compare(context, champion, test, measured)
    except (SpecRefused, TooLittleData) as fault:  # its dataset or a file of it is gone or damaged
        return NoComparison(champion, fault.message.rstrip("."))


def find_champion(context: StageContext, plan: TrainingPlan) -> str | None:
    """Return the served version that the model of a plan must not be worse than, None if there is none."""
    if context.run.spec.evaluation.gates.max_regression_percent == ANY_REGRESSION:
        return None
    served = read_served_version(context.store, context.run)
    return None if served == plan.version else served


def _compare(
    context: StageContext, champion: str, test: Posts, measured: Likelihood
) -> Comparison | NoComparison | None:
    served = read_version(context.store, build_version_uri(context.run, champion))
    if served is None:
        return NoComparison(champion, "its manifest is gone, or cannot be read")
    dataset = load_dataset(context.store, context.run, served.manifest.dataset.digest)
    if {post.id for post in dataset.posts} & set(context.run.spec.filter.exclude_ids):
        context.log.info("train.not_compared", version=champion, message="it knows posts of spec.filter.excludeIds")
        return None
    holdout = served.manifest.provenance.training.get("holdout_percent")
    if not isinstance(holdout, int):
        return NoComparison(champion, "its manifest does not say which posts it was trained on")
    known = split(dataset.posts, holdout)
    seen = {key for post in (*known.train, *known.validation) for key in (post.id, post.text)}
    unseen = [index for index, post in enumerate(test) if seen.isdisjoint((post.id, post.text))]
    if not unseen:
        return NoComparison(champion, "it was trained on every test post")
    theirs = measure_version(context, served, [test[index] for index in unseen])
    ours = replace(measured, posts=tuple(measured.posts[index] for index in unseen))
    interval = bootstrap_interval(ours, theirs) if len(unseen) >= FEWEST_POSTS else None
    found = Comparison(champion, served.manifest.metrics, len(unseen), compute_ratio(ours, theirs), interval)
    context.log.info("train.compared", version=champion, posts=found.posts, ratio=found.ratio, interval=interval)
    return found


def measure_version(context: StageContext, version: StoredVersion, posts: Posts) -> Likelihood:
    """Download a version's model and measure posts by it. Raises SpecRefused if it is damaged."""
    context.work.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=context.work) as folder:
        download_files(context.store, version, Path(folder), MODEL_FOLDER)
        base = read_base(Path(folder, MODEL_FOLDER), BaseIdentity(version.home, "folder", ""))
    if context.run.spec.resources.gpu.count and torch.cuda.is_available():
        base.model.to("cuda")
    return measure_likelihood(base.model, base.tokenizer, [post.text for post in posts])
