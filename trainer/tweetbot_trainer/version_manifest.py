"""A model version's MANIFEST.json: every file by hash, and where it all came from. A version exists once it does."""

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.parts import Part
from tweetbot_contract.result import (
    Dataset,
    Metrics,
    PublishedModel,
    Sample,
    TrackingResult,
    TrainSucceeded,
)
from tweetbot_trainer.model.identity import BaseIdentity
from tweetbot_trainer.source_records import Sha256, SourceRecord
from tweetbot_trainer.store import ObjectStore, join, sha256_of, sha256_of_stream, size_of

MANIFEST_FILE = "MANIFEST.json"
#: Beside a version's manifest: a run that did not make it has had latest.json point to it.
ADOPTED_FILE = "ADOPTED"
MODEL_FOLDER, REPORT_FOLDER, ADAPTER_FOLDER = "model", "report", "adapter"


def _inside(path: str) -> str:
    """Return a path that leads into its folder and nowhere else: a bucket, and what lies in it, is not ours alone."""
    if {"", ".", ".."} & set(path.split("/")) or "\0" in path:
        raise ValueError("a file lies outside of its folder")
    return path


FilePath = Annotated[str, AfterValidator(_inside)]


class FileRecord(Part):
    """One file of a version."""

    sha256: Sha256
    size: Annotated[int, Field(ge=0)]


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
    dataset: Dataset
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


def decoded(body: bytes) -> VersionManifest | None:
    """Return the manifest of these bytes; None for anything else, which counts as no manifest."""
    try:
        return VersionManifest.model_validate_json(body)
    except ValidationError:
        return None


def result_of(manifest: VersionManifest, body: bytes, run: RunDocument) -> TrainSucceeded:
    """Return the training result that a version stands for; `body` is the manifest as it is stored."""
    model = PublishedModel(
        name=model_name(run, manifest.version),
        uri=model_uri(run, manifest.version),
        digest=hashlib.sha256(body).hexdigest(),
        size_bytes=manifest.model_bytes,
        published_at=manifest.published_at,
    )
    return TrainSucceeded(model=model, metrics=manifest.metrics, samples=manifest.samples, tracking=manifest.tracking)


def version_uri(run: RunDocument, version: str) -> str:
    """Return the address below which a version lies."""
    return join(run.prefix, "models", version)


def rejected_uri(run: RunDocument, version: str) -> str:
    """Return the address below which a version lies that failed a gate."""
    return join(run.prefix, "rejected", version)


def model_uri(run: RunDocument, version: str) -> str:
    """Return the address of a version's model directory."""
    return join(version_uri(run, version), MODEL_FOLDER)


def version_of(model_uri: str) -> str:
    """Return the version whose model directory lies at this address."""
    return model_uri.removesuffix(f"/{MODEL_FOLDER}").rpartition("/")[2]


def model_name(run: RunDocument, version: str) -> str:
    """Return what a server lists a version as."""
    return f"{run.namespace}-{run.name}-{version}"


def records_of(folder: Path) -> dict[str, FileRecord]:
    """Return every file below the folder, by its path in it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): FileRecord(sha256=sha256_of(path), size=size_of(path)) for path in paths
    }


def is_intact(store: ObjectStore, uri: str, record: FileRecord) -> bool:
    """Tell whether the object at the address is this file; read back where the server keeps no sha256."""
    info = store.head(uri)
    if info is None or info.size != record.size:
        return False
    if info.sha256 is not None:
        return info.sha256 == record.sha256
    with store.open_stream(uri) as stream:
        return sha256_of_stream(stream) == record.sha256


def all_intact(store: ObjectStore, folder: str, files: dict[str, FileRecord]) -> bool:
    """Tell whether every file of a version is there, whole and unchanged."""
    return bool(files) and all(is_intact(store, join(folder, path), record) for path, record in files.items())
