"""Remove `training_posts.hashes` from model versions: posts can be read out of that file (decision 42).

MANIFEST-<start of its sha256>.json   the earlier manifest, for readers that kept its hash
MANIFEST.json                         without the file
latest.json                           with the new manifest's hash, if it names the version
the file                              with its older object versions; last, so that no version is ever incomplete

After a kill between any two of these, the next attempt does what is left.
"""

import re
from collections import defaultdict
from dataclasses import dataclass

from tweetbot_contract.handover import RunDocument
from tweetbot_trainer.publishing.registry.latest import replace_manifest_hash
from tweetbot_trainer.publishing.registry.manifest import (
    MANIFEST_FILE,
    MODEL_FOLDER,
    REMOVED_FILE,
    VersionManifest,
    build_earlier_manifest_name,
    decode_manifest,
    drop_removed_file,
)
from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.store import ObjectStore, StorageUnavailable, StoredObject, compute_sha256, join

#: Attempts to swap a manifest. A lost one means that another writer did the same.
ROUNDS = 10
_FILE_NAME = REMOVED_FILE.rpartition("/")[2]
#: Of a version wherever it lies, since people copy them: its manifests, and the file in model/ or in a copy of model/.
_TRACE = re.compile(
    rf"(?P<home>.*?)/(?P<name>MANIFEST(-[0-9a-f]+)?[.]json|(?:{MODEL_FOLDER}/)?{re.escape(_FILE_NAME)})"
)


@dataclass(frozen=True, slots=True)
class RemovalResult:
    """The versions that had the file, those among them without a readable manifest, and how many objects went."""

    versions: tuple[str, ...]
    unreadable: tuple[str, ...]
    erased: int


def remove_hashes(store: ObjectStore, folder: str, *, dry_run: bool = False, thorough: bool = True) -> RemovalResult:
    """Remove the file from all versions below a folder; with `dry_run` only find them.

    Unless `thorough`, older object versions are looked for only where a version has, or had, the file. Raises as the
    store does.
    """
    traces: defaultdict[str, set[str]] = defaultdict(set)
    for info in store.list(f"{folder.rstrip('/')}/"):
        if found := _TRACE.fullmatch(info.uri):
            traces[found["home"]].add(found["name"])
    manifests = {home: _find_manifest(store, home) for home in traces}
    affected = tuple(home for home, names in traces.items() if _has_hashes(names, manifests[home]))
    unreadable = tuple(home for home in affected if MANIFEST_FILE in traces[home] and manifests[home] is None)
    erased = 0
    if not dry_run:
        for home, names in traces.items():
            if manifests[home] and (home in affected or len(names) > 1):
                _drop_from_manifest(store, home)
        if thorough or affected or any(len(names) > 1 for names in traces.values()):
            erased = sum(1 for _ in store.erase_named(f"{folder.rstrip('/')}/", _FILE_NAME))
    return RemovalResult(affected, unreadable, erased)


def remove_hashes_of_bot(store: ObjectStore, run: RunDocument, log: Log) -> None:
    """Remove the file from the versions of the run's TweetBot. A failure is logged; the next run tries again."""
    try:
        for folder in ("models", "rejected"):
            for home in remove_hashes(store, join(run.prefix, folder), thorough=False).versions:
                message = f"removed {REMOVED_FILE} from {home}: posts could be read out of it (docs/security.md)"
                log.warning("models.hashes_removed", uri=home, message=message)
    except StageError as fault:
        message = f"{REMOVED_FILE}, out of which posts can be read, is still in {run.prefix}: {fault.message}"
        log.warning("models.hashes_left", message=message)


def _has_hashes(names: set[str], manifest: VersionManifest | None) -> bool:
    return not names.isdisjoint((REMOVED_FILE, _FILE_NAME)) or (manifest is not None and REMOVED_FILE in manifest.files)


def _find_manifest(store: ObjectStore, home: str) -> VersionManifest | None:
    found = store.find(join(home, MANIFEST_FILE))
    return decode_manifest(found.body) if found else None


def _drop_from_manifest(store: ObjectStore, home: str) -> None:
    uri = join(home, MANIFEST_FILE)
    for _ in range(ROUNDS):
        found = store.find(uri)
        manifest = decode_manifest(found.body) if found else None
        if found is None or manifest is None:
            return
        if REMOVED_FILE not in manifest.files:
            replace_manifest_hash(store, home, compute_sha256(found.body))
            return
        _replace_manifest(store, home, manifest, found)
    raise StorageUnavailable(f"{uri} is changed by others as fast as it is written")


def _replace_manifest(store: ObjectStore, home: str, manifest: VersionManifest, found: StoredObject) -> None:
    """Write the manifest without the file, by compare-and-swap; the caller reads what came of it."""
    store.put(join(home, build_earlier_manifest_name(compute_sha256(found.body))), found.body)
    store.put_if_match(join(home, MANIFEST_FILE), drop_removed_file(manifest).encode(), found.etag)
