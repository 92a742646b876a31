"""What each stage of a run sends to a tracker: the same while it runs, and later from what it stored."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tweetbot_contract.data_table import DataTable
from tweetbot_contract.result import DatasetResult, Metrics, Sample
from tweetbot_trainer.data.posts import DatasetPost
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.publishing.tracking.interface import (
    Tracker,
    make_base_artifact,
    make_dataset_artifact,
    make_model_artifact,
    make_source_artifact,
)


def build_dataset_config(handle: str, sources: int, header: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what shapes a dataset; `header` is its first line."""
    return {"handle": handle, "sources": sources, **header}


def build_training_config(
    training: Mapping[str, Any], base: Mapping[str, str], dataset: str, key: str, versions: Mapping[str, str]
) -> Mapping[str, Any]:
    """Return every hyperparameter, and all else that the weights depend on."""
    return {**training, "base": base, "dataset": dataset, "key": key, "versions": versions}


def track_dataset(
    tracker: Tracker,
    bot: str,
    sources: Sequence[tuple[str, DataTable]],
    data: DatasetResult,
    posts: Iterable[DatasetPost] | None,
) -> None:
    """Send the address and the data table of each source and of the dataset; the posts' text if there are `posts`."""
    for index, (uri, table) in enumerate(sources):
        tracker.log_artifact(make_source_artifact(bot, index, uri, table))
    tracker.log_artifact(make_dataset_artifact(bot, data.uri, data.digest, data.table, direction="output"))
    tracker.set_summary(data.table.to_dict())
    if posts is not None:
        tracker.log_table("posts", ("id", "text"), [(post.id, post.text) for post in posts])


def track_inputs(tracker: Tracker, bot: str, data: DatasetResult, base: BaseIdentity | None) -> None:
    """Send the addresses of the dataset and the base model."""
    tracker.log_artifact(make_dataset_artifact(bot, data.uri, data.digest, data.table, direction="input"))
    if base and (artifact := make_base_artifact(base)):
        tracker.log_artifact(artifact)


def track_model(
    tracker: Tracker,
    bot: str,
    uri: str,
    version: str,
    sha256: str,
    metrics: Metrics,
    samples: Sequence[Sample],
    *,
    rejected: bool = False,
) -> None:
    """Send metrics, samples and the address of a model version; `sha256` is that of its manifest."""
    tracker.set_summary(metrics.to_dict())
    tracker.log_table("samples", ("prompt", "prediction"), [(one.prompt, one.text) for one in samples])
    tracker.log_artifact(make_model_artifact(bot, uri, version, sha256, metrics, rejected=rejected))
