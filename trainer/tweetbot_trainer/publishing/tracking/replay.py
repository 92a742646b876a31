"""Send the run that trained a published version to a tracker later, from what the version and its dataset tell."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tweetbot_contract import reasons
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.status import Stage
from tweetbot_trainer.data.dataset.dataset import POSTS_FILE, SUMMARY_FILE, read_dataset, read_summary
from tweetbot_trainer.data.dataset.source_records import SourceRecord
from tweetbot_trainer.data.posts import DatasetPost
from tweetbot_trainer.data.sources import get_pages_folder
from tweetbot_trainer.learning.model.identity import BaseIdentity
from tweetbot_trainer.publishing.registry.lineage import find_dataset_folder
from tweetbot_trainer.publishing.registry.manifest import METRICS_FILE, MODEL_FOLDER, REPORT_FOLDER, StoredVersion
from tweetbot_trainer.publishing.tracking.content import (
    build_dataset_config,
    build_training_config,
    track_dataset,
    track_inputs,
    track_model,
)
from tweetbot_trainer.publishing.tracking.interface import Tracker
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store import ObjectStore, compute_sha256, join


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A version's run as it can be told later. `missing` says what is not known any more.

    `header` is the first line of the dataset, `sources` are addresses with data tables, `entries` are those of
    metrics.jsonl. `posts` are None unless they were asked for.
    """

    version: StoredVersion
    namespace: str
    bot: str
    handle: str
    entries: tuple[Mapping[str, Any], ...]
    header: Mapping[str, Any]
    sources: tuple[tuple[str, DataTable], ...]
    base: BaseIdentity | None
    posts: tuple[DatasetPost, ...] | None
    missing: tuple[str, ...]

    @property
    def rejected(self) -> bool:
        """Whether the version missed a gate."""
        return self.version.home.rpartition("/")[0].endswith("/rejected")

    def build_config(self, stage: Stage) -> Mapping[str, Any]:
        """Return the configuration of a stage's run."""
        manifest = self.version.manifest
        if stage == "Prepare":
            return build_dataset_config(self.handle, len(manifest.provenance.sources), self.header)
        origin = manifest.provenance
        return build_training_config(
            origin.training, origin.base, manifest.dataset.digest, manifest.training_key, origin.versions
        )

    def count_entries(self, stage: Stage) -> int:
        """Return how many rows of history a stage's run has, tables included."""
        return len(self.entries) + 1 if stage == "Train" else int(self.posts is not None)

    def replay(self, stage: Stage, tracker: Tracker) -> None:
        """Send what the stage would have sent."""
        manifest = self.version.manifest
        if stage == "Prepare":
            track_dataset(tracker, self.bot, self.sources, manifest.dataset, self.posts)
            return
        track_inputs(tracker, self.bot, manifest.dataset, self.base)
        for entry in self.entries:
            tracker.log(entry)
        uri, sha256 = join(self.version.home, MODEL_FOLDER), self.version.sha256
        metrics, samples = manifest.metrics, manifest.samples
        track_model(tracker, self.bot, uri, manifest.version, sha256, metrics, samples, rejected=self.rejected)


def load_run(store: ObjectStore, version: StoredVersion, *, with_posts: bool) -> StoredRun:
    """Read what there is of a version's run.

    Raises SpecRefused if its metrics are gone or damaged, or the posts, where they are asked for.
    """
    missing: list[str] = []
    manifest = version.manifest
    prefix = manifest.dataset.uri.rpartition("/datasets/")[0]
    namespace, bot = _parse_bot(prefix, version)
    records = manifest.provenance.sources
    if not records:
        missing.append("the sources: the manifest names none, so the dataset has no raw data above it")
    sources = [(_find_source_uri(prefix, record), record.table) for record in records]
    for index, (uri, _) in enumerate(sources):
        if uri is None:
            missing.append(f"the address of sources[{index}], so it has no artifact")
    handles = (manifest.provenance.handle, *(record.handle for record in records), bot)
    return StoredRun(
        version,
        namespace,
        bot,
        handle=next(handle for handle in handles if handle),
        entries=_read_metrics(store, version),
        header=_read_header(store, version, missing.append),
        sources=tuple((uri, table) for uri, table in sources if uri is not None),
        base=_find_base(version, missing.append),
        posts=_read_posts(store, version) if with_posts else None,
        missing=tuple(missing),
    )


def _parse_bot(prefix: str, version: StoredVersion) -> tuple[str, str]:
    """Return the namespace and name of the TweetBot with this folder. Raises SpecRefused if there are none."""
    above, _, bot = prefix.rpartition("/")
    namespace = above.rpartition("/")[2]
    if not namespace or not bot:
        message = f"the manifest of {version.home} does not say of which TweetBot it is: its dataset has no address"
        raise SpecRefused(reasons.SOURCE_UNREADABLE, message)
    return namespace, bot


def _find_base(version: StoredVersion, report: Callable[[str], None]) -> BaseIdentity | None:
    """Return the base model; None, and reported, if the manifest does not describe one."""
    try:
        return version.manifest.provenance.base_identity
    except TypeError:
        report("the base model, so it has no artifact")
        return None


def _find_source_uri(prefix: str, record: SourceRecord) -> str | None:
    """Return where a source was read from. Versions of earlier releases tell it only by what was read."""
    if record.uri:
        return record.uri
    if record.objects:
        return record.objects[0].uri
    if record.kind == "x" and record.handle:
        return get_pages_folder(prefix, record.handle)
    if record.kind == "bluesky" and (actor := record.handle or record.account_id):
        return f"at://{actor}"
    return None


def _read_metrics(store: ObjectStore, version: StoredVersion) -> tuple[Mapping[str, Any], ...]:
    """Read metrics.jsonl and compare it with the manifest. Raises SpecRefused."""
    path = f"{REPORT_FOLDER}/{METRICS_FILE}"
    uri, record = join(version.home, path), version.manifest.files.get(path)
    found = store.find(uri)
    if found is None:
        message = f"{uri} is gone: without it there are no metrics to send. Train again, or sync another version"
        raise SpecRefused(reasons.SOURCE_NOT_FOUND, message)
    if record is None or compute_sha256(found.body) != record.sha256:
        raise SpecRefused(reasons.SOURCE_UNREADABLE, f"{uri} differs from its manifest: `verify` says what else does")
    return tuple(json.loads(line) for line in found.body.splitlines())


def _read_header(store: ObjectStore, version: StoredVersion, report: Callable[[str], None]) -> Mapping[str, Any]:
    """Read how the dataset was cleaned; empty, and reported, if that is gone."""
    folder = find_dataset_folder(version)
    found = store.find(join(folder, SUMMARY_FILE)) if folder else None
    try:
        if found:
            return dict(read_summary(found.body, version.manifest.dataset.digest)["header"])
    except (ValueError, LookupError, TypeError):
        pass  # damaged is as good as gone
    report(f"the dataset's {SUMMARY_FILE}, so the options of cleaning are not in the configuration")
    return {}


def _read_posts(store: ObjectStore, version: StoredVersion) -> tuple[DatasetPost, ...]:
    """Read the dataset's posts. Raises SpecRefused if they are not beside the version."""
    folder, digest = find_dataset_folder(version), version.manifest.dataset.digest
    posts = store.find(join(folder, POSTS_FILE)) if folder else None
    summary = store.find(join(folder, SUMMARY_FILE)) if folder else None
    if posts is None or summary is None:
        message = f"--log-text: the posts of dataset {digest[:16]} are not beside the version"
        raise SpecRefused(reasons.SOURCE_NOT_FOUND, message)
    return read_dataset(posts.body, summary.body, digest=digest).posts
