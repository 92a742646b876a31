"""What stages tell a tracker. No call fails or waits for a network, but `so_far` and `finish`, which are bounded."""

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


def dataset_artifact(
    bot: str, uri: str, digest: str, table: DataTable, *, direction: Literal["input", "output"]
) -> TrackedArtifact:
    """Return a dataset as the stage that makes it and the one that reads it both name it: one artifact, two edges."""
    metadata = {"digest": digest, **table.as_json()}
    return TrackedArtifact(f"dataset-{bot}", "train-dataset", uri, direction, metadata)


def base_artifact(base: BaseIdentity) -> TrackedArtifact | None:
    """Return the base that a training starts from; a scratch base is no model that anybody could have trained."""
    if base.kind == "scratch":
        return None
    uri = f"https://huggingface.co/{base.hub_name}/tree/{base.digest}" if base.hub_name else base.uri
    name = base.hub_name or base.uri.rstrip("/").rpartition("/")[2]
    return TrackedArtifact(_NOT_IN_NAMES.sub("-", name)[:128], "pretrained-model", uri, "input", base.as_json())


class Tracker(Protocol):
    """One stage of one run, as an experiment tracker sees it."""

    def so_far(self) -> TrackingResult:
        """Return how the run is tracked, once it has started."""

    def log(self, row: Mapping[str, float]) -> None:
        """Add a row of metrics; its `step` orders it."""

    def summary(self, figures: Mapping[str, Any]) -> None:
        """Set final figures."""

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add a table."""

    def artifact(self, artifact: TrackedArtifact) -> None:
        """Add an artifact and its edge to this run."""

    def finish(self, *, failed: bool = False) -> TrackingResult:
        """End the run and tell how tracking went; a second call changes nothing."""


class NullTracker:
    """Tracks nothing, as asked for."""

    def so_far(self) -> TrackingResult:
        """Return the result of no tracking."""
        return TrackingResult()

    def log(self, row: Mapping[str, float]) -> None:
        """Do nothing."""

    def summary(self, figures: Mapping[str, Any]) -> None:
        """Do nothing."""

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Do nothing."""

    def artifact(self, artifact: TrackedArtifact) -> None:
        """Do nothing."""

    def finish(self, *, failed: bool = False) -> TrackingResult:
        """Return the result of no tracking."""
        return TrackingResult()
