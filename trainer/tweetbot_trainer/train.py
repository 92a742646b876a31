"""The second stage: a dataset by its digest in, a published model out. Torch is loaded once there is work for it."""

from tweetbot_contract.result import TrainSucceeded
from tweetbot_trainer.adoption import adoptable
from tweetbot_trainer.checkpoints.place import checkpoints_uri, erase
from tweetbot_trainer.pointer import point_to
from tweetbot_trainer.snapshots import required_dataset
from tweetbot_trainer.splits import split
from tweetbot_trainer.stage import StageContext
from tweetbot_trainer.training_plan import plan_of


def train(context: StageContext) -> TrainSucceeded:
    """Return the run's published model, trained now unless it is published already.

    Raises StageFailed of the fitting class; a stage that was asked to end publishes nothing.
    """
    run, plan = context.run, plan_of(context)
    standing = adoptable(context.store, run, plan.key)
    if standing:
        point_to(context.store, run, standing)
        erase(context.store, f"{checkpoints_uri(run)}/")  # an attempt that was killed just after it published
        context.log.info("train.found", uri=standing.model.uri)
        return standing
    dataset = required_dataset(context.store, run, plan.data.digest)
    splits = split(dataset.posts, plan.values.holdout_percent)
    from tweetbot_trainer.training_run import tracked_training

    return tracked_training(context, plan, dataset, splits)
