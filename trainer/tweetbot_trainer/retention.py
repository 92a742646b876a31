"""Which published versions stay: the newest few, the one that is served, and those that another run has adopted.

`spec.history.models` says how many. A version without a manifest is none and is left alone. A version goes file by
file, its manifest last: whoever is killed in between leaves a version that is found damaged, is not adopted, and goes
after the next publication.
"""

from collections.abc import Iterator

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrainSucceeded
from tweetbot_trainer.adoption import manifest_at
from tweetbot_trainer.errors import StageFailed
from tweetbot_trainer.pointer import served_version
from tweetbot_trainer.stage import StageContext
from tweetbot_trainer.store import ObjectStore, join
from tweetbot_trainer.version_manifest import ADOPTED_FILE, MANIFEST_FILE, version_of, version_uri


def mark_adopted(store: ObjectStore, run: RunDocument, result: TrainSucceeded) -> None:
    """Let a version stay for good, unless it is the one that is served already."""
    version = version_of(result.model.uri)
    if served_version(store, run) != version:
        store.put(join(version_uri(run, version), ADOPTED_FILE), f"{run.run_id}\n".encode())


def erase_old_versions(context: StageContext) -> None:
    """Erase what is beyond the spec's history. The model is published by now, so no fault here may end the run."""
    store, run = context.store, context.run
    try:
        for version in tuple(_superfluous(store, run)):
            if context.stop.requested:
                return
            _erase(store, version_uri(run, version))
            context.log.info("models.erased", version=version)
    except StageFailed as fault:
        context.log.warning("models.not_erased", message=fault.message)


def _superfluous(store: ObjectStore, run: RunDocument) -> Iterator[str]:
    """Yield the versions that go, the oldest last. Where nothing is served, nothing goes."""
    served = served_version(store, run)
    if served is None:
        return
    files = [tuple(info.uri.rsplit("/", 3)[1:]) for info in store.list(join(run.prefix, "models") + "/")]
    kept = {served, *(version for folder, version, name in files if (folder, name) == ("models", ADOPTED_FILE))}
    versions = [version for folder, version, name in files if (folder, name) == ("models", MANIFEST_FILE)]
    dated = sorted(((_published_at(store, run, version), version) for version in versions), reverse=True)
    for published_at, version in dated[run.spec.history.models :]:
        if published_at and version not in kept:
            yield version


def _published_at(store: ObjectStore, run: RunDocument, version: str) -> str:
    """Return when a version was published; one whose manifest cannot be read counts as the oldest, and stays."""
    found = manifest_at(store, run, version)
    return found[0].published_at if found else ""


def _erase(store: ObjectStore, home: str) -> None:
    """Remove a version, its manifest last, by which a killed removal is found again.

    Not `ObjectStore.erase`: where the bucket keeps versions, a model can be brought back for as long as it keeps them.
    """
    files = [info.uri for info in store.list(home + "/")]
    for uri in sorted(files, key=lambda uri: uri.endswith(f"/{MANIFEST_FILE}")):
        store.delete(uri)
