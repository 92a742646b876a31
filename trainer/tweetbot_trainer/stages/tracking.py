"""What each stage reports to the experiment tracker."""

from collections.abc import Mapping
from typing import Any

from tweetbot_contract.handover import RunDocument, explain_sync
from tweetbot_contract.result import TrackingResult, TrainSucceeded
from tweetbot_contract.spec.spec import TweetBotSpec
from tweetbot_trainer.data.dataset.dataset import Dataset, build_header
from tweetbot_trainer.data.dataset.source_records import get_source_uri
from tweetbot_trainer.publishing.registry.manifest import MODEL_FOLDER, VersionManifest
from tweetbot_trainer.publishing.tracking.content import (
    build_dataset_config,
    build_training_config,
    track_dataset,
    track_inputs,
    track_model,
)
from tweetbot_trainer.publishing.tracking.interface import Tracker
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.versions import get_library_versions
from tweetbot_trainer.stages.training_plan import TrainingPlan, build_dataset_result
from tweetbot_trainer.store import compute_sha256, join


def build_prepare_config(spec: TweetBotSpec) -> Mapping[str, Any]:
    """Return what shapes a dataset."""
    return build_dataset_config(spec.subject.handle, len(spec.sources), build_header(spec.filter))


def build_train_config(plan: TrainingPlan) -> Mapping[str, Any]:
    """Return what shapes a model."""
    values, base = plan.values.as_json(), plan.base.as_record()
    return build_training_config(values, base, plan.data.digest, plan.key, get_library_versions())


def track_prepared(tracker: Tracker, run: RunDocument, dataset: Dataset, uri: str) -> None:
    """Send counts and addresses; the posts' text only if the spec allows it."""
    uris = [get_source_uri(run.prefix, source) for source in run.spec.sources]
    sources = list(zip(uris, dataset.source_tables, strict=True))
    posts = dataset.posts if run.spec.tracking.wandb.log_text else None
    track_dataset(tracker, run.name, sources, build_dataset_result(dataset, uri), posts)


def track_training_inputs(tracker: Tracker, run: RunDocument, plan: TrainingPlan) -> None:
    """Send the addresses of the dataset and the base model."""
    track_inputs(tracker, run.name, plan.data, plan.base)


def finish_training(
    tracker: Tracker, run: RunDocument, version: str, result: TrainSucceeded, log: Log
) -> TrackingResult:
    """Send metrics, samples and the address of a published model, and end the tracking."""
    model = result.model
    track_model(tracker, run.name, model.uri, version, model.digest, result.metrics, result.samples)
    tracking = tracker.finish()
    _log_sync(tracking, run, model.uri, log)
    return tracking


def track_rejected(tracker: Tracker, run: RunDocument, manifest: VersionManifest, home: str, log: Log) -> None:
    """Send what is known of a model that missed a gate. The stage's failure ends the tracking."""
    uri, sha256 = join(home, MODEL_FOLDER), compute_sha256(manifest.encode())
    track_model(tracker, run.name, uri, manifest.version, sha256, manifest.metrics, manifest.samples, rejected=True)
    _log_sync(tracker.get_current_result(), run, uri, log)


def _log_sync(tracking: TrackingResult, run: RunDocument, uri: str, log: Log) -> None:
    """Say how to send a run that is not at W&B."""
    if message := explain_sync(run.spec, uri, tracking):
        log.info("tracking.sync_later", message=message)
