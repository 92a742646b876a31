"""Find a model version that a run may take as its own: published, whole, and trained from exactly the same.

this run published it                        always
another run did, with the same training key  unless retrain-at forced this run
"""

from itertools import count

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrainSucceeded
from tweetbot_trainer.learning.fingerprint import VERSION_DIGITS
from tweetbot_trainer.publishing.registry.manifest import (
    MANIFEST_FILE,
    VersionManifest,
    build_rejected_uri,
    build_result,
    build_version_uri,
    decode_manifest,
)
from tweetbot_trainer.publishing.registry.run_record import get_run_folder
from tweetbot_trainer.store import ObjectStore, join
from tweetbot_trainer.store.file_records import has_intact_files


def find_reusable(store: ObjectStore, run: RunDocument, training_key: str) -> TrainSucceeded | None:
    """Return the result of a version that this run may adopt, every file of it verified, or None."""
    version = choose_version(store, run, training_key)
    found = read_manifest(store, run, version)
    if found is None:
        return None
    manifest, body = found
    if manifest.training_key != training_key or not has_intact_files(
        store, build_version_uri(run, version), manifest.files
    ):
        return None
    return build_result(manifest, body, run)


def find_rejected(store: ObjectStore, run: RunDocument, training_key: str) -> VersionManifest | None:
    """Return the manifest of a version that failed a gate before, every file of it verified, or None."""
    home = build_rejected_uri(run, choose_version(store, run, training_key))
    found = read_manifest_below(store, home)
    if found is None or found[0].training_key != training_key or not has_intact_files(store, home, found[0].files):
        return None
    return found[0]


def choose_version(store: ObjectStore, run: RunDocument, training_key: str) -> str:
    """Return the name under which this run publishes, or has published.

    A forced run takes `<key>-<n>`, n from its number on: in a rebuilt cluster numbers begin again at 1, so a place
    that another run has taken is passed by.
    """
    key = training_key[:VERSION_DIGITS]
    if not run.forced:
        return key
    reservation = store.find(_build_reservation_uri(run))
    if reservation and reservation.body.startswith(key.encode()):
        return reservation.body.decode().strip()
    names = (f"{key}-{number}" for number in count(run.run_number))
    return next(name for name in names if _is_free_or_ours(store, run, name))


def reserve_version(store: ObjectStore, run: RunDocument, version: str) -> None:
    """Write down under which name a forced run publishes, so that it finds it again whatever its number is then."""
    if run.forced:
        store.put(_build_reservation_uri(run), f"{version}\n".encode())


def read_manifest(store: ObjectStore, run: RunDocument, version: str) -> tuple[VersionManifest, bytes] | None:
    """Return a version's manifest and its bytes; None where there is none, or none that can be read."""
    return read_manifest_below(store, build_version_uri(run, version))


def read_manifest_below(store: ObjectStore, home: str) -> tuple[VersionManifest, bytes] | None:
    """Return the manifest of the version that lies at an address, and its bytes; None as `read_manifest`."""
    found = store.find(join(home, MANIFEST_FILE))
    manifest = decode_manifest(found.body) if found else None
    return (manifest, found.body) if found and manifest else None


def _build_reservation_uri(run: RunDocument) -> str:
    return join(get_run_folder(run), "version")


def _is_free_or_ours(store: ObjectStore, run: RunDocument, version: str) -> bool:
    found = read_manifest(store, run, version)
    return found is None or found[0].run_id == run.run_id
