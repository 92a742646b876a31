"""Move latest.json to the version that spec.pin names, or back to the newest one.

The request is written before the version is looked at, so that from then on no run moves latest.json and no retention
erases the version. A kill at any point leaves one of these states, and the next attempt goes on from it.
"""

from collections.abc import Iterator

from tweetbot_contract import reasons
from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import PinSucceeded
from tweetbot_trainer.publishing.registry.latest import (
    Content,
    build_content,
    build_entry,
    change_latest,
    get_newest,
    get_pin,
    get_served,
    get_version,
)
from tweetbot_trainer.publishing.registry.manifest import (
    StoredVersion,
    build_rejected_uri,
    build_result,
    build_version_uri,
    list_versions,
    read_version,
)
from tweetbot_trainer.publishing.registry.ownership import require_owner
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store import ObjectStore, join
from tweetbot_trainer.store.file_records import has_intact_files


def serve_pinned(store: ObjectStore, run: RunDocument) -> PinSucceeded:
    """Do what the run's request says, and return what is served then.

    Raises SpecRefused for a version that cannot be served, or if a later request was acted on; PrefixOwned if the
    folder belongs to another TweetBot; and as the store does.
    """
    wanted = run.pin.version if run.pin else ""
    content = change_latest(store, run, lambda content: _record_request(content, run, wanted))
    newest = get_newest(content, run)
    target = _find_pinned(store, run, wanted) if wanted else _find_newest(store, run, newest)
    if target is None:
        return PinSucceeded()
    content = change_latest(store, run, lambda content: _move(content, run, target, looked_at=newest))
    served = read_version(store, build_version_uri(run, get_version(content) or ""))
    return PinSucceeded(
        served=build_result(served, run) if served else None,
        run_id=served.manifest.run_id if served else "",
        newest=get_version(get_newest(content, run)),
    )


def _record_request(content: Content, run: RunDocument, wanted: str) -> Content:
    """Return the content with the request. The end of a pin is written with the version that follows it."""
    _require_latest_request(content, run)
    return build_content(get_served(content), get_newest(content, run), _get_own(run)) if wanted else content


def _move(content: Content, run: RunDocument, target: StoredVersion, *, looked_at: Content) -> Content:
    """Return the content that serves the target; without a pin, what a run has published since it was looked for."""
    _require_latest_request(content, run)
    pin, newest = _get_own(run), get_newest(content, run)
    if not pin.get("version") and newest != looked_at:
        return build_content(newest, {}, pin)
    known = (entry for entry in (newest, get_served(content)) if get_version(entry) == target.manifest.version)
    entry = next(known, None) or _build_entry(target, run)
    return build_content({**entry, "manifestSha256": target.sha256}, newest, pin)


def _build_entry(version: StoredVersion, run: RunDocument) -> Content:
    manifest = version.manifest
    return build_entry(build_result(version, run), manifest.run_id, manifest.run_number, manifest.bot_uid)


def _get_own(run: RunDocument) -> Content:
    """Return the run's own request, as latest.json records it."""
    return get_pin({}, run)


def _require_latest_request(content: Content, run: RunDocument) -> None:
    if get_pin(content, run) != _get_own(run):
        message = "spec.pin has changed since: latest.json records a later request than this one"
        raise SpecRefused(reasons.SPEC_REFUSED, message)


def _find_pinned(store: ObjectStore, run: RunDocument, version: str) -> StoredVersion:
    """Return the version, whole. Raises SpecRefused, which names spec.pin."""
    home = build_version_uri(run, version)
    if f"models/{version}" in require_owner(store, run).erasing:
        raise _refuse_missing(
            f"spec.pin: {version} is being erased, as spec.history.models is {run.spec.history.models}"
        )
    found = read_version(store, home)
    if found is None and read_version(store, build_rejected_uri(run, version)):
        message = f"spec.pin: {version} failed a gate, so it is in {join(run.prefix, 'rejected')} and was not published"
        raise _refuse_unusable(message)
    if found is None:
        raise _refuse_missing(f"spec.pin: there is no version {version} in {join(run.prefix, 'models')}")
    if not has_intact_files(store, home, found.manifest.files):
        raise _refuse_unusable(f"spec.pin: files of {home} are missing, or differ from its manifest")
    return found


def _find_newest(store: ObjectStore, run: RunDocument, newest: Content) -> StoredVersion | None:
    """Return the version that the last run published or adopted, else the last published one that is whole."""
    for version in _list_candidates(store, run, newest):
        if has_intact_files(store, version.home, version.manifest.files):
            return version
    return None


def _list_candidates(store: ObjectStore, run: RunDocument, newest: Content) -> Iterator[StoredVersion]:
    last = get_version(newest)
    if found := read_version(store, build_version_uri(run, last)) if last else None:
        yield found
    yield from list_versions(store, join(run.prefix, "models"))


def _refuse_missing(message: str) -> SpecRefused:
    return SpecRefused(reasons.PINNED_VERSION_NOT_FOUND, f"{message}. {reasons.PINNED_VERSION_NOT_FOUND.advice}")


def _refuse_unusable(message: str) -> SpecRefused:
    return SpecRefused(reasons.PINNED_VERSION_UNUSABLE, f"{message}. {reasons.PINNED_VERSION_UNUSABLE.advice}")
