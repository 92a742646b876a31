"""Find the datasets and models that contain deleted posts, without opening a text.

`ids.jsonl` of a dataset lists its posts, the manifest of a version names its dataset, `latest.json` the served version.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tweetbot_contract import reasons
from tweetbot_trainer.data.dataset.dataset import POSTS_FILE
from tweetbot_trainer.data.dataset.ids import IDS_FILE, read_ids
from tweetbot_trainer.publishing.registry.latest import LATEST_FILE, get_recorded_pin, read_latest
from tweetbot_trainer.publishing.registry.manifest import MANIFEST_FILE, MODEL_FOLDER, decode_manifest
from tweetbot_trainer.publishing.registry.ownership import OWNER_FILE
from tweetbot_trainer.runtime.errors import SpecRefused
from tweetbot_trainer.store import ObjectStore, join

#: Which versions were sent to the Hub (publishing/hub/record.py), in a TweetBot's folder.
HUB_FILE = "hub.json"
#: Largest list of ids that is accepted, in bytes.
LIST_LIMIT = 64 * 1024**2
_DATASET = re.compile(
    rf"(?P<folder>.*/datasets/(?P<digest>[0-9a-f]{{64}}))/(?P<file>{IDS_FILE}|{re.escape(POSTS_FILE)})"
)
_WHICH_ROOT = "write the address in output.s3.uri, or a TweetBot's folder in it, <output>/<namespace>/<name>"
_MANIFEST = re.compile(rf"(?P<home>.*/(?:models|rejected)/[^/]+)/{re.escape(MANIFEST_FILE)}")


@dataclass(frozen=True, slots=True)
class DatasetHit:
    """A dataset with wanted posts. `posts` gives for each the dataset's other posts of exactly the same text."""

    uri: str
    digest: str
    posts: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ModelHit:
    """A model version that was trained on such a dataset."""

    uri: str
    version: str
    digest: str
    served: bool
    posts: tuple[str, ...]
    pinned: bool = False


@dataclass(slots=True)
class SearchResult:
    """The datasets and models with wanted posts.

    `unknown` are the addresses of datasets and versions whose posts cannot be found out, `readable` the digests of the
    datasets whose posts can. `hub_records` are the addresses of records of copies on the Hub.
    """

    datasets: list[DatasetHit] = field(default_factory=list)
    models: list[ModelHit] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    hub_records: list[str] = field(default_factory=list)
    readable: set[str] = field(default_factory=set)

    @property
    def found(self) -> set[str]:
        """The ids that any dataset contains."""
        return {post for dataset in self.datasets for post in dataset.posts}


def parse_ids(content: bytes, name: str) -> frozenset[str]:
    """Parse a list of ids: one per line, or JSON objects with `id`, as X's compliance jobs write them.

    Raises SpecRefused, naming the line.
    """
    if len(content) > LIST_LIMIT:
        raise _make_list_error(f"{name} has {len(content)} bytes; at most {LIST_LIMIT} are read")
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise _make_list_error(f"{name} is not UTF-8") from error
    ids = frozenset(
        _parse_id(line.strip(), f"{name}, line {number}") for number, line in enumerate(lines, 1) if line.strip()
    )
    if not ids:
        raise _make_list_error(f"{name} names no post")
    return ids


def search(store: ObjectStore, root: str, wanted: frozenset[str]) -> SearchResult:
    """Search everything below an address for the wanted ids.

    Raises SpecRefused where no TweetBot has written, as the address is mistyped then; and as the store does.
    """
    datasets: defaultdict[str, set[str]] = defaultdict(set)
    homes, latest_files, result, owned = [], [], SearchResult(), False
    for info in store.list(f"{root.rstrip('/')}/"):
        if match := _DATASET.fullmatch(info.uri):
            datasets[match["folder"]].add(match["file"])
        elif match := _MANIFEST.fullmatch(info.uri):
            homes.append(match["home"])
        elif info.uri.endswith(f"/{LATEST_FILE}"):
            latest_files.append(info.uri)
        elif info.uri.endswith(f"/{HUB_FILE}"):
            result.hub_records.append(info.uri)
        owned = owned or info.uri.endswith(f"/{OWNER_FILE}")
    if not (owned or datasets or homes or latest_files):
        raise SpecRefused(reasons.SPEC_REFUSED, f"No TweetBot has written below {root}: {_WHICH_ROOT}")
    for folder, files in datasets.items():
        _search_dataset(store, folder, files, wanted, result)
    latest = [read_latest(store, uri) for uri in latest_files]
    served = {str(content.get("uri")): bool(get_recorded_pin(content).get("version")) for content in latest}
    _search_models(store, homes, served, result)
    return result


def _search_dataset(
    store: ObjectStore, folder: str, files: set[str], wanted: frozenset[str], result: SearchResult
) -> None:
    try:
        posts = _find_hits(store, join(folder, IDS_FILE), wanted) if IDS_FILE in files else None
    except ValueError:
        posts = None
    if posts is None:
        result.unknown.append(folder)
        return
    digest = folder.rpartition("/")[2]
    result.readable.add(digest)
    if posts:
        result.datasets.append(DatasetHit(folder, digest, posts))


def _find_hits(store: ObjectStore, uri: str, wanted: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Return the wanted posts of a list of ids, each with the other posts of the same text."""
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


def _search_models(store: ObjectStore, homes: Iterable[str], served: dict[str, bool], result: SearchResult) -> None:
    """Add the versions; `served` says of the address of each served model whether it is pinned."""
    hits = {dataset.digest: dataset for dataset in result.datasets}
    for home in homes:
        manifest = decode_manifest(store.get(join(home, MANIFEST_FILE)))
        if manifest is None or manifest.dataset.digest not in result.readable:
            result.unknown.append(home)
        elif hit := hits.get(manifest.dataset.digest):
            uri = join(home, MODEL_FOLDER)
            found = ModelHit(uri, manifest.version, hit.digest, uri in served, tuple(hit.posts), served.get(uri, False))
            result.models.append(found)


def _parse_id(line: str, location: str) -> str:
    if not line.startswith("{"):
        return line
    try:
        record: Any = json.loads(line)
        return str(record["id"])
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise _make_list_error(f"{location}: write an id, or a JSON object with id") from error


def _make_list_error(message: str) -> SpecRefused:
    return SpecRefused(reasons.SOURCE_UNREADABLE, message)
