"""What each stage reports to the experiment tracker."""

from collections.abc import Mapping
from typing import Any

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrackingResult, TrainSucceeded
from tweetbot_contract.spec.sources import Source, XSource
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_trainer.data.dataset.dataset import Dataset, build_header
from tweetbot_trainer.data.sources import get_pages_folder
from tweetbot_trainer.publishing.tracking.interface import (
    TrackedArtifact,
    Tracker,
    make_base_artifact,
    make_dataset_artifact,
)
from tweetbot_trainer.stages.training_plan import TrainingPlan


def build_prepare_config(spec: TweetBotSpec) -> Mapping[str, Any]:
    """Return what shapes a dataset."""
    return {"handle": spec.subject.handle, "sources": len(spec.sources), **build_header(spec.filter)}


def track_dataset(tracker: Tracker, run: RunDocument, dataset: Dataset, uri: str) -> None:
    """Send counts and addresses; the posts' text only if the spec allows it."""
    for index, (source, table) in enumerate(zip(run.spec.sources, dataset.source_tables, strict=True)):
        name, metadata = f"tweets-{run.name}-{index}", {"source": index, **table.to_dict()}
        tracker.log_artifact(TrackedArtifact(name, "raw-dataset", _get_source_uri(run, source), "input", metadata))
    tracker.log_artifact(make_dataset_artifact(run.name, uri, dataset.digest, dataset.table, direction="output"))
    tracker.set_summary(dataset.table.to_dict())
    if run.spec.tracking.wandb.log_text:
        tracker.log_table("posts", ("id", "text"), [(post.id, post.text) for post in dataset.posts])


def track_training_inputs(tracker: Tracker, run: RunDocument, plan: TrainingPlan) -> None:
    """Send the addresses of the dataset and the base model."""
    data = plan.data
    tracker.log_artifact(make_dataset_artifact(run.name, data.uri, data.digest, data.table, direction="input"))
    if base := make_base_artifact(plan.base):
        tracker.log_artifact(base)


def finish_training(tracker: Tracker, run: RunDocument, version: str, result: TrainSucceeded) -> TrackingResult:
    """Send metrics, samples and the address of a published model, and end the tracking."""
    figures = result.metrics.to_dict()
    tracker.set_summary(figures)
    tracker.log_table("samples", ("prompt", "prediction"), [(one.prompt, one.text) for one in result.samples])
    metadata = {"version": version, "manifestSha256": result.model.digest, **figures}
    tracker.log_artifact(TrackedArtifact(f"model-{run.name}", "finetuned-model", result.model.uri, "output", metadata))
    return tracker.finish()


def _get_source_uri(run: RunDocument, source: Source) -> str:
    kind = source.kind
    return get_pages_folder(run.prefix, kind.handle) if isinstance(kind, XSource) else kind.uri
