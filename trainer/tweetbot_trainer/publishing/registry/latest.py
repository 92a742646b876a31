"""latest.json: the version to serve. It is moved by compare-and-swap, forward only, and only to a published version."""

import json
from typing import Any

from tweetbot_contract.handover import RunDocument
from tweetbot_contract.result import TrainSucceeded
from tweetbot_trainer.publishing.registry.manifest import build_earlier_manifest_name, parse_version
from tweetbot_trainer.publishing.registry.ownership import require_owner
from tweetbot_trainer.store import ObjectStore, StorageUnavailable, join

LATEST_FILE = "latest.json"
#: Attempts to swap. Each lost one means that another writer won.
ROUNDS = 10


def update_latest(store: ObjectStore, run: RunDocument, result: TrainSucceeded) -> bool:
    """Point latest.json to the result's version. False if a newer run of the same TweetBot has moved it already.

    Runs are compared by when they were recorded, where both say so: after a restore of etcd, numbers are used again.
    A recreated TweetBot has another uid and counts its runs from 1 again, so runs are compared within a uid only.
    Raises PrefixOwned if the folder belongs to another TweetBot.
    """
    uri = join(run.prefix, LATEST_FILE)
    wanted = _build_content(run, result)
    for _ in range(ROUNDS):
        found = store.find(uri)
        require_owner(store, run)  # after the read, so that the swap fails if a new owner has moved the pointer
        if found and found.body == wanted:
            return True
        if found and _is_newer(found.body, run):
            return False
        # Either write is checked by reading it back: its answer may have been lost.
        if found:
            store.put_if_match(uri, wanted, found.etag)
        else:
            store.put_if_absent(uri, wanted)
    raise StorageUnavailable(f"{uri} is changed by others as fast as it is written")


def replace_manifest_hash(store: ObjectStore, home: str, sha256: str) -> None:
    """Write the hash of a version's manifest into latest.json, if that has the hash of an earlier one."""
    folder, models, version = home.rsplit("/", 2)
    if models != "models" or folder == "s3:/":
        return  # rejected, or a copy elsewhere, such as s3://models/v1
    uri = join(folder, LATEST_FILE)
    for _ in range(ROUNDS):
        found = store.find(uri)
        content = _parse(found.body) if found else {}
        before = str(content.get("manifestSha256"))
        if found is None or parse_version(str(content.get("uri"))) != version or before == sha256:
            return
        if store.head(join(home, build_earlier_manifest_name(before))) is None:
            return  # somebody else changed it: `verify` reports that
        store.put_if_match(uri, _encode(content | {"manifestSha256": sha256}), found.etag)
    raise StorageUnavailable(f"{uri} is changed by others as fast as it is written")


def read_served_version(store: ObjectStore, run: RunDocument) -> str | None:
    """Return the version that latest.json names, None without a readable latest.json."""
    uri = read_latest(store, join(run.prefix, LATEST_FILE)).get("uri")
    return parse_version(uri) if isinstance(uri, str) else None


def read_latest(store: ObjectStore, uri: str) -> dict[str, Any]:
    """Return the content of a latest.json; an empty one if it is missing, or was not written by us."""
    found = store.find(uri)
    return _parse(found.body) if found else {}


def _build_content(run: RunDocument, result: TrainSucceeded) -> bytes:
    content = {
        "schemaVersion": 1,
        "uri": result.model.uri,
        "name": result.model.name,
        "manifestSha256": result.model.digest,
        "runId": run.run_id,
        "runNumber": run.run_number,
        "runStartedAt": run.run_started_at,
        "uid": run.uid,
    }
    return _encode(content)


def _encode(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def _is_newer(body: bytes, run: RunDocument) -> bool:
    content = _parse(body)
    number, started_at = content.get("runNumber"), str(content.get("runStartedAt") or "")
    if content.get("uid") != run.uid or not isinstance(number, int):
        return False
    if started_at and run.run_started_at:
        return (started_at, number) > (run.run_started_at, run.run_number)
    return number > run.run_number


def _parse(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
