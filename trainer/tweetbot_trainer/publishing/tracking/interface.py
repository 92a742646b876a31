"""How stages use an experiment tracker. No call fails; only `get_current_result` and `finish` wait, but not long."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from tweetbot_contract.data_table import DataTable
from tweetbot_contract.result import Metrics, TrackingResult
from tweetbot_trainer.learning.model.identity import BaseIdentity

#: Characters that Weights & Biases does not accept in the name of an artifact.
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class TrackedArtifact:
    """Something that a stage reads (`input`) or makes (`output`), by reference: its bytes stay where they are.

    `alias` names this version of it; the client adds `latest`.
    """

    name: str
    type: Literal["raw-dataset", "train-dataset", "pretrained-model", "finetuned-model"]
    uri: str
    direction: Literal["input", "output"]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    alias: str | None = None


def make_source_artifact(bot: str, index: int, uri: str, table: DataTable) -> TrackedArtifact:
    """Return the raw posts of a source, by its index in spec.sources."""
    metadata = {"source": index, **table.to_dict()}
    return TrackedArtifact(f"tweets-{bot}-{index}", "raw-dataset", uri, "input", metadata)


def make_dataset_artifact(
    bot: str, uri: str, digest: str, table: DataTable, *, direction: Literal["input", "output"]
) -> TrackedArtifact:
    """Return a dataset under the same name for the stage that makes it and the stage that reads it."""
    metadata = {"digest": digest, **table.to_dict()}
    return TrackedArtifact(f"dataset-{bot}", "train-dataset", uri, direction, metadata, alias=digest[:16])


def make_model_artifact(
    bot: str, uri: str, version: str, sha256: str, metrics: Metrics, *, rejected: bool = False
) -> TrackedArtifact:
    """Return a model version; `sha256` is that of its manifest. One that failed a gate must not become `latest`."""
    metadata = {"version": version, "manifestSha256": sha256, **metrics.to_dict()}
    name = f"rejected-{bot}" if rejected else f"model-{bot}"
    return TrackedArtifact(name, "finetuned-model", uri, "output", metadata, alias=version)


def make_base_artifact(base: BaseIdentity) -> TrackedArtifact | None:
    """Return the base of a training; None for a scratch base, which nobody has trained."""
    if base.kind == "scratch":
        return None
    uri = f"https://huggingface.co/{base.hub_name}/tree/{base.digest}" if base.hub_name else base.uri
    name = base.hub_name or base.uri.rstrip("/").rpartition("/")[2]
    return TrackedArtifact(_NOT_IN_NAMES.sub("-", name)[:128], "pretrained-model", uri, "input", base.as_json())


class Tracker(Protocol):
    """One stage of one run in an experiment tracker."""

    def get_current_result(self) -> TrackingResult:
        """Return how the run is tracked, once it has started."""

    def log(self, metrics: Mapping[str, float]) -> None:
        """Log metrics, ordered by their `step`."""

    def set_summary(self, figures: Mapping[str, Any]) -> None:
        """Set final figures."""

    def log_table(self, name: str, columns: Sequence[str], data: Sequence[Sequence[Any]]) -> None:
        """Log a table."""

    def log_artifact(self, artifact: TrackedArtifact) -> None:
        """Log an artifact as an input or output of this run."""

    def finish(self, *, failed: bool = False) -> TrackingResult:
        """End the run and return how it was tracked. A second call changes nothing."""


class NullTracker:
    """Tracks nothing."""

    def get_current_result(self) -> TrackingResult:
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
