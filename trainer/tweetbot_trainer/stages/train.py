"""The second stage: a dataset by its digest in, a published model out. Torch is loaded once there is work for it."""

from datetime import UTC, datetime

from tweetbot_contract.result import Metrics, TrainSucceeded
from tweetbot_trainer.data.dataset.splits import split
from tweetbot_trainer.data.dataset.store import required_dataset
from tweetbot_trainer.learning.checkpoints.naming import checkpoints_uri, clear
from tweetbot_trainer.publishing.registry.latest import point_to
from tweetbot_trainer.publishing.registry.lookup import adoptable, rejected
from tweetbot_trainer.publishing.registry.manifest import rejected_uri
from tweetbot_trainer.publishing.registry.publish import fetch_rejected, publish
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.stages.gates import gate_failed, missed_gates, passes
from tweetbot_trainer.stages.training_plan import TrainingPlan, plan_of


def train(context: StageContext) -> TrainSucceeded:
    """Return the run's published model, trained now unless it was trained before.

    Raises StageFailed of the fitting class; a stage that was asked to end publishes nothing.
    """
    plan = plan_of(context)
    standing = _found(context, plan)
    if standing:
        # of an attempt that was killed just after it published
        clear(context.store, checkpoints_uri(context.run), now=datetime.now(UTC), log=context.log)
        return standing
    dataset = required_dataset(context.store, context.run, plan.data.digest)
    splits = split(dataset.posts, plan.values.holdout_percent)
    from tweetbot_trainer.stages.training_run import tracked_training

    return tracked_training(context, plan, dataset, splits)


def _found(context: StageContext, plan: TrainingPlan) -> TrainSucceeded | None:
    """Return the version that a training of this plan gave before, whether it was published or kept beside.

    Raises GateFailed where it misses what the spec demands today.
    """
    run, store = context.run, context.store
    standing = adoptable(store, run, plan.key)
    if standing:
        _require_gates(context, standing.metrics, standing.model.uri)
        point_to(store, run, standing)
        context.log.info("train.found", uri=standing.model.uri)
        return standing
    manifest = rejected(store, run, plan.key)
    if manifest is None:
        return None
    _require_gates(context, manifest.metrics, rejected_uri(run, manifest.version))
    folder = context.work / "rejected"
    fetch_rejected(store, run, manifest, folder)
    context.log.info("train.reconsidered", uri=rejected_uri(run, manifest.version))
    return publish(store, run, folder, manifest, check=context.stop.check)


def _require_gates(context: StageContext, metrics: Metrics, uri: str) -> None:
    if not passes(context.run.spec, metrics):
        raise gate_failed(missed_gates(context.run.spec, metrics), uri)
