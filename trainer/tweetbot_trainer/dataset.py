"""The dataset: an immutable snapshot of the kept posts, named by the hash of its own canonical text.

posts.jsonl.zst   a header line, then a post a line; the digest is the sha256 of these bytes uncompressed
dataset.json      digest, header, data table (whole and by source), newest post; written last
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import zstandard

from tweetbot_contract import reasons
from tweetbot_contract.result import DataTable
from tweetbot_contract.spec import Filter
from tweetbot_trainer.cleaning import CleanedPost, recipe_of, table_of
from tweetbot_trainer.errors import SpecRefused, TooLittleData
from tweetbot_trainer.posts import Post, parsed_time, printed_time

SCHEMA = 1
POSTS_FILE, SUMMARY_FILE = "posts.jsonl.zst", "dataset.json"
#: huggingtweets' gate: it asked for this many characters a handle, the posts joined by the end mark.
MIN_CHARACTERS = 6000
SEPARATOR = "<|endoftext|>"
#: What a snapshot may unpack to; the sources are capped far below.
UNPACKED_LIMIT = 4 * 1024**3
_UNDATED = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DatasetPost:
    """A kept post: its cleaned text and what splits and cards need to know about it."""

    id: str
    text: str
    created_at: datetime | None
    lang: str | None
    source: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """A snapshot. `posts` stand as in the file: by source, then undated in input order, then by time and id."""

    digest: str
    header: dict[str, Any]
    posts: tuple[DatasetPost, ...]
    table: DataTable
    source_tables: tuple[DataTable, ...]
    newest_post_at: str | None

    def files(self) -> dict[str, bytes]:
        """Return the snapshot's files by name, in the order in which to write them."""
        packed = zstandard.ZstdCompressor(level=10, write_checksum=True).compress(_canonical(self.header, self.posts))
        return {POSTS_FILE: packed, SUMMARY_FILE: _json_line(self.summary()).encode()}

    def summary(self) -> dict[str, Any]:
        """Return what dataset.json holds."""
        return {
            "digest": self.digest,
            "header": self.header,
            "table": self.table.as_json(),
            "sources": [{"index": index, "table": table.as_json()} for index, table in enumerate(self.source_tables)],
            "newestPostAt": self.newest_post_at,
        }


def build_dataset(cleaned: Iterable[CleanedPost], filter: Filter, *, sources: int) -> Dataset:
    """Make the snapshot of what was cleaned; `sources` is how many the spec names.

    The same cleaned posts give the same digest on any machine, in whatever order a source gives dated posts.
    Raises TooLittleData (TooFewPosts) when a source has under MIN_CHARACTERS left.
    """
    everything = tuple(cleaned)
    for index in range(sources):
        _require_enough([one.text for one in everything if one.kept and one.post.source == index], index)
    posts = tuple(sorted((_dataset_post(one) for one in everything if one.kept), key=_place))
    header = header_of(filter)
    return Dataset(
        digest=hashlib.sha256(_canonical(header, posts)).hexdigest(),
        header=header,
        posts=posts,
        table=table_of(everything),
        source_tables=tuple(
            table_of(one for one in everything if one.post.source == index) for index in range(sources)
        ),
        newest_post_at=_newest(posts),
    )


def header_of(filter: Filter) -> dict[str, Any]:
    """Return the snapshot's first line: schema, recipe, its version, and the options as they took effect."""
    recipe = recipe_of(filter)
    options = recipe.options
    return {"schema": SCHEMA, "recipe": options.recipe, "recipeVersion": recipe.version, "filter": options.as_json()}


def read_dataset(packed: bytes, summary: bytes, *, digest: str) -> Dataset:
    """Read a snapshot back from its two files and check it against the digest it was asked for by.

    Raises SpecRefused (SourceUnreadable) when it is damaged or another one.
    """
    try:
        lines = _unpacked(packed, digest).decode().removesuffix("\n").split("\n")
        told = json.loads(summary)
        return Dataset(
            digest=digest,
            header=json.loads(lines[0]),
            posts=tuple(_post_of_line(line) for line in lines[1:]),
            table=DataTable.model_validate(told["table"]),
            source_tables=tuple(DataTable.model_validate(source["table"]) for source in told["sources"]),
            newest_post_at=told["newestPostAt"],
        )
    except (ValueError, LookupError, TypeError, zstandard.ZstdError) as error:
        message = f"the dataset {digest[:16]} is damaged ({error}); delete its folder, and it is prepared again"
        raise SpecRefused(reasons.SOURCE_UNREADABLE, message) from error


def _unpacked(packed: bytes, digest: str) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(packed) as reader:
        canonical = reader.read(UNPACKED_LIMIT)
    if hashlib.sha256(canonical).hexdigest() != digest:
        raise ValueError("its hash is another")
    return canonical


def _require_enough(texts: list[str], index: int) -> None:
    if (length := len(SEPARATOR.join(texts))) < MIN_CHARACTERS:
        message = (
            f"sources[{index}]: {len(texts)} posts with {length} characters are left after cleaning; "
            f"at least {MIN_CHARACTERS} characters are needed. Give a source with more posts, or relax spec.filter"
        )
        raise TooLittleData(reasons.TOO_FEW_POSTS, message)


def _dataset_post(cleaned: CleanedPost) -> DatasetPost:
    post: Post = cleaned.post
    return DatasetPost(post.id, cleaned.text, post.created_at, post.lang, post.source)


def _place(post: DatasetPost) -> tuple[int, datetime, str]:
    """Return the sorting key; undated posts of a source share one and so stay in input order."""
    return (post.source, post.created_at, post.id) if post.created_at else (post.source, _UNDATED, "")


def _newest(posts: tuple[DatasetPost, ...]) -> str | None:
    times = [post.created_at for post in posts if post.created_at]
    return printed_time(max(times)) if times else None


def _canonical(header: dict[str, Any], posts: tuple[DatasetPost, ...]) -> bytes:
    return (_json_line(header) + "".join(_json_line(_record(post)) for post in posts)).encode()


def _record(post: DatasetPost) -> dict[str, Any]:
    at = printed_time(post.created_at) if post.created_at else None
    return {"created_at": at, "id": post.id, "lang": post.lang, "source": post.source, "text": post.text}


def _json_line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"


def _post_of_line(line: str) -> DatasetPost:
    record = json.loads(line)
    at = parsed_time(record["created_at"]) if record["created_at"] else None
    return DatasetPost(record["id"], record["text"], at, record["lang"], record["source"])
