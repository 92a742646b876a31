"""Erases old versions, except the newest few, the served and pinned ones, and what other runs or clusters adopted.

`spec.history.models` says how many stay, of the published and of the rejected ones. Folders without a manifest are left
alone. The manifest is erased last: a version that is half erased counts as damaged, is never reused, and is erased
after the next publication.
"""

from collections.abc import Iterator

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrainSucceeded
from tweetbot_trainer.publishing.registry.latest import read_named_versions, read_served_version
from tweetbot_trainer.publishing.registry.manifest import (
    ADOPTED_FILE,
    MANIFEST_FILE,
    build_version_uri,
    list_version_folders,
    list_versions,
    parse_version,
)
from tweetbot_trainer.publishing.registry.ownership import announce_erasure
from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.runtime.log import Log
from tweetbot_trainer.runtime.signals import StopRequest
from tweetbot_trainer.store import ObjectStore, join


def mark_adopted(store: ObjectStore, run: RunDocument, result: TrainSucceeded) -> None:
    """Exempt a version from retention, unless it is the served one, which stays anyway."""
    version = parse_version(result.model.uri)
    if read_served_version(store, run) != version:
        store.put(join(build_version_uri(run, version), ADOPTED_FILE), f"{run.run_id}\n".encode())


def erase_old_versions(store: ObjectStore, run: RunDocument, log: Log, stop: StopRequest) -> str | None:
    """Erase versions beyond the spec's history. Return why it could not: the run has its result by now.

    Nothing is erased in another TweetBot's folder.
    """
    try:
        obsolete = (*_list_obsolete(store, run), *_list_beyond_history(store, run, "rejected"))
        homes = announce_erasure(store, run, obsolete)
        named = _list_named(store, run)  # once more: a version may have been pinned before the announcement was read
        for home in homes:
            if stop.requested:
                return None
            if home in named:
                continue
            _erase(store, home)
            log.info("models.erased", uri=home)
        if homes:
            announce_erasure(store, run, ())
    except StageError as fault:
        log.warning("models.not_erased", message=fault.message)
        return f"Versions beyond spec.history.models were not erased, and take up room: {fault.message}"
    return None


def _list_obsolete(store: ObjectStore, run: RunDocument) -> Iterator[str]:
    """Yield the addresses of published versions to erase, the oldest last; none if no version is served."""
    if read_served_version(store, run) is None:
        return
    kept = {*_list_named(store, run), *list_version_folders(store, join(run.prefix, "models"), ADOPTED_FILE)}
    yield from (home for home in _list_beyond_history(store, run, "models") if home not in kept)


def _list_named(store: ObjectStore, run: RunDocument) -> frozenset[str]:
    """Return the addresses of the versions that are served, pinned, or served once the pin is removed."""
    return frozenset(build_version_uri(run, version) for version in read_named_versions(store, run))


def _list_beyond_history(store: ObjectStore, run: RunDocument, folder: str) -> Iterator[str]:
    """Yield the addresses of a folder's versions beyond the spec's history, the oldest last.

    A version whose manifest cannot be read stays.
    """
    versions = list_versions(store, join(run.prefix, folder))
    return (version.home for version in versions[run.spec.history.models :])


def _erase(store: ObjectStore, home: str) -> None:
    """Erase a version, its manifest last, so that an interrupted erasure is found again.

    Not by `ObjectStore.erase`: in a bucket that keeps object versions, an erased model can still be restored.
    """
    files = [info.uri for info in store.list(home + "/")]
    for uri in sorted(files, key=lambda uri: uri.endswith(f"/{MANIFEST_FILE}")):
        store.delete(uri)
