"""Publish a model version: its files, then its manifest, which is the commit point, then the pointer.

Killed before the manifest, nothing is published and the next attempt writes over what lies there. Killed after it,
the next attempt finds the version and moves the pointer.
"""

from collections.abc import Callable
from pathlib import Path

from tweetbot_contract import reasons
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrainSucceeded
from tweetbot_trainer.publishing.registry.latest import update_latest
from tweetbot_trainer.publishing.registry.lookup import find_reusable, read_manifest, reserve_version
from tweetbot_trainer.publishing.registry.manifest import (
    MANIFEST_FILE,
    VersionManifest,
    build_rejected_uri,
    build_result,
    build_version_uri,
    decode_manifest,
)
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store import ObjectStore, StorageUnavailable, StoredObject, join
from tweetbot_trainer.store.file_records import has_intact_files, is_intact


def publish(
    store: ObjectStore,
    run: RunDocument,
    folder: Path,
    manifest: VersionManifest,
    *,
    check: Callable[[], None] = lambda: None,
) -> TrainSucceeded:
    """Publish the files of a folder (`model/`, `report/`) under their manifest and point to them.

    Where the same training was published meanwhile, that version is the result. `check` may raise before each write up
    to the manifest's, and is not asked again after it. Raises as the store does.
    """
    result = find_reusable(store, run, manifest.training_key)  # files of a published version are never written over
    if result is None:
        reserve_version(store, run, manifest.version)
        result = _write_version(store, run, folder, manifest, check)
    update_latest(store, run, result)
    return result


def store_rejected(
    store: ObjectStore, run: RunDocument, folder: Path, manifest: VersionManifest, *, check: Callable[[], None]
) -> str:
    """Write a version that failed a gate where nothing points to it, manifest last, and return its address."""
    home = build_rejected_uri(run, manifest.version)
    reserve_version(store, run, manifest.version)
    upload(store, home, folder, manifest, check)
    store.put(join(home, MANIFEST_FILE), manifest.encode())
    return home


def fetch_rejected(store: ObjectStore, run: RunDocument, manifest: VersionManifest, folder: Path) -> None:
    """Write the files of such a version into a folder."""
    for path in manifest.files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        store.download(join(build_rejected_uri(run, manifest.version), path), folder / path)


def upload(store: ObjectStore, home: str, folder: Path, manifest: VersionManifest, check: Callable[[], None]) -> None:
    """Write every file and verify that it arrived. Raises StorageUnavailable when one did not."""
    for path in manifest.files:
        check()
        store.put(join(home, path), folder / path)
    for path, record in manifest.files.items():
        if not is_intact(store, join(home, path), record):
            raise StorageUnavailable(f"{join(home, path)} is not what was written to it")


class _ConcurrentPublish(Exception):
    """Another Pod has published the same training since this one began to write."""


def _write_version(
    store: ObjectStore, run: RunDocument, folder: Path, manifest: VersionManifest, check: Callable[[], None]
) -> TrainSucceeded:
    """Write files and manifest, unless another Pod publishes the same training meanwhile: its version is the result.

    A file that was on its way by then lies under the other's manifest, and only all of ours with our own manifest puts
    that right: `check` is asked no more.
    """
    home = build_version_uri(run, manifest.version)
    before = _get_manifest_etag(store, home)

    def alone() -> None:
        if _get_manifest_etag(store, home) != before:
            raise _ConcurrentPublish
        check()

    try:
        upload(store, home, folder, manifest, alone)
        alone()
    except (_ConcurrentPublish, StorageUnavailable):
        if _get_manifest_etag(store, home) == before:
            raise
        if theirs := find_reusable(store, run, manifest.training_key):
            return theirs
        upload(store, home, folder, manifest, lambda: None)
    return _commit_manifest(store, run, manifest)


def _get_manifest_etag(store: ObjectStore, home: str) -> str | None:
    found = store.head(join(home, MANIFEST_FILE))
    return found.etag if found else None


def _commit_manifest(store: ObjectStore, run: RunDocument, manifest: VersionManifest) -> TrainSucceeded:
    """Write the manifest unless one stands. A standing one wins if it is for this training and its files are whole."""
    uri = join(build_version_uri(run, manifest.version), MANIFEST_FILE)
    body = manifest.encode()
    if store.put_if_absent(uri, body):
        return build_result(manifest, body, run)
    existing = store.find(uri)
    if existing is None:
        raise StorageUnavailable(f"{uri} exists and cannot be read")
    if existing.body == body:
        return build_result(manifest, body, run)
    return _resolve_conflict(store, run, manifest, existing)


def _resolve_conflict(
    store: ObjectStore, run: RunDocument, manifest: VersionManifest, existing: StoredObject
) -> TrainSucceeded:
    home = build_version_uri(run, manifest.version)
    other = decode_manifest(existing.body)
    if other and other.training_key != manifest.training_key:
        message = f"{home} holds a model of another training: remove it, or choose another output"
        raise SpecRefused(reasons.SPEC_REFUSED, message)
    if other and has_intact_files(store, home, other.files):
        return build_result(other, existing.body, run)
    if not store.put_if_match(join(home, MANIFEST_FILE), manifest.encode(), existing.etag):
        found = read_manifest(store, run, manifest.version)
        if found is None or found[0] != manifest:
            raise StorageUnavailable(f"{home} is written by others at the same time")
    return build_result(manifest, manifest.encode(), run)
