"""Publish a model version: its files, then its manifest, which commits it, then latest.json.

If the trainer is killed before the manifest, nothing is published, and the next attempt overwrites the files. After the
manifest, the next attempt finds the version and updates latest.json.
"""

from collections.abc import Callable
from pathlib import Path

from tweetbot_contract import reasons
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrainSucceeded
from tweetbot_trainer.publishing.registry.latest import serve
from tweetbot_trainer.publishing.registry.lookup import download_files, find_reusable, reserve_version
from tweetbot_trainer.publishing.registry.manifest import (
    MANIFEST_FILE,
    StoredVersion,
    VersionManifest,
    build_rejected_uri,
    build_result,
    build_version_uri,
    decode_manifest,
    read_version,
)
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store import ObjectStore, StorageUnavailable, StoredObject, join
from tweetbot_trainer.store.file_records import has_intact_files, is_intact

#: Raises if the stage is to stop.
Check = Callable[[], None]


def publish(
    store: ObjectStore, run: RunDocument, folder: Path, manifest: VersionManifest, *, check: Check = lambda: None
) -> TrainSucceeded:
    """Publish a folder's files (`model/`, `report/`) with their manifest, and point latest.json to them unless pinned.

    If the same training was published meanwhile, that version is the result. `check` is called before each write up to
    the manifest's, and not after it. Raises as the store does.
    """
    result = find_reusable(store, run, manifest.training_key)  # files of a published version are never overwritten
    if result is None:
        reserve_version(store, run, manifest.version)
        result = _write_version(store, run, folder, manifest, check)
    return serve(store, run, result)


def store_rejected(
    store: ObjectStore, run: RunDocument, folder: Path, manifest: VersionManifest, *, check: Check
) -> str:
    """Store a version that failed a gate, outside the published ones, and return its address."""
    home = build_rejected_uri(run, manifest.version)
    reserve_version(store, run, manifest.version)
    _upload(store, home, folder, manifest, check)
    store.put(join(home, MANIFEST_FILE), manifest.encode())
    return home


def publish_rejected(
    store: ObjectStore, run: RunDocument, rejected: StoredVersion, folder: Path, *, check: Check
) -> TrainSucceeded:
    """Publish a version that failed a gate before. Its files are downloaded into the folder first."""
    download_files(store, rejected, folder)
    return publish(store, run, folder, rejected.manifest, check=check)


class _ConcurrentPublish(StorageUnavailable):
    """Another Pod writes this version, or has published it since this one began to write."""

    def __init__(self, home: str) -> None:
        super().__init__(f"{home} is being written by another trainer")


def _upload(store: ObjectStore, home: str, folder: Path, manifest: VersionManifest, check: Check) -> None:
    """Write every file, then verify them all. Raises StorageUnavailable if one did not arrive.

    Only what lay there at the start is replaced, as by a killed attempt: a late write would spoil what another Pod has
    published since. Raises _ConcurrentPublish if another Pod wrote a file meanwhile.
    """
    earlier = {info.uri: info.etag for info in store.list(f"{home}/")}
    for path, record in manifest.files.items():
        check()
        uri = join(home, path)
        etag = earlier.get(uri)
        written = store.put_if_match(uri, folder / path, etag) if etag else store.put_if_absent(uri, folder / path)
        if not written and not is_intact(store, uri, record):
            raise _ConcurrentPublish(home)
    for path, record in manifest.files.items():
        if not is_intact(store, join(home, path), record):
            raise StorageUnavailable(f"{join(home, path)} is not what was written to it")


def _write_version(
    store: ObjectStore, run: RunDocument, folder: Path, manifest: VersionManifest, check: Check
) -> TrainSucceeded:
    """Write files and manifest. If another Pod publishes the same training meanwhile, its version is the result."""
    home = build_version_uri(run, manifest.version)
    before = _get_manifest_etag(store, home)
    if before and (theirs := find_reusable(store, run, manifest.training_key)):
        return theirs  # published since it was last looked for; else it is damaged, and replaced

    def check_alone() -> None:
        if _get_manifest_etag(store, home) != before:
            raise _ConcurrentPublish(home)
        check()

    try:
        _upload(store, home, folder, manifest, check_alone)
        check_alone()
    except StorageUnavailable:
        if _get_manifest_etag(store, home) == before or not (
            theirs := find_reusable(store, run, manifest.training_key)
        ):
            raise
        return theirs
    return build_result(_commit(store, StoredVersion(home, manifest, manifest.encode())), run)


def _get_manifest_etag(store: ObjectStore, home: str) -> str | None:
    found = store.head(join(home, MANIFEST_FILE))
    return found.etag if found else None


def _commit(store: ObjectStore, ours: StoredVersion) -> StoredVersion:
    """Write the manifest if there is none, and return the version that is published now."""
    uri = join(ours.home, MANIFEST_FILE)
    if store.put_if_absent(uri, ours.body):
        return ours
    existing = store.find(uri)
    if existing is None:
        raise StorageUnavailable(f"{uri} exists and cannot be read")
    return ours if existing.body == ours.body else _resolve_conflict(store, ours, existing)


def _resolve_conflict(store: ObjectStore, ours: StoredVersion, existing: StoredObject) -> StoredVersion:
    """Keep the existing manifest if it is of the same training and its files are complete, else replace it."""
    home, other = ours.home, decode_manifest(existing.body)
    if other and other.training_key != ours.manifest.training_key:
        message = f"{home} holds a model of another training: remove it, or choose another output"
        raise SpecRefused(reasons.SPEC_REFUSED, message)
    if other and has_intact_files(store, home, other.files):
        return StoredVersion(home, other, existing.body)
    if not store.put_if_match(join(home, MANIFEST_FILE), ours.body, existing.etag):
        found = read_version(store, home)
        if found is None or found.manifest != ours.manifest:
            raise _ConcurrentPublish(home)
    return ours
