"""MANIFEST.json of a model version: every file with its hash, and its origin. A version exists once this is written."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import DatasetResult, Metrics, PublishedModel, Sample, TrackingResult, TrainSucceeded
from tweetbot_contract.spec.parts import Part
from tweetbot_trainer.data.dataset.source_records import SourceRecord
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.store import ObjectStore, compute_sha256, join
from tweetbot_trainer.store.file_records import FilePath, FileRecord
from tweetbot_trainer.store.hashing import Sha256

MANIFEST_FILE = "MANIFEST.json"
#: Lies beside the manifest of a version that latest.json pointed to for a run other than its own.
ADOPTED_FILE = "ADOPTED"
MODEL_FOLDER, REPORT_FOLDER, ADAPTER_FOLDER = "model", "report", "adapter"
#: In the report's folder. A training writes it line by line, while it runs.
METRICS_FILE = "metrics.jsonl"
#: Posts can be read out of this file of older versions. It is removed wherever it is met (hash_removal.py).
REMOVED_FILE = f"{MODEL_FOLDER}/training_posts.hashes"


class Provenance(Part):
    """What a version was made from, and how. Two trainings that agree in all but the times give the same bytes.

    `precision` is what the matrix products were computed in, and `product_seconds` what a product took in each format
    when `Auto` chose; both None in versions of older trainers.
    """

    base: dict[str, str]
    training: dict[str, Any]
    ordered_by: str
    seed: int
    image: str
    processor: str
    threads: int
    precision: Literal["FP32", "BF16"] | None = None
    product_seconds: dict[Literal["FP32", "BF16"], float] | None = None
    versions: dict[str, str]
    handle: str | None = None
    relation: str
    consent_ref: str | None = None
    sources: tuple[SourceRecord, ...] = ()

    @property
    def base_identity(self) -> BaseIdentity:
        """The base model. Raises TypeError if the fields do not describe one."""
        fields: dict[str, Any] = dict(self.base)
        return BaseIdentity(**fields)


class VersionManifest(Part):
    """The content of MANIFEST.json. `run_number` counts the runs of the TweetBot with the uid `bot_uid`.

    `gate_advisory` is what the trainer reported of the gates when it published the version.
    """

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
    gate_advisory: str | None = None

    def encode(self) -> bytes:
        """Return the file's content."""
        return (self.model_dump_json(by_alias=True, exclude_none=True, indent=1) + "\n").encode()

    @property
    def model_bytes(self) -> int:
        """The size of the model directory."""
        return sum(record.size for path, record in self.files.items() if path.startswith(f"{MODEL_FOLDER}/"))


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version in the store: its address, its manifest, and the manifest's bytes.

    `expected_sha256` is the manifest's hash according to latest.json, if that led here.
    """

    home: str
    manifest: VersionManifest
    body: bytes
    expected_sha256: str | None = None

    @property
    def sha256(self) -> str:
        """The hash of the manifest, by which a result and latest.json name the version."""
        return compute_sha256(self.body)


def decode_manifest(body: bytes) -> VersionManifest | None:
    """Parse a manifest. Anything that is not one, or of a later schema, gives None.

    Fields that a newer trainer added are ignored, so that its models are found after a rollback.
    """
    try:
        return VersionManifest.model_validate_json(body, extra="ignore")
    except ValidationError:
        return None


def drop_removed_file(manifest: VersionManifest) -> VersionManifest:
    """Return the manifest without REMOVED_FILE."""
    files = {path: record for path, record in manifest.files.items() if path != REMOVED_FILE}
    return manifest.model_copy(update={"files": files})


def build_earlier_manifest_name(sha256: str) -> str:
    """Return the name under which a manifest is kept beside the one without REMOVED_FILE that replaced it."""
    return f"MANIFEST-{sha256[:16]}.json"


def read_version(store: ObjectStore, home: str) -> StoredVersion | None:
    """Read the version at an address. None if there is no manifest, or none that can be read."""
    found = store.find(join(home, MANIFEST_FILE))
    manifest = decode_manifest(found.body) if found else None
    return StoredVersion(home, manifest, found.body) if found and manifest else None


def list_versions(store: ObjectStore, folder: str, start: str = "") -> list[StoredVersion]:
    """Return the versions in `models` or `rejected`, the last published first, without those that cannot be read.

    Only those are returned whose names begin with `start`.
    """
    homes = list_version_folders(store, folder, MANIFEST_FILE, start)
    found = [version for home in homes if (version := read_version(store, home))]
    return sorted(found, key=lambda version: (version.manifest.published_at, version.home), reverse=True)


def list_version_folders(store: ObjectStore, folder: str, file: str, start: str = "") -> Iterator[str]:
    """Yield the addresses of versions in `models` or `rejected` that contain this file, named from `start` on."""
    for info in store.list(f"{folder}/{start}"):
        home, _, name = info.uri.rpartition("/")
        if name == file and home.rpartition("/")[0] == folder:
            yield home


def build_result(version: StoredVersion, run: RunDocument) -> TrainSucceeded:
    """Return the result of a training whose model is this version."""
    manifest = version.manifest
    model = PublishedModel(
        name=build_model_name(run, manifest.version),
        uri=join(version.home, MODEL_FOLDER),
        digest=version.sha256,
        size_bytes=manifest.model_bytes,
        published_at=manifest.published_at,
    )
    return TrainSucceeded(
        model=model,
        metrics=manifest.metrics,
        samples=manifest.samples,
        tracking=manifest.tracking,
        gate_advisory=manifest.gate_advisory,
    )


def build_version_uri(run: RunDocument, version: str) -> str:
    """Return the address of a published version."""
    return join(run.prefix, "models", version)


def build_rejected_uri(run: RunDocument, version: str) -> str:
    """Return the address of a version that failed a gate."""
    return join(run.prefix, "rejected", version)


def build_model_uri(run: RunDocument, version: str) -> str:
    """Return the address of a version's model directory."""
    return join(build_version_uri(run, version), MODEL_FOLDER)


def parse_version(model_uri: str) -> str:
    """Return the version from the address of its model directory."""
    return model_uri.removesuffix(f"/{MODEL_FOLDER}").rpartition("/")[2]


def build_model_name(run: RunDocument, version: str) -> str:
    """Return the name under which a server lists a version."""
    return f"{run.namespace}-{run.name}-{version}"
