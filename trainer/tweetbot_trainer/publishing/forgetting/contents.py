"""What lies in TweetBots' folders, and which deleted posts it holds.

`ids.jsonl` of a dataset lists its posts; the manifest of a version and the record of a run name their dataset. No other
file with a post's text is opened than the kept pages of the X API, which are searched for ids.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tweetbot_contract import reasons
from tweetbot_trainer.data.dataset.dataset import POSTS_FILE
from tweetbot_trainer.data.dataset.ids import IDS_FILE, read_ids
from tweetbot_trainer.publishing.forgetting.unfinished import UNFINISHED_FILE, UnfinishedErasure, read_unfinished
from tweetbot_trainer.publishing.hub.record import RECORD_FILE, HubPush, read_pushes
from tweetbot_trainer.publishing.registry.latest import LATEST_FILE, Content, read_latest
from tweetbot_trainer.publishing.registry.manifest import MANIFEST_FILE, VersionManifest, decode_manifest
from tweetbot_trainer.publishing.registry.ownership import OWNER_FILE, OwnerRecord, PrefixOwned, find_owner
from tweetbot_trainer.publishing.registry.run_record import PrepareRecord, find_record
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store import ObjectStore, join

_WHICH_ROOT = "write the address in output.s3.uri, or a TweetBot's folder in it, <output>/<namespace>/<name>"
#: What only a TweetBot's folder has, by which it is known.
_MARK = re.compile(
    rf"(?P<folder>.*)/(?:{re.escape(OWNER_FILE)}|{re.escape(LATEST_FILE)}"
    rf"|datasets/[0-9a-f]{{64}}/(?:{re.escape(IDS_FILE)}|{re.escape(POSTS_FILE)})"
    rf"|(?:models|rejected)/[^/]+/{re.escape(MANIFEST_FILE)})"
)
#: Below a TweetBot's folder.
_DATASET = re.compile(r"datasets/(?P<name>[0-9a-f]{64})/.+")
_VERSION = re.compile(rf"(?P<name>(?:models|rejected)/[^/]+)/{re.escape(MANIFEST_FILE)}")
_RUN = re.compile(r"runs/(?P<name>[^/]+)/.+")
_CHECKPOINT = re.compile(r"checkpoints/(?P<name>[^/]+)/.+")
_PAGE = re.compile(r"(?P<name>raw/x/.+/[0-9]{20}-[0-9]{20}\.json)")
#: A text in a page's JSON that may be an id.
_ID = re.compile(rb'"([^"\\]{1,128})"')

#: Wanted posts, each with the dataset's other posts of exactly the same text.
Posts = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class BotContents:
    """A TweetBot's folder.

    `datasets` are by digest, `versions` by their path in the folder, `runs` by id and `pages` by address. What cannot
    be read is None; `latest` is empty then, and None without a latest.json. `checkpoints` are ids of runs.
    `owner_fault` says why the owner is unknown.
    """

    folder: str
    datasets: Mapping[str, Posts | None]
    versions: Mapping[str, VersionManifest | None]
    latest: Content | None
    runs: Mapping[str, PrepareRecord | None]
    checkpoints: tuple[str, ...]
    pages: Mapping[str, tuple[str, ...]]
    pushes: tuple[HubPush, ...]
    owner: OwnerRecord | None
    owner_fault: str | None
    unfinished: UnfinishedErasure


def read_contents(store: ObjectStore, root: str, wanted: frozenset[str]) -> list[BotContents]:
    """Read all TweetBots' folders below an address. Raises as the store does.

    Raises SpecRefused where no TweetBot has written, as the address is mistyped then, and inside a TweetBot's folder.
    """
    above = root.rstrip("/")
    uris = [info.uri for info in store.list(f"{above}/")]
    folders = {match["folder"] for uri in uris if (match := _MARK.fullmatch(uri))}
    if not folders:
        raise SpecRefused(reasons.SPEC_REFUSED, f"No TweetBot has written below {root}: {_WHICH_ROOT}")
    if inside := next((folder for folder in folders if not f"{folder}/".startswith(f"{above}/")), None):
        raise SpecRefused(reasons.SPEC_REFUSED, f"{root} lies inside a TweetBot's folder: write {inside}")
    names: defaultdict[str, dict[str, None]] = defaultdict(dict)  # a set that keeps the order
    for uri in uris:
        if folder := _find_folder(uri, folders):
            names[folder][uri.removeprefix(f"{folder}/")] = None
    return [_read_bot(store, folder, names[folder], wanted) for folder in sorted(folders)]


def _find_folder(uri: str, folders: set[str]) -> str | None:
    """Return the innermost TweetBot's folder that an object lies in."""
    folder = uri
    while folder := folder.rpartition("/")[0]:
        if folder in folders:
            return folder
    return None


def _read_bot(store: ObjectStore, folder: str, names: Mapping[str, None], wanted: frozenset[str]) -> BotContents:
    checkpoints = _select(_CHECKPOINT, names)
    runs = {run: find_record(store, folder, run) for run in {*_select(_RUN, names), *checkpoints}}
    wanted |= _find_edits(runs.values(), wanted)
    owner, owner_fault = _read_owner(store, folder)
    return BotContents(
        folder,
        datasets={
            digest: _read_dataset(store, join(folder, path), wanted) if path in names else None
            for digest in _select(_DATASET, names)
            if (path := f"datasets/{digest}/{IDS_FILE}")
        },
        versions={path: _read_manifest(store, join(folder, path)) for path in _select(_VERSION, names)},
        latest=read_latest(store, join(folder, LATEST_FILE)) if LATEST_FILE in names else None,
        runs=runs,
        checkpoints=checkpoints,
        pages={
            uri: found
            for uri in (join(folder, page) for page in _select(_PAGE, names))
            if (found := _search_page(store, uri, wanted))
        },
        pushes=read_pushes(store, join(folder, RECORD_FILE)) if RECORD_FILE in names else (),
        owner=owner,
        owner_fault=owner_fault,
        unfinished=read_unfinished(store, folder) if UNFINISHED_FILE in names else UnfinishedErasure(),
    )


def _find_edits(records: Iterable[PrepareRecord | None], wanted: frozenset[str]) -> frozenset[str]:
    """Return all ids of wanted posts that were edited: a dataset names a post by its last one."""
    edits = (ids for record in records if record for ids in record.excluded_edits or ())
    return frozenset().union(*(ids for ids in edits if not wanted.isdisjoint(ids)))


def _read_owner(store: ObjectStore, folder: str) -> tuple[OwnerRecord | None, str | None]:
    """Return the record of the owner, if there is one, and why it cannot be read."""
    try:
        return find_owner(store, folder), None
    except PrefixOwned as fault:
        return None, fault.message


def _select(pattern: re.Pattern[str], names: Iterable[str]) -> tuple[str, ...]:
    """Return what a pattern names in paths, each once, in their order."""
    return tuple(dict.fromkeys(match["name"] for name in names if (match := pattern.fullmatch(name))))


def _read_dataset(store: ObjectStore, uri: str, wanted: frozenset[str]) -> Posts | None:
    """Return the wanted posts of a list of ids; None if it is damaged."""
    try:
        return _find_hits(store, uri, wanted)
    except ValueError:
        return None


def _find_hits(store: ObjectStore, uri: str, wanted: frozenset[str]) -> Posts:
    with store.open_seekable(uri) as lines:
        texts = {one.id: one.sha256 for one in read_ids(lines) if one.id in wanted}
    if not texts:
        return {}
    same: defaultdict[str, list[str]] = defaultdict(list)
    hashes = set(texts.values())
    with store.open_seekable(uri) as lines:
        for one in read_ids(lines):
            if one.sha256 in hashes and one.id not in wanted:
                same[one.sha256].append(one.id)
    return {post: tuple(same[sha256]) for post, sha256 in sorted(texts.items())}


def _read_manifest(store: ObjectStore, home: str) -> VersionManifest | None:
    found = store.find(join(home, MANIFEST_FILE))
    return decode_manifest(found.body) if found else None


def _search_page(store: ObjectStore, uri: str, wanted: frozenset[str]) -> tuple[str, ...]:
    """Return the wanted ids in a page of the X API: those of its posts, of their earlier texts, and of quoted ones."""
    found = store.find(uri)
    texts = {match.decode(errors="replace") for match in _ID.findall(found.body)} if found else set()
    return tuple(sorted(texts & wanted))
