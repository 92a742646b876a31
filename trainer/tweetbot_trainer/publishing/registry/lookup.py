"""Find the version that a run can take instead of training: complete, and from the same dataset, base and settings.

published by this run                                always
published by another run, with the same training key  unless force-at made this run train
"""

from pathlib import Path

from tweetbot_contract import reasons
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrainSucceeded
from tweetbot_trainer.learning.fingerprint import VERSION_DIGITS
from tweetbot_trainer.publishing.registry.latest import read_newest_version
from tweetbot_trainer.publishing.registry.manifest import (
    StoredVersion,
    build_rejected_uri,
    build_result,
    build_version_uri,
    list_versions,
    read_version,
)
from tweetbot_trainer.publishing.registry.run_record import get_run_folder
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store import ObjectStore, compute_sha256, join
from tweetbot_trainer.store.file_records import has_intact_files


def find_reusable(store: ObjectStore, run: RunDocument, training_key: str) -> TrainSucceeded | None:
    """Return the result of the published version that this run can reuse. Every file of it has been verified."""
    home = build_version_uri(run, choose_version(store, run, training_key))
    version = _find_intact(store, home, training_key)
    return build_result(version, run) if version else None


def find_rejected(store: ObjectStore, run: RunDocument, training_key: str) -> StoredVersion | None:
    """Return the version of this training that failed a gate before. Every file of it has been verified."""
    return _find_intact(store, build_rejected_uri(run, choose_version(store, run, training_key)), training_key)


def download_files(store: ObjectStore, version: StoredVersion, folder: Path, inside: str = "") -> None:
    """Download a version's files, or those inside one of its folders, unless they are there.

    Raises SpecRefused if one is gone or damaged.
    """
    for path, record in version.manifest.files.items():
        there = (folder / path).is_file() and compute_sha256(folder / path) == record.sha256
        if path.startswith(inside) and not there:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            store.download(join(version.home, path), folder / path)
            if compute_sha256(folder / path) != record.sha256:
                message = f"{join(version.home, path)} differs from its manifest"
                raise SpecRefused(reasons.SOURCE_UNREADABLE, message)


def choose_version(store: ObjectStore, run: RunDocument, training_key: str) -> str:
    """Return the name under which this run publishes, or has published.

    A forced run takes `<key>-<n>`, n being its number or higher: run numbers start at 1 again in a rebuilt cluster, so
    names of other runs are skipped. Any other run takes what is published of this training, forced or not.
    """
    key = training_key[:VERSION_DIGITS]
    if not run.forced:
        return _find_equal(store, run, training_key) or key
    reservation = store.find(_build_reservation_uri(run))
    if reservation and reservation.body.startswith(key.encode()):
        return reservation.body.decode().strip()
    number = run.run_number
    while _is_taken(store, run, f"{key}-{number}"):
        number += 1
    return f"{key}-{number}"


def reserve_version(store: ObjectStore, run: RunDocument, version: str) -> None:
    """Record the name under which a forced run publishes, so that it finds it again under another run number."""
    if run.forced:
        store.put(_build_reservation_uri(run), f"{version}\n".encode())


def _find_equal(store: ObjectStore, run: RunDocument, training_key: str) -> str | None:
    """Return the published version of this training: the one that latest.json would name without a pin, else the last.

    There are several where some were forced.
    """
    versions = list_versions(store, join(run.prefix, "models"), training_key[:VERSION_DIGITS])
    equal = [each.manifest.version for each in versions if each.manifest.training_key == training_key]
    newest = read_newest_version(store, run) if len(equal) > 1 else None
    return newest if newest in equal else next(iter(equal), None)


def _find_intact(store: ObjectStore, home: str, training_key: str) -> StoredVersion | None:
    found = read_version(store, home)
    if found is None or found.manifest.training_key != training_key:
        return None
    return found if has_intact_files(store, home, found.manifest.files) else None


def _build_reservation_uri(run: RunDocument) -> str:
    return join(get_run_folder(run), "version")


def _is_taken(store: ObjectStore, run: RunDocument, version: str) -> bool:
    found = read_version(store, build_version_uri(run, version))
    return found is not None and found.manifest.run_id != run.run_id
