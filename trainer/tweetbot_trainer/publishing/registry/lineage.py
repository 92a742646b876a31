"""Trace a published model back to what it was made from, and compare each step with the manifest.

latest.json ─▶ MANIFEST.json ─▶ every file by sha256 ─▶ the dataset by its digest ─▶ the base and the sources

What we wrote must match to the byte. The base and the sources belong to others: if one has changed since, or is gone,
that is no fault of the model, and it is reported as unproven.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from tweetbot_contract import reasons
from tweetbot_contract.spec.model import PVC_SCHEME
from tweetbot_trainer.data.dataset.dataset import POSTS_FILE, SUMMARY_FILE, Dataset, read_dataset
from tweetbot_trainer.data.dataset.ids import IDS_FILE, encode_ids
from tweetbot_trainer.data.dataset.source_records import ObjectRecord, SourceRecord, describe_object
from tweetbot_trainer.learning.fingerprint import VERSION_DIGITS, fingerprint_values
from tweetbot_trainer.learning.model.identity import CONFIG, TOKENIZER, WEIGHTS
from tweetbot_trainer.publishing.registry.latest import LATEST_FILE, read_latest
from tweetbot_trainer.publishing.registry.manifest import (
    ADOPTED_FILE,
    MANIFEST_FILE,
    MODEL_FOLDER,
    REMOVED_FILE,
    StoredVersion,
    VersionManifest,
    build_earlier_manifest_name,
    decode_manifest,
    drop_removed_file,
)
from tweetbot_trainer.publishing.registry.run_record import drop_page_records, find_record
from tweetbot_trainer.runtime.errors import NotAuthorized, SpecRefused
from tweetbot_trainer.store import ObjectStore, OpenStore, compute_sha256, compute_stream_sha256, join
from tweetbot_trainer.store.file_records import FileRecord
from tweetbot_trainer.store.interface import UnnamedRefusal

Verdict = Literal["ok", "differs", "missing", "unproven", "unsafe"]
#: Verdicts on files of ours that are not as we wrote them, or must not be there.
BROKEN: frozenset[Verdict] = frozenset({"differs", "missing", "unsafe"})


_REMOVAL = "posts can be read out of it; `tweetbot-trainer remove-hashes` removes it"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one comparison."""

    verdict: Verdict
    what: str
    detail: str = ""


def find_version(store: ObjectStore, uri: str, digest: str | None = None) -> StoredVersion:
    """Find the version at an address: of a TweetBot's folder, its latest.json, a version, its model/ or MANIFEST.json.

    `digest` is the manifest's sha256 that the caller knows, by default that in a latest.json that leads here.
    Raises SpecRefused if there is none, or its manifest cannot be read.
    """
    given = uri.rstrip("/").removesuffix(f"/{MANIFEST_FILE}").removesuffix(f"/{LATEST_FILE}")
    for folder in (given, given.removesuffix(f"/{MODEL_FOLDER}")):  # a TweetBot may be called `model`, too
        if found := store.find(join(folder, MANIFEST_FILE)):
            return _parse_version(folder, found.body, digest)
    latest = read_latest(store, join(given, LATEST_FILE))
    if not latest.keys() >= {"uri", "manifestSha256"}:
        message = f"there is no published model at {uri}: give a version's folder, or the folder with {LATEST_FILE}"
        raise SpecRefused(reasons.SOURCE_NOT_FOUND, message)
    home = str(latest["uri"]).removesuffix(f"/{MODEL_FOLDER}")
    return _parse_version(home, store.get(join(home, MANIFEST_FILE)), digest or str(latest["manifestSha256"]))


def find_dataset_folder(version: StoredVersion) -> str | None:
    """Return the folder of the version's dataset, beside the version's own: an address in the manifest is not followed.

    None if the version was copied out of its TweetBot's folder.
    """
    above, _, folder = version.home.rpartition("/")[0].rpartition("/")
    return join(above, "datasets", version.manifest.dataset.digest) if folder in ("models", "rejected") else None


def verify(open_store: OpenStore, version: StoredVersion) -> Iterator[Finding]:
    """Yield a finding for each file of the version and each thing it was made from. Raises as the store does."""
    store = open_store(version.home)
    yield _verify_manifest(store, version)
    yield _verify_key(version.manifest)
    for path, record in version.manifest.files.items():
        yield _verify_file(store, version.home, path, record)
    yield from _find_unlisted_files(store, version)
    yield from _verify_dataset(store, version.manifest)
    yield from _verify_base(open_store, version.manifest)
    yield from _verify_sources(open_store, version)


def _parse_version(home: str, body: bytes, expected_sha256: str | None) -> StoredVersion:
    manifest = decode_manifest(body)
    if manifest is None:
        message = f"{join(home, MANIFEST_FILE)} is not a manifest that this version of tweetbot-trainer can read"
        raise SpecRefused(reasons.SOURCE_UNREADABLE, message)
    return StoredVersion(home, manifest, body, expected_sha256)


def _verify_manifest(store: ObjectStore, version: StoredVersion) -> Finding:
    manifest, expected = version.manifest, version.expected_sha256
    if expected not in (None, version.sha256) and not _has_replaced(store, version, str(expected)):
        return Finding("differs", MANIFEST_FILE, f"its sha256 should be {expected}, it is {version.sha256}")
    folder = version.home.rpartition("/")[2]
    if folder != manifest.version or not manifest.version.startswith(manifest.training_key[:VERSION_DIGITS]):
        return Finding("differs", MANIFEST_FILE, f"it is of version {manifest.version}, and is in {folder}")
    return Finding("ok", MANIFEST_FILE, f"version {manifest.version}, sha256 {version.sha256}")


def _has_replaced(store: ObjectStore, version: StoredVersion, sha256: str) -> bool:
    """Tell whether the manifest is the one with this hash but for REMOVED_FILE."""
    found = store.find(join(version.home, build_earlier_manifest_name(sha256)))
    earlier = decode_manifest(found.body) if found and compute_sha256(found.body) == sha256 else None
    return earlier is not None and drop_removed_file(earlier) == version.manifest


def _verify_key(manifest: VersionManifest) -> Finding:
    """Recompute the training key: another dataset, base or training would give another."""
    origin = manifest.provenance
    try:
        key = fingerprint_values(manifest.dataset.digest, origin.base_identity, origin.training)
    except (TypeError, ValueError) as error:
        return Finding("differs", "training key", f"it cannot be computed from the manifest ({error})")
    if key != manifest.training_key:
        return Finding("differs", "training key", "it is not of the dataset, base and training in the manifest")
    return Finding("ok", "training key", "of this dataset, base and training")


def _verify_file(store: ObjectStore, home: str, path: str, record: FileRecord) -> Finding:
    found = _hash_object(store, join(home, path))
    if found is None:
        return Finding("missing", path)
    if path == REMOVED_FILE:
        return Finding("unsafe", path, _REMOVAL)
    if found != record.sha256:
        return Finding("differs", path, f"sha256 {found}, the manifest says {record.sha256}")
    return Finding("ok", path, f"sha256 {found}")


def _find_unlisted_files(store: ObjectStore, version: StoredVersion) -> Iterator[Finding]:
    """Yield files that the manifest does not list: a server might load them."""
    folder = f"/{version.home.rpartition('/')[2]}/"
    listed = {MANIFEST_FILE, ADOPTED_FILE, *version.manifest.files}
    for info in store.list(f"{version.home}/"):
        path = info.uri.rpartition(folder)[2]  # a file:// address can be spelled in several ways
        if path == REMOVED_FILE and path not in listed:
            yield Finding("unsafe", path, _REMOVAL)
        elif path not in listed and not _is_earlier_manifest(store, info.uri, path):
            yield Finding("differs", path, "the manifest does not list it")


def _is_earlier_manifest(store: ObjectStore, uri: str, path: str) -> bool:
    return path.startswith("MANIFEST-") and path == build_earlier_manifest_name(_hash_object(store, uri) or "")


def _verify_dataset(store: ObjectStore, manifest: VersionManifest) -> Iterator[Finding]:
    digest, uri = manifest.dataset.digest, manifest.dataset.uri
    name = f"dataset {digest[:16]}"
    posts, summary = store.find(join(uri, POSTS_FILE)), store.find(join(uri, SUMMARY_FILE))
    if posts is None or summary is None:
        yield Finding("missing", name, f"{uri} lacks {POSTS_FILE if posts is None else SUMMARY_FILE}")
        return
    try:
        dataset = read_dataset(posts.body, summary.body, digest=digest)
    except SpecRefused as damaged:
        yield Finding("differs", name, damaged.message)
        return
    yield Finding("ok", name, f"{len(dataset.posts)} posts have this digest")
    kept, count = manifest.dataset.table.kept, len(dataset.posts)
    verdict: Verdict = "ok" if kept == count else "differs"
    yield Finding(verdict, "data table", f"{kept} posts kept, {count} in the dataset")
    yield _verify_ids(store, uri, dataset)


def _verify_ids(store: ObjectStore, uri: str, dataset: Dataset) -> Finding:
    found = store.find(join(uri, IDS_FILE))
    if found is None:
        return Finding("missing", IDS_FILE, f"{join(uri, IDS_FILE)} is gone")
    if found.body != encode_ids(dataset.posts):
        return Finding("differs", IDS_FILE, "it does not list the posts of the dataset")
    return Finding("ok", IDS_FILE, f"lists the {len(dataset.posts)} posts")


def _verify_base(open_store: OpenStore, manifest: VersionManifest) -> Iterator[Finding]:
    """Yield findings on the files of a base folder. A base of the hub is named by its commit, which is a hash."""
    base = manifest.provenance.base
    if base.get("kind") != "folder":
        return
    home = base.get("uri", "")
    if home.startswith(PVC_SCHEME):
        yield Finding("unproven", "base", f"{home} can only be read in its cluster")
        return
    for name, key in ((CONFIG, "config"), (TOKENIZER, "tokenizer"), (WEIGHTS, "digest")):
        try:
            record = ObjectRecord(uri=join(home, name), size=0, sha256=base.get(key, ""))
        except ValidationError:
            yield Finding("differs", f"base {name}", "the manifest has no sha256 of it")
        else:
            yield _verify_foreign(open_store, record, f"base {name}")


def _load_sources(store: ObjectStore, version: StoredVersion) -> tuple[SourceRecord, ...]:
    """Return the sources with all that was read: the run's record has the pages that the manifest leaves out."""
    sources = version.manifest.provenance.sources
    record = find_record(store, version.home.rsplit("/", 2)[0], version.manifest.run_id)
    return record.sources if record and drop_page_records(record.sources) == sources else sources


def _verify_sources(open_store: OpenStore, version: StoredVersion) -> Iterator[Finding]:
    sources = _load_sources(open_store(version.home), version)
    if not sources:
        yield Finding("unproven", "sources", "the manifest names none: the run's record was gone when it trained")
    for index, source in enumerate(sources):
        name = f"sources[{index}] {source.kind}"
        if not source.objects:
            yield Finding("unproven", name, f"read from a server; the account is {source.account_id or 'unknown'}")
        for record in source.objects:
            yield _verify_foreign(open_store, record, f"{name} {record.uri.rpartition('/')[2]}")


def _verify_foreign(open_store: OpenStore, record: ObjectRecord, what: str) -> Finding:
    """Compare an object that belongs to others: if it differs, the finding is `unproven`."""
    try:
        store = open_store(record.uri)
        now = describe_object(store, record.uri)
    except (NotAuthorized, SpecRefused, UnnamedRefusal) as refused:
        return Finding("unproven", what, refused.message)
    if now is None:
        return Finding("unproven", what, f"{record.uri} is gone")
    if record.sha256:
        found = now.sha256 or _hash_object(store, record.uri)
        same, how = found == record.sha256, f"sha256 {record.sha256}"
    else:
        same, how = (now.etag, now.size) == (record.etag, record.size), f"ETag {record.etag}, {record.size} bytes"
    if same:
        return Finding("ok", what, how)
    return Finding("unproven", what, f"{record.uri} has changed since; it had {how}")


def _hash_object(store: ObjectStore, uri: str) -> str | None:
    """Hash an object by reading it, without trusting the server's checksum. None if there is no object."""
    if store.head(uri) is None:
        return None
    with store.open_seekable(uri) as stream:
        return compute_stream_sha256(stream)
