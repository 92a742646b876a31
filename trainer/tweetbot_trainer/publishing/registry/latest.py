"""latest.json: the version to serve. It is moved by compare-and-swap, and only to a published version.

Runs move it forward only. While a version is pinned, they leave it and move `unpinned` instead, which is what is served
once the pin is removed. `pin` is the last request that was acted on; a run may know of a later one.
"""

import json
from collections.abc import Callable
from typing import Any

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrainSucceeded
from tweetbot_trainer.publishing.registry.manifest import build_earlier_manifest_name, parse_version
from tweetbot_trainer.publishing.registry.ownership import require_owner
from tweetbot_trainer.store import ObjectStore, StorageUnavailable, join

LATEST_FILE = "latest.json"
#: Attempts to swap. Each lost one means that another writer won.
ROUNDS = 10
#: The content of latest.json, or of its `unpinned`: a version, and the run that published or adopted it.
Content = dict[str, Any]
Change = Callable[[Content], Content]
_PIN, _UNPINNED = "pin", "unpinned"


def update_latest(store: ObjectStore, run: RunDocument, result: TrainSucceeded) -> bool:
    """Point latest.json to the result's version. False if a newer run of the same TweetBot has moved it, or a pin has.

    Runs are compared by when they were recorded, where both say so: after a restore of etcd, numbers are used again.
    A recreated TweetBot has another uid and counts its runs from 1 again, so runs are compared within a uid only.
    Raises PrefixOwned if the folder belongs to another TweetBot.
    """
    entry = build_entry(result, run.run_id, run.run_number, run.uid, started_at=run.run_started_at)
    content = change_latest(store, run, lambda content: _advance(content, run, entry))
    return get_served(content) == entry


def serve(store: ObjectStore, run: RunDocument, result: TrainSucceeded) -> TrainSucceeded:
    """Point latest.json to the result's version, unless one is pinned; the result then says which. As update_latest."""
    update_latest(store, run, result)
    pinned = read_pinned_version(store, run)
    return result.model_copy(update={"pinned": pinned}) if pinned else result


def change_latest(store: ObjectStore, run: RunDocument, change: Change) -> Content:
    """Change latest.json by compare-and-swap, and return it as it is then. Raises PrefixOwned, and as the store does.

    A content without a version is not written: nothing is served then.
    """
    uri = join(run.prefix, LATEST_FILE)
    for _ in range(ROUNDS):
        found = store.find(uri)
        require_owner(store, run)  # after the read, so that the swap fails if a new owner has moved the pointer
        before = _parse(found.body) if found else {}
        after = change(before)
        if after == before or "uri" not in after:
            return before
        # Either write is checked by reading it back: its answer may have been lost.
        if found:
            store.put_if_match(uri, _encode(after), found.etag)
        else:
            store.put_if_absent(uri, _encode(after))
    raise StorageUnavailable(f"{uri} is changed by others as fast as it is written")


def replace_manifest_hash(store: ObjectStore, home: str, sha256: str) -> None:
    """Write the hash of a version's manifest into latest.json, if that has the hash of an earlier one."""
    folder, models, _ = home.rsplit("/", 2)
    if models != "models" or folder == "s3:/":
        return  # rejected, or a copy elsewhere, such as s3://models/v1
    uri = join(folder, LATEST_FILE)
    for _ in range(ROUNDS):
        found = store.find(uri)
        before = _parse(found.body) if found else {}
        after = _replace_hash(store, home, before, sha256)
        if isinstance(beside := before.get(_UNPINNED), dict):
            after[_UNPINNED] = _replace_hash(store, home, beside, sha256)
        if found is None or after == before:
            return
        store.put_if_match(uri, _encode(after), found.etag)
    raise StorageUnavailable(f"{uri} is changed by others as fast as it is written")


def _replace_hash(store: ObjectStore, home: str, entry: Content, sha256: str) -> Content:
    before = str(entry.get("manifestSha256"))
    if parse_version(str(entry.get("uri"))) != home.rpartition("/")[2] or before == sha256:
        return dict(entry)
    if store.head(join(home, build_earlier_manifest_name(before))) is None:
        return dict(entry)  # somebody else changed it: `verify` reports that
    return entry | {"manifestSha256": sha256}


def read_served_version(store: ObjectStore, run: RunDocument) -> str | None:
    """Return the version that latest.json names, None without a readable latest.json."""
    return get_version(read_latest(store, join(run.prefix, LATEST_FILE)))


def read_newest_version(store: ObjectStore, run: RunDocument) -> str | None:
    """Return the version that is served, or would be without a pin."""
    content = read_latest(store, join(run.prefix, LATEST_FILE))
    return get_version(get_newest(content, run))


def read_pinned_version(store: ObjectStore, run: RunDocument) -> str | None:
    """Return the version that latest.json stays at, as far as it or the run says."""
    return get_pin(read_latest(store, join(run.prefix, LATEST_FILE)), run).get("version") or None


def read_named_versions(store: ObjectStore, run: RunDocument) -> frozenset[str]:
    """Return every version that latest.json or the run names: served, pinned, or served once the pin is removed."""
    content = read_latest(store, join(run.prefix, LATEST_FILE))
    pins = (get_pin(content, run).get("version"), run.spec.pin)
    return frozenset(filter(None, (get_version(content), get_version(get_newest(content, run)), *pins)))


def read_latest(store: ObjectStore, uri: str) -> Content:
    """Return the content of a latest.json; an empty one if it is missing, or was not written by us."""
    found = store.find(uri)
    return _parse(found.body) if found else {}


def get_version(entry: Content) -> str | None:
    """Return the version that an entry names."""
    uri = entry.get("uri")
    return parse_version(uri) if isinstance(uri, str) else None


def get_served(content: Content) -> Content:
    """Return the entry that is served."""
    return {name: value for name, value in content.items() if name not in (_PIN, _UNPINNED)}


def get_newest(content: Content, run: RunDocument) -> Content:
    """Return the entry that is served, or would be without a pin; empty if nothing was published since the pin."""
    if beside := get_unpinned(content):
        return beside
    return {} if get_recorded_pin(content, run.uid).get("version") else get_served(content)


def get_unpinned(content: Content) -> Content:
    """Return the entry that is served once the pin is removed; empty if there is none beside the served one."""
    beside = content.get(_UNPINNED)
    return beside if isinstance(beside, dict) else {}


def get_pin(content: Content, run: RunDocument) -> Content:
    """Return the later request of latest.json's and the run's own."""
    own = {**run.pin.model_dump(by_alias=True), "uid": run.uid} if run.pin else {}
    return max(get_recorded_pin(content, run.uid), own, key=_get_order)


def get_recorded_pin(content: Content, uid: str | None = None) -> Content:
    """Return latest.json's request, if it is that of the TweetBot with this uid, or of any."""
    recorded = content.get(_PIN)
    return recorded if isinstance(recorded, dict) and uid in (None, recorded.get("uid")) else {}


def build_content(served: Content, newest: Content, pin: Content) -> Content:
    """Return the content that serves one entry and keeps another for when the pin is removed."""
    beside = {_UNPINNED: newest} if pin.get("version") and newest else {}
    return {**served, **beside, **({_PIN: pin} if pin else {})}


def _advance(content: Content, run: RunDocument, entry: Content) -> Content:
    """Return the content after a publication: as it was if a newer run has published, beside a pin if there is one."""
    pin, newest = get_pin(content, run), get_newest(content, run)
    if _is_newer(newest, run):
        return content
    return build_content(get_served(content) if pin.get("version") else entry, entry, pin)


def build_entry(result: TrainSucceeded, run_id: str, number: int, uid: str, *, started_at: str = "") -> Content:
    """Return the entry of a version, and of the run by which it is ordered."""
    return {
        "schemaVersion": 1,
        "uri": result.model.uri,
        "name": result.model.name,
        "manifestSha256": result.model.digest,
        "runId": run_id,
        "runNumber": number,
        "runStartedAt": started_at,
        "uid": uid,
    }


def _encode(content: Content) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def _is_newer(entry: Content, run: RunDocument) -> bool:
    number, started_at = entry.get("runNumber"), str(entry.get("runStartedAt") or "")
    if entry.get("uid") != run.uid or not isinstance(number, int):
        return False
    if started_at and run.run_started_at:
        return (started_at, number) > (run.run_started_at, run.run_number)
    return number > run.run_number


def _get_order(pin: Content) -> tuple[str, int]:
    generation = pin.get("generation")
    return str(pin.get("requestedAt") or ""), generation if isinstance(generation, int) else -1


def _parse(body: bytes) -> Content:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
