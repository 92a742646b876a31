"""A model version's MANIFEST.json: every file by hash, and where it all came from. A version exists once it does."""

import hashlib
from typing import Any, Literal

from pydantic import ValidationError

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import DatasetResult, Metrics, PublishedModel, Sample, TrackingResult, TrainSucceeded
from tweetbot_contract.spec.parts import Part
from tweetbot_trainer.data.dataset.source_records import SourceRecord
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.store import join
from tweetbot_trainer.store.file_records import FilePath, FileRecord
from tweetbot_trainer.store.hashing import Sha256

MANIFEST_FILE = "MANIFEST.json"
#: Beside a version's manifest: a run that did not make it has had latest.json point to it.
ADOPTED_FILE = "ADOPTED"
MODEL_FOLDER, REPORT_FOLDER, ADAPTER_FOLDER = "model", "report", "adapter"


class Provenance(Part):
    """What a version was made from, by and on; bit-exact means all of it the same."""

    base: dict[str, str]
    training: dict[str, Any]
    ordered_by: str
    seed: int
    image: str
    processor: str
    threads: int
    versions: dict[str, str]
    relation: str
    consent_ref: str | None = None
    sources: tuple[SourceRecord, ...] = ()

    @property
    def base_identity(self) -> BaseIdentity:
        """Return the base. Raises TypeError where the fields are not a base's."""
        fields: dict[str, Any] = dict(self.base)
        return BaseIdentity(**fields)


class VersionManifest(Part):
    """The content of MANIFEST.json; `run_number` counts the runs of the TweetBot with `bot_uid`."""

    schema_version: Literal[1] = 1
    version: str
    training_key: Sha256
    run_id: str
    run_number: int
    bot_uid: str
    published_at: str
    files: dict[FilePath, FileRecord]
    dataset: DatasetResult
    provenance: Provenance
    metrics: Metrics
    samples: tuple[Sample, ...]
    tracking: TrackingResult

    def encode(self) -> bytes:
        """Return the file's content."""
        return (self.model_dump_json(by_alias=True, exclude_none=True, indent=1) + "\n").encode()

    @property
    def model_bytes(self) -> int:
        """Return the size of the model directory."""
        return sum(record.size for path, record in self.files.items() if path.startswith(f"{MODEL_FOLDER}/"))


def decode_manifest(body: bytes) -> VersionManifest | None:
    """Return the manifest of these bytes; None for anything else, which counts as no manifest."""
    try:
        return VersionManifest.model_validate_json(body)
    except ValidationError:
        return None


def build_result(manifest: VersionManifest, body: bytes, run: RunDocument) -> TrainSucceeded:
    """Return the training result that a version stands for; `body` is the manifest as it is stored."""
    model = PublishedModel(
        name=build_model_name(run, manifest.version),
        uri=build_model_uri(run, manifest.version),
        digest=hashlib.sha256(body).hexdigest(),
        size_bytes=manifest.model_bytes,
        published_at=manifest.published_at,
    )
    return TrainSucceeded(model=model, metrics=manifest.metrics, samples=manifest.samples, tracking=manifest.tracking)


def build_version_uri(run: RunDocument, version: str) -> str:
    """Return the address below which a version lies."""
    return join(run.prefix, "models", version)


def build_rejected_uri(run: RunDocument, version: str) -> str:
    """Return the address below which a version lies that failed a gate."""
    return join(run.prefix, "rejected", version)


def build_model_uri(run: RunDocument, version: str) -> str:
    """Return the address of a version's model directory."""
    return join(build_version_uri(run, version), MODEL_FOLDER)


def parse_version(model_uri: str) -> str:
    """Return the version whose model directory lies at this address."""
    return model_uri.removesuffix(f"/{MODEL_FOLDER}").rpartition("/")[2]


def build_model_name(run: RunDocument, version: str) -> str:
    """Return what a server lists a version as."""
    return f"{run.namespace}-{run.name}-{version}"
