"""The dataset: an immutable snapshot of the kept posts, named by the hash of its canonical text.

posts.jsonl.zst   a header line, then one post per line; the digest is the sha256 of these bytes uncompressed
ids.jsonl         the posts' ids and the hashes of their texts (ids.py)
dataset.json      digest, header, data tables (whole and by source), oldest and newest post; written last

Posts are read and written line by line, so memory never holds a second copy of them.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import zstandard

from tweetbot_contract import reasons
from tweetbot_contract.data_table import DataTable
from tweetbot_contract.spec.spec import Filter
from tweetbot_trainer.data.cleaning import CleanedPost, DropCounts, build_recipe
from tweetbot_trainer.data.dataset.ids import IDS_FILE, encode_ids
from tweetbot_trainer.data.posts import DatasetPost, format_time, parse_time
from tweetbot_trainer.runtime.errors import SpecRefused

SCHEMA = 1
POSTS_FILE, SUMMARY_FILE = "posts.jsonl.zst", "dataset.json"
#: The largest size of an unpacked snapshot, and of a line in it; sources are limited far below.
UNPACKED_LIMIT, LINE_LIMIT = 4 * 1024**3, 16 * 1024**2
#: What reading a damaged snapshot raises.
_DAMAGED = (ValueError, LookupError, TypeError, RecursionError, zstandard.ZstdError)
_UNDATED = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A snapshot. `posts` have the file's order: by source, undated ones first as they came, then by time and id."""

    digest: str
    header: dict[str, Any]
    posts: tuple[DatasetPost, ...]
    table: DataTable
    source_tables: tuple[DataTable, ...]
    newest_post_at: str | None

    def build_files(self) -> dict[str, bytes]:
        """Return the snapshot's files by name, in the order to write them."""
        packer = zstandard.ZstdCompressor(level=10, write_checksum=True).compressobj()
        packed = [packer.compress(line) for line in _encode_lines(self.header, self.posts)]
        return {
            POSTS_FILE: b"".join((*packed, packer.flush())),
            IDS_FILE: encode_ids(self.posts),
            SUMMARY_FILE: _encode_line(self.build_summary()),
        }

    def build_summary(self) -> dict[str, Any]:
        """Return the content of dataset.json."""
        sources = enumerate(zip(self.source_tables, self.date_ranges, strict=True))
        return {
            "digest": self.digest,
            "header": self.header,
            "table": self.table.to_dict(),
            "sources": [
                {"index": index, "table": table.to_dict(), "oldestPostAt": oldest, "newestPostAt": newest}
                for index, (table, (oldest, newest)) in sources
            ],
            "newestPostAt": self.newest_post_at,
        }

    @property
    def date_ranges(self) -> tuple[tuple[str | None, str | None], ...]:
        """Return the dates of each source's oldest and newest kept post, None where no post is dated."""
        indices = range(len(self.source_tables))
        return tuple(_find_date_range(post for post in self.posts if post.source == index) for index in indices)


def build_dataset(cleaned: Iterable[CleanedPost], filter: Filter, *, sources: int) -> Dataset:
    """Build the snapshot of the kept posts; `sources` is the number of the spec's sources.

    The same posts give the same digest on any machine, in whatever order a source gives dated posts.
    """
    whole, source_counts = DropCounts(), [DropCounts() for _ in range(sources)]
    kept: list[DatasetPost] = []
    for one in cleaned:
        whole.add(one)
        source_counts[one.post.source].add(one)
        if one.kept:
            kept.append(DatasetPost(one.post.id, one.text, one.post.created_at, one.post.lang, one.post.source))
    kept.sort(key=_get_sort_key)
    header = build_header(filter)
    return Dataset(
        digest=_hash_lines(_encode_lines(header, kept)),
        header=header,
        posts=tuple(kept),
        table=whole.build_table(),
        source_tables=tuple(counts.build_table() for counts in source_counts),
        newest_post_at=_find_date_range(kept)[1],
    )


def build_header(filter: Filter) -> dict[str, Any]:
    """Return the snapshot's first line: schema, recipe with its version, and the options in effect."""
    recipe = build_recipe(filter)
    options = recipe.options
    return {"schema": SCHEMA, "recipe": options.recipe, "recipeVersion": recipe.version, "filter": options.as_json()}


def read_dataset(packed: bytes, summary: bytes, *, digest: str) -> Dataset:
    """Read a snapshot from its two files and verify its digest. Raises SpecRefused (SourceUnreadable)."""
    try:
        lines = _read_lines(packed, digest)
        header = json.loads(next(lines, b""))
        posts = tuple(_parse_post(line) for line in lines)
        document = read_summary(summary, digest)
        return Dataset(
            digest=digest,
            header=header,
            posts=posts,
            table=DataTable.model_validate(document["table"]),
            source_tables=tuple(DataTable.model_validate(source["table"]) for source in document["sources"]),
            newest_post_at=document["newestPostAt"],
        )
    except _DAMAGED as error:
        message = f"the dataset {digest[:16]} is damaged ({error}); delete its folder to have it prepared again"
        raise SpecRefused(reasons.SOURCE_UNREADABLE, message) from error


def is_whole(packed: bytes, summary: bytes, *, digest: str) -> bool:
    """Tell whether these are the two files of the snapshot with this digest; its posts take no memory."""
    try:
        for _ in _read_lines(packed, digest):
            pass
        document = read_summary(summary, digest)
        return bool(DataTable.model_validate(document["table"]) and document["sources"])
    except _DAMAGED:
        return False


def read_summary(summary: bytes, digest: str) -> dict[str, Any]:
    """Parse dataset.json. Raises ValueError if it is not that of this dataset."""
    document = json.loads(summary)
    if not isinstance(document, dict) or document.get("digest") != digest:
        raise ValueError(f"its {SUMMARY_FILE} belongs to another dataset")
    return document


def _read_lines(packed: bytes, digest: str) -> Iterator[bytes]:
    """Yield the canonical lines, and verify their hash at the end. Raises ValueError or ZstdError."""
    hashed, size = hashlib.sha256(), 0
    with zstandard.ZstdDecompressor().stream_reader(packed) as reader:
        lines = io.BufferedReader(reader)
        while line := lines.readline(LINE_LIMIT):
            size += len(line)
            if size > UNPACKED_LIMIT:
                raise ValueError(f"it unpacks to more than {UNPACKED_LIMIT} bytes")
            hashed.update(line)
            yield line
    if hashed.hexdigest() != digest:
        raise ValueError("its hash does not match")


def _get_sort_key(post: DatasetPost) -> tuple[int, datetime, str]:
    """Return the sorting key; undated posts of a source share one, and so keep their order."""
    return (post.source, post.created_at, post.id) if post.created_at else (post.source, _UNDATED, "")


def _find_date_range(posts: Iterable[DatasetPost]) -> tuple[str | None, str | None]:
    times = [post.created_at for post in posts if post.created_at]
    return (format_time(min(times)), format_time(max(times))) if times else (None, None)


def _hash_lines(lines: Iterable[bytes]) -> str:
    hashed = hashlib.sha256()
    for line in lines:
        hashed.update(line)
    return hashed.hexdigest()


def _encode_lines(header: dict[str, Any], posts: Iterable[DatasetPost]) -> Iterator[bytes]:
    yield _encode_line(header)
    for post in posts:
        at = format_time(post.created_at) if post.created_at else None
        record = {"created_at": at, "id": post.id, "lang": post.lang, "source": post.source, "text": post.text}
        yield _encode_line(record)


def _encode_line(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n").encode()


def _parse_post(line: bytes) -> DatasetPost:
    record = json.loads(line)
    at = parse_time(record["created_at"]) if record["created_at"] else None
    return DatasetPost(record["id"], record["text"], at, record["lang"], record["source"])
