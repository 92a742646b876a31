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
    decoded,
    rejected_uri,
    result_of,
    version_uri,
)
from tweetbot_trainer.publishing.registry.run_record import run_folder
from tweetbot_trainer.store import ObjectStore, join
from tweetbot_trainer.store.file_records import all_intact


def adoptable(store: ObjectStore, run: RunDocument, training_key: str) -> TrainSucceeded | None:
    """Return the result of a version that this run may adopt, every file of it verified, or None."""
    version = version_for(store, run, training_key)
    found = manifest_at(store, run, version)
    if found is None:
        return None
    manifest, body = found
    if manifest.training_key != training_key or not all_intact(store, version_uri(run, version), manifest.files):
        return None
    return result_of(manifest, body, run)


def rejected(store: ObjectStore, run: RunDocument, training_key: str) -> VersionManifest | None:
    """Return the manifest of a version that failed a gate before, every file of it verified, or None."""
    home = rejected_uri(run, version_for(store, run, training_key))
    found = manifest_below(store, home)
    if found is None or found[0].training_key != training_key or not all_intact(store, home, found[0].files):
        return None
    return found[0]


def version_for(store: ObjectStore, run: RunDocument, training_key: str) -> str:
    """Return the name under which this run publishes, or has published.

    A forced run takes `<key>-<n>`, n from its number on: in a rebuilt cluster numbers begin again at 1, so a place
    that another run has taken is passed by.
    """
    key = training_key[:VERSION_DIGITS]
    if not run.forced:
        return key
    claim = store.find(_claim_uri(run))
    if claim and claim.body.startswith(key.encode()):
        return claim.body.decode().strip()
    names = (f"{key}-{number}" for number in count(run.run_number))
    return next(name for name in names if _is_free_or_ours(store, run, name))


def claim(store: ObjectStore, run: RunDocument, version: str) -> None:
    """Write down under which name a forced run publishes, so that it finds it again whatever its number is then."""
    if run.forced:
        store.put(_claim_uri(run), f"{version}\n".encode())


def manifest_at(store: ObjectStore, run: RunDocument, version: str) -> tuple[VersionManifest, bytes] | None:
    """Return a version's manifest and its bytes; None where there is none, or none that can be read."""
    return manifest_below(store, version_uri(run, version))


def manifest_below(store: ObjectStore, home: str) -> tuple[VersionManifest, bytes] | None:
    """Return the manifest of the version that lies at an address, and its bytes; None as `manifest_at`."""
    found = store.find(join(home, MANIFEST_FILE))
    manifest = decoded(found.body) if found else None
    return (manifest, found.body) if found and manifest else None


def _claim_uri(run: RunDocument) -> str:
    return join(run_folder(run), "version")


def _is_free_or_ours(store: ObjectStore, run: RunDocument, version: str) -> bool:
    found = manifest_at(store, run, version)
    return found is None or found[0].run_id == run.run_id
