"""List the versions of a TweetBot, and why each is served, kept or was rejected; find one by its name."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tweetbot_contract import reasons
from tweetbot_trainer.publishing.registry.latest import LATEST_FILE, get_recorded_pin, get_version, read_latest
from tweetbot_trainer.publishing.registry.lineage import find_version
from tweetbot_trainer.publishing.registry.manifest import (
    ADOPTED_FILE,
    MANIFEST_FILE,
    REPORT_FOLDER,
    StoredVersion,
    list_version_folders,
    list_versions,
)
from tweetbot_trainer.publishing.registry.ownership import OWNER_FILE, OwnerRecord
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store import ObjectStore, join

EVALUATION_FILE = f"{REPORT_FOLDER}/evaluation.json"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A version and its states, most telling first; `why` says why a rejected one was not published."""

    version: StoredVersion
    states: tuple[str, ...]
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """The versions of a TweetBot, the last published first, and the addresses of those that cannot be read.

    `pin` is the version that spec.pin asked for last, if a trainer has heard of one.
    """

    entries: tuple[HistoryEntry, ...]
    unreadable: tuple[str, ...]
    pin: str | None


def read_history(store: ObjectStore, root: str) -> History:
    """Read the versions in a TweetBot's folder. Raises SpecRefused if there are none, and as the store does."""
    root = root.rstrip("/").removesuffix(f"/{LATEST_FILE}")
    latest, owner = read_latest(store, join(root, LATEST_FILE)), _read_owner(store, root)
    published, rejected = (list_versions(store, join(root, folder)) for folder in ("models", "rejected"))
    known = {version.home for version in (*published, *rejected)}
    homes = (home for folder in ("models", "rejected") for home in _list_homes(store, join(root, folder)))
    unreadable = tuple(home for home in homes if home not in known)
    if not known and not unreadable:
        message = f"there are no versions in {root}: give the folder of a TweetBot, <output>/<namespace>/<name>"
        raise SpecRefused(reasons.SOURCE_NOT_FOUND, message)
    pin = get_recorded_pin(latest).get("version") or None
    adopted = frozenset(list_version_folders(store, join(root, "models"), ADOPTED_FILE))
    entries = [HistoryEntry(one, _find_states(one, latest, pin, adopted, owner)) for one in published]
    entries += [HistoryEntry(one, ("rejected",), _read_missed_gates(store, one.home)) for one in rejected]
    entries.sort(key=lambda entry: (entry.version.manifest.published_at, entry.version.home), reverse=True)
    return History(tuple(entries), unreadable, pin)


def find_named_version(store: ObjectStore, name: str, root: str | None) -> StoredVersion:
    """Find a version by its address (see find_version), or by its name in a TweetBot's folder, rejected ones too.

    Raises SpecRefused, which says what to write instead.
    """
    if "://" in name:
        return find_version(store, name)
    if root is None:
        raise refuse_name(name)
    root = root.rstrip("/").removesuffix(f"/{LATEST_FILE}")
    for folder in ("models", "rejected"):
        for version in list_versions(store, join(root, folder)):
            if version.home.rpartition("/")[2] == name:
                return version
    advice = f"`tweetbot-trainer history --root {root}` lists those that there are"
    raise SpecRefused(reasons.SOURCE_NOT_FOUND, f"there is no version {name} in {root}: {advice}")


def refuse_name(name: str) -> SpecRefused:
    """Return the error for a version's name without the folder in which to look for it."""
    return SpecRefused(reasons.SPEC_REFUSED, f"{name} is no address: write s3://… or file:///…, or add --root")


def _list_homes(store: ObjectStore, folder: str) -> Iterable[str]:
    return list_version_folders(store, folder, MANIFEST_FILE)


def _read_owner(store: ObjectStore, root: str) -> OwnerRecord | None:
    found = store.find(join(root, OWNER_FILE))
    try:
        return OwnerRecord.model_validate_json(found.body) if found else None
    except ValidationError:
        return None


def _find_states(
    version: StoredVersion, latest: dict[str, Any], pin: str | None, adopted: frozenset[str], owner: OwnerRecord | None
) -> tuple[str, ...]:
    name = version.home.rpartition("/")[2]
    beside = latest.get("unpinned")
    states = {
        "served": get_version(latest) == name,
        "pinned": pin == name,
        "served without the pin": pin is not None and isinstance(beside, dict) and get_version(beside) == name,
        "adopted": version.home in adopted,
        "used by another cluster": owner is not None and any(user.version == name for user in owner.users),
        "being erased": owner is not None and f"models/{name}" in owner.erasing,
    }
    return tuple(state for state, holds in states.items() if holds) or ("kept",)


def _read_missed_gates(store: ObjectStore, home: str) -> tuple[str, ...]:
    """Return which gates a rejected version missed, as its report says; older reports do not."""
    found = store.find(join(home, EVALUATION_FILE))
    try:
        missed = json.loads(found.body).get("missedGates") if found else None
    except (ValueError, AttributeError, RecursionError):
        return ()
    return tuple(str(gate) for gate in missed) if isinstance(missed, list) else ()
