"""What stages tell a tracker. No call fails; only `current_result` and `finish` wait for a network, a bounded time."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from tweetbot_contract.result import DataTable, TrackingResult
from tweetbot_trainer.learning.model.identity import BaseIdentity

#: What Weights & Biases takes for an artifact's name.
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class TrackedArtifact:
    """Something a stage reads (`input`) or makes (`output`), by reference: its bytes stay where they are."""

    name: str
    type: Literal["raw-dataset", "train-dataset", "pretrained-model", "finetuned-model"]
    uri: str
    direction: Literal["input", "output"]
    metadata: Mapping[str, Any] = field(default_factory=dict)


def make_dataset_artifact(
    bot: str, uri: str, digest: str, table: DataTable, *, direction: Literal["input", "output"]
) -> TrackedArtifact:
    """Return a dataset as the stage that makes it and the one that reads it both name it: one artifact, two edges."""
    metadata = {"digest": digest, **table.to_dict()}
    return TrackedArtifact(f"dataset-{bot}", "train-dataset", uri, direction, metadata)


def make_base_artifact(base: BaseIdentity) -> TrackedArtifact | None:
    """Return the base that a training starts from; a scratch base is no model that anybody could have trained."""
    if base.kind == "scratch":
        return None
    uri = f"https://huggingface.co/{base.hub_name}/tree/{base.digest}" if base.hub_name else base.uri
    name = base.hub_name or base.uri.rstrip("/").rpartition("/")[2]
    return TrackedArtifact(_NOT_IN_NAMES.sub("-", name)[:128], "pretrained-model", uri, "input", base.as_json())


class Tracker(Protocol):
    """One stage of one run, as an experiment tracker sees it."""

    def current_result(self) -> TrackingResult:
        """Return how the run is tracked, once it has started."""

    def log(self, metrics: Mapping[str, float]) -> None:
        """Add a row of metrics; its `step` orders it."""

    def set_summary(self, figures: Mapping[str, Any]) -> None:
        """Set final figures."""

    def log_table(self, name: str, columns: Sequence[str], data: Sequence[Sequence[Any]]) -> None:
        """Add a table."""

    def log_artifact(self, artifact: TrackedArtifact) -> None:
        """Add an artifact and its edge to this run."""

    def finish(self, *, failed: bool = False) -> TrackingResult:
        """End the run and tell how tracking went; a second call changes nothing."""


class NullTracker:
    """Tracks nothing, as asked for."""

    def current_result(self) -> TrackingResult:
        """Return the result of no tracking."""
        return TrackingResult()

    def log(self, metrics: Mapping[str, float]) -> None:
        """Do nothing."""

    def set_summary(self, figures: Mapping[str, Any]) -> None:
        """Do nothing."""

    def log_table(self, name: str, columns: Sequence[str], data: Sequence[Sequence[Any]]) -> None:
        """Do nothing."""

    def log_artifact(self, artifact: TrackedArtifact) -> None:
        """Do nothing."""

    def finish(self, *, failed: bool = False) -> TrackingResult:
        """Return the result of no tracking."""
        return TrackingResult()
