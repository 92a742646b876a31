"""`ids.jsonl` beside a dataset's posts: which posts are in it, without their text.

    {"id":"1380391290000000000","sha256":"…","source":0}

One line a post, in the dataset's order; `sha256` is of the cleaned text in UTF-8. It may be shown where the posts may
not, with one caution: who guesses a text can check the guess.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

IDS_FILE = "ids.jsonl"


class Identifiable(Protocol):
    """What a line tells of a post; `DatasetPost` has it."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def source(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class PostId:
    """One line: a post's id, the sha256 of its cleaned text, and its source, counted from 0."""

    id: str
    sha256: str
    source: int


def build_post_id(post: Identifiable) -> PostId:
    """Return a post's line."""
    return PostId(post.id, hashlib.sha256(post.text.encode()).hexdigest(), post.source)


def encode_ids(posts: Iterable[Identifiable]) -> bytes:
    """Return the file of these posts."""
    return "".join(_encode_line(build_post_id(post)) for post in posts).encode()


def read_ids(lines: Iterable[bytes]) -> Iterator[PostId]:
    """Yield the file's lines. Raises ValueError for a line that is none of ours."""
    for line in lines:
        record: Any = json.loads(line)
        try:
            yield PostId(str(record["id"]), str(record["sha256"]), int(record["source"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"{line[:80]!r} names no post") from error


def _encode_line(post: PostId) -> str:
    content = {"id": post.id, "sha256": post.sha256, "source": post.source}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
