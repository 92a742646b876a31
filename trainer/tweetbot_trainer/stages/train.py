"""The second stage: a dataset by its digest in, a published model out. Torch is loaded once there is work for it."""

from datetime import UTC, datetime

from tweetbot_contract.result import Metrics, TrainSucceeded
from tweetbot_trainer.data.dataset.splits import split
from tweetbot_trainer.data.dataset.store import load_dataset
from tweetbot_trainer.learning.checkpoints.naming import build_checkpoints_uri, erase_checkpoints
from tweetbot_trainer.publishing.registry.latest import update_latest
from tweetbot_trainer.publishing.registry.lookup import find_rejected, find_reusable
from tweetbot_trainer.publishing.registry.publish import publish_rejected
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.gates import build_gate_error, can_publish, find_missed_gates
from tweetbot_trainer.stages.training_plan import TrainingPlan, build_training_plan


def train(context: StageContext) -> TrainSucceeded:
    """Return the run's published model, trained now unless it was trained before.

    Raises StageFailed of the fitting class; a stage that was asked to end publishes nothing.
    """
    plan = build_training_plan(context)
    published = _find_trained_version(context, plan)
    if published:
        # of an attempt that was killed just after it published
        erase_checkpoints(context.store, build_checkpoints_uri(context.run), now=datetime.now(UTC), log=context.log)
        return published
    dataset = load_dataset(context.store, context.run, plan.data.digest)
    splits = split(dataset.posts, plan.values.holdout_percent)
    from tweetbot_trainer.stages.training_run import train_and_publish

    return train_and_publish(context, plan, dataset, splits)


def _find_trained_version(context: StageContext, plan: TrainingPlan) -> TrainSucceeded | None:
    """Return the version that a training of this plan gave before, whether it was published or kept beside.

    Raises GateFailed where it misses what the spec demands today.
    """
    run, store = context.run, context.store
    published = find_reusable(store, run, plan.key)
    if published:
        _require_gates(context, published.metrics, published.model.uri)
        update_latest(store, run, published)
        context.log.info("train.found", uri=published.model.uri)
        return published
    rejected = find_rejected(store, run, plan.key)
    if rejected is None:
        return None
    _require_gates(context, rejected.manifest.metrics, rejected.home)
    context.log.info("train.reconsidered", uri=rejected.home)
    return publish_rejected(store, run, rejected, context.work / "rejected", check=context.stop.check)


def _require_gates(context: StageContext, metrics: Metrics, uri: str) -> None:
    if not can_publish(context.run.spec, metrics):
        raise build_gate_error(find_missed_gates(context.run.spec, metrics), uri)
