"""The second stage: train on a dataset and publish the model. It imports torch only if there is something to train."""

from dataclasses import replace
from datetime import UTC, datetime

from tweetbot_contract.result import Metrics, TrainSucceeded
from tweetbot_trainer.data.dataset.splits import split
from tweetbot_trainer.data.dataset.store import load_dataset
from tweetbot_trainer.learning.checkpoints.naming import build_checkpoints_uri, erase_checkpoints
from tweetbot_trainer.learning.evaluation.comparison import Comparison, NoComparison
from tweetbot_trainer.publishing.registry.hash_removal import remove_hashes_of_bot
from tweetbot_trainer.publishing.registry.latest import serve
from tweetbot_trainer.publishing.registry.lookup import find_rejected, find_reusable
from tweetbot_trainer.publishing.registry.ownership import join_prefix, require_owner, reserve_version_use
from tweetbot_trainer.publishing.registry.publish import publish_rejected
from tweetbot_trainer.runtime.imports import skip_garbage_collection
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.gates import build_advisory, build_gate_error, can_publish, judge_gates
from tweetbot_trainer.stages.training_plan import TrainingPlan, build_training_plan
from tweetbot_trainer.store import StorageUnavailable


def train(context: StageContext) -> TrainSucceeded:
    """Train and publish the run's model, unless the same training was published before.

    Raises StageError; PrefixOwned if the output has come to belong to another TweetBot since the dataset was prepared.
    A stage that was asked to stop publishes nothing.
    """
    owned = join_prefix(context.store, context.run, context.log)
    if owned is None:
        remove_hashes_of_bot(context.store, context.run, context.log)
    plan = build_training_plan(context)
    if owned:
        return _reuse_version(context, plan, owned)
    if published := _find_trained_version(context, plan):
        # an earlier attempt may have been killed between publishing and this
        erase_checkpoints(context.store, build_checkpoints_uri(context.run), now=datetime.now(UTC), log=context.log)
        return published
    dataset = load_dataset(context.store, context.run, plan.data.digest)
    splits = split(dataset.posts, plan.values.holdout_percent)
    with skip_garbage_collection():
        from tweetbot_trainer.stages.training_run import train_and_publish

    return train_and_publish(context, plan, dataset, splits)


def _reuse_version(context: StageContext, plan: TrainingPlan, owned: str) -> TrainSucceeded:
    """Return the version in another TweetBot's folder, without moving latest.json. Raises PrefixOwned without one."""
    run, store = context.run, context.store
    kept = reserve_version_use(store, run, plan.version)
    published = find_reusable(store, run, plan.key) if kept else None
    if published is None:
        require_owner(store, run)
        raise StorageUnavailable(f"the owner of {run.prefix} has changed: the next attempt trains")
    advisory = _require_gates(context, published.metrics, published.model.uri)
    return published.model_copy(update={"prefix_owned": owned, "gate_advisory": published.gate_advisory or advisory})


def _find_trained_version(context: StageContext, plan: TrainingPlan) -> TrainSucceeded | None:
    """Find a version with the same training, published or rejected before. Raises GateFailed if it misses a gate."""
    run, store = context.run, context.store
    published = find_reusable(store, run, plan.key)
    if published:
        advisory = _require_gates(context, published.metrics, published.model.uri)
        context.log.info("train.found", uri=published.model.uri)
        published = serve(store, run, published)
        return published.model_copy(update={"gate_advisory": published.gate_advisory or advisory})
    rejected = find_rejected(store, run, plan.key)
    if rejected is None:
        return None
    _require_gates(context, rejected.manifest.metrics, rejected.home)
    from tweetbot_trainer.stages.champion import compare_rejected

    comparison = compare_rejected(context, plan, rejected)
    advisory = _require_gates(context, rejected.manifest.metrics, rejected.home, comparison)
    context.log.info("train.reconsidered", uri=rejected.home)
    accepted = replace(rejected, manifest=rejected.manifest.model_copy(update={"gate_advisory": advisory}))
    return publish_rejected(store, run, accepted, context.work / "rejected", check=context.stop.check)


def _require_gates(
    context: StageContext, metrics: Metrics, uri: str, comparison: Comparison | NoComparison | None = None
) -> str | None:
    """Return the advisory of a model that may be published, if it has one. Raises GateFailed if it may not."""
    misses = judge_gates(context.run.spec, metrics, comparison)
    if not can_publish(misses):
        raise build_gate_error(misses, metrics, uri)
    return build_advisory(misses)
