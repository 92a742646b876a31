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
    served = read_version(context.store, build_version_uri(context.run, champion))
    if served is None:
        return NoComparison(champion, "its manifest is gone, or cannot be read")
    unseen = _find_unseen(context, served, test)
    return _compare(context, served, unseen, test, measured) if isinstance(unseen, list) else unseen


def find_champion(context: StageContext, plan: TrainingPlan) -> str | None:
    """Return the served version that the model of a plan must not be worse than, None if there is none."""
    if context.run.spec.evaluation.gates.max_regression_percent == ANY_REGRESSION:
        return None
    served = read_served_version(context.store, context.run)
    return None if served == plan.version else served


def _find_unseen(context: StageContext, served: StoredVersion, test: Posts) -> list[int] | NoComparison | None:
    """Return the indices of the test posts that a version was neither trained on nor stopped by.

    None if it knows posts that the spec excludes: it must go, however good it is.
    """
    manifest = served.manifest
    try:
        dataset = load_dataset(context.store, context.run, manifest.dataset.digest)
        known = split(dataset.posts, int(manifest.provenance.training["holdout_percent"]))
    except (SpecRefused, TooLittleData, KeyError) as fault:
        context.log.warning("train.not_compared", version=manifest.version, message=str(fault))
        return NoComparison(manifest.version, f"its dataset {manifest.dataset.digest[:16]} is gone or damaged")
    if {post.id for post in dataset.posts} & set(context.run.spec.filter.exclude_ids):
        message = "it knows posts of spec.filter.excludeIds"
        context.log.info("train.not_compared", version=manifest.version, message=message)
        return None
    seen = {key for post in (*known.train, *known.validation) for key in (post.id, post.text)}
    unseen = [index for index, post in enumerate(test) if seen.isdisjoint((post.id, post.text))]
    return unseen or NoComparison(manifest.version, "it was trained on every test post")


def _compare(
    context: StageContext, served: StoredVersion, unseen: list[int], test: Posts, measured: Likelihood
) -> Comparison | NoComparison:
    version = served.manifest.version
    try:
        theirs = measure_version(context, served, [test[index] for index in unseen])
    except SpecRefused as fault:
        context.log.warning("train.not_compared", version=version, message=fault.message)
        return NoComparison(version, f"its model at {served.home} is gone or damaged")
    ours = replace(measured, posts=tuple(measured.posts[index] for index in unseen))
    interval = bootstrap_interval(ours, theirs) if len(unseen) >= FEWEST_POSTS else None
    found = Comparison(version, served.manifest.metrics, len(unseen), compute_ratio(ours, theirs), interval)
    context.log.info("train.compared", version=version, posts=found.posts, ratio=found.ratio, interval=interval)
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
