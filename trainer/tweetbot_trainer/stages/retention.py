"""Which versions stay: the newest few, the one that is served, and those that another run has adopted.

`spec.history.models` says how many, of those that were published and of those that failed a gate. A version without a
manifest is none and is left alone. A version goes file by file, its manifest last: whoever is killed in between leaves
a version that is found damaged, is not adopted, and goes after the next publication.
"""

from collections.abc import Iterator

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrainSucceeded
from tweetbot_trainer.publishing.registry.latest import read_served_version
from tweetbot_trainer.publishing.registry.manifest import (
    ADOPTED_FILE,
    MANIFEST_FILE,
    build_version_uri,
    parse_version,
    read_version,
)
from tweetbot_trainer.runtime.errors import StageError
from tweetbot_trainer.stages.context import StageContext
from tweetbot_trainer.store import ObjectStore, join


def mark_adopted(store: ObjectStore, run: RunDocument, result: TrainSucceeded) -> None:
    """Let a version stay for good, unless it is the one that is served already."""
    version = parse_version(result.model.uri)
    if read_served_version(store, run) != version:
        store.put(join(build_version_uri(run, version), ADOPTED_FILE), f"{run.run_id}\n".encode())


def erase_old_versions(context: StageContext) -> None:
    """Erase what is beyond the spec's history. The run has its result by now, so no fault here may change that."""
    store, run = context.store, context.run
    try:
        for home in (*_list_superfluous(store, run), *_list_beyond_history(store, run, "rejected")):
            if context.stop.requested:
                return
            _erase(store, home)
            context.log.info("models.erased", uri=home)
    except StageError as fault:
        context.log.warning("models.not_erased", message=fault.message)


def _list_superfluous(store: ObjectStore, run: RunDocument) -> Iterator[str]:
    """Yield where the versions lie that go, the oldest last. Where nothing is served, nothing goes."""
    served = read_served_version(store, run)
    if served is None:
        return
    kept = {build_version_uri(run, served), *_list_version_folders(store, run, "models", ADOPTED_FILE)}
    yield from (home for home in _list_beyond_history(store, run, "models") if home not in kept)


def _list_beyond_history(store: ObjectStore, run: RunDocument, folder: str) -> Iterator[str]:
    """Yield where those of a folder's versions lie that are more than the spec's history, the oldest last."""
    homes = _list_version_folders(store, run, folder, MANIFEST_FILE)
    dated = sorted(((_read_published_at(store, home), home) for home in homes), reverse=True)
    return (home for finished_at, home in dated[run.spec.history.models :] if finished_at)


def _list_version_folders(store: ObjectStore, run: RunDocument, folder: str, file: str) -> Iterator[str]:
    """Yield where the versions lie that have this file at their top."""
    above = join(run.prefix, folder)
    for info in store.list(f"{above}/"):
        home, _, name = info.uri.rpartition("/")
        if name == file and home.rpartition("/")[0] == above:
            yield home


def _read_published_at(store: ObjectStore, home: str) -> str:
    """Return when a version was made; one whose manifest cannot be read counts as the oldest, and stays."""
    found = read_version(store, home)
    return found.manifest.published_at if found else ""


def _erase(store: ObjectStore, home: str) -> None:
    """Remove a version, its manifest last, by which a killed removal is found again.

    Not `ObjectStore.erase`: where the bucket keeps versions, a model can be brought back for as long as it keeps them.
    """
    files = [info.uri for info in store.list(home + "/")]
    for uri in sorted(files, key=lambda uri: uri.endswith(f"/{MANIFEST_FILE}")):
        store.delete(uri)
