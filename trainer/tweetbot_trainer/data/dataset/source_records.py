"""What a source was when it was read: enough to recognize it later, and nothing secret."""

import hashlib
from typing import BinaryIO

from tweetbot_contract.data_table import DataTable
from tweetbot_contract.spec.parts import Part
from tweetbot_contract.spec.sources import Source, XSource
from tweetbot_trainer.data.sources import StorePages, get_pages_folder
from tweetbot_trainer.store import ObjectStore, OpenStore, StorageUnavailable, compute_stream_sha256, join
from tweetbot_trainer.store.hashing import Sha256

#: Larger objects are not hashed if the store keeps no sha256 of them: exports have gigabytes of pictures that nobody
#: reads, so ETag and size must do.
HASHED_WHOLE = 64 * 1024**2


class ObjectRecord(Part):
    """An object as it was read: its size and its sha256, or the store's ETag where that is unknown."""

    uri: str
    size: int
    sha256: Sha256 | None = None
    etag: str | None = None


class SourceRecord(Part):
    """One source: its address, the objects that were read, its account if known, and what became of its posts."""

    kind: str
    uri: str | None = None
    objects: tuple[ObjectRecord, ...] = ()
    account_id: str | None = None
    handle: str | None = None
    table: DataTable
    oldest_post_at: str | None = None
    newest_post_at: str | None = None


class RecordingReader:
    """Opens objects and page caches, and remembers what was read."""

    def __init__(self, open_store: OpenStore) -> None:
        self._open_store = open_store
        self._opened: dict[str, str] = {}
        self._pages: dict[str, ObjectRecord] = {}

    def open_seekable(self, uri: str) -> BinaryIO:
        """Return the object as a seekable file. Raises StageError."""
        store = self._open_store(uri)
        file = store.open_seekable(uri)  # before HEAD, whose errors do not name a wrong key
        try:
            info = store.head(uri)
        except BaseException:
            file.close()
            raise
        self._opened.setdefault(uri, info.etag if info else "")
        return file

    def open_page_cache(self, folder: str, run_id: str) -> StorePages:
        """Return a run's page cache in a folder of the store."""
        return _RecordingPages(self._open_store(folder), folder, run_id, seen=self._pages)

    def list_objects(self) -> tuple[ObjectRecord, ...]:
        """Return all objects that were read, sorted by address.

        Raises StorageUnavailable if an object was replaced meanwhile: the next attempt reads the new one.
        """
        read = [self._read_record(uri, etag) for uri, etag in self._opened.items()]
        return tuple(sorted((*read, *self._pages.values()), key=lambda record: record.uri))

    def _read_record(self, uri: str, etag: str) -> ObjectRecord:
        record = describe_object(self._open_store(uri), uri)
        if record is None or record.etag not in (etag, None):
            raise StorageUnavailable(f"{uri} was replaced while it was read")
        return record


def describe_object(store: ObjectStore, uri: str) -> ObjectRecord | None:
    """Return an object as it is now, None if there is none. Files are hashed, as their tags mean nothing elsewhere."""
    info = store.head(uri)
    if info is None:
        return None
    is_file, sha256 = uri.startswith("file:"), info.sha256
    if sha256 is None and (is_file or info.size <= HASHED_WHOLE):
        with store.open_seekable(uri) as stream:
            sha256 = compute_stream_sha256(stream)
    return ObjectRecord(uri=uri, size=info.size, sha256=sha256, etag=None if is_file else info.etag)


class _RecordingPages(StorePages):
    """A page cache that records what is read and written."""

    def __init__(self, store: ObjectStore, folder: str, run_id: str, *, seen: dict[str, ObjectRecord]) -> None:
        super().__init__(store, folder, run_id)
        self._home, self._seen = folder, seen

    def load(self, name: str) -> bytes | None:
        """Load and record an object."""
        content = super().load(name)
        if content is not None:
            self._add_record(name, content)
        return content

    def save(self, name: str, content: bytes) -> None:
        """Store and record an object."""
        super().save(name, content)
        self._add_record(name, content)

    def _add_record(self, name: str, content: bytes) -> None:
        uri = join(self._home, name)
        self._seen[uri] = ObjectRecord(uri=uri, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def get_kind(source: Source) -> str:
    """Return the kind of a source: the name of the one field that is set."""
    return next(name for name in Source.model_fields if getattr(source, name) is source.kind)


def get_source_uri(prefix: str, source: Source) -> str:
    """Return where a source's posts were read from: for the X API the folder of its pages below the output's prefix."""
    kind = source.kind
    return get_pages_folder(prefix, kind.handle) if isinstance(kind, XSource) else kind.uri
