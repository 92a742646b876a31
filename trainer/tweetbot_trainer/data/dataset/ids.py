"""`ids.jsonl` beside a dataset's posts: which posts are in it, without their text.

    {"id":"1380391290000000000","sha256":"…","source":0}

One line per post, in the dataset's order; `sha256` is that of the cleaned text in UTF-8. The file may be shown where
the posts may not, with one caution: anyone who guesses a text can verify the guess.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tweetbot_trainer.data.posts import DatasetPost

IDS_FILE = "ids.jsonl"


@dataclass(frozen=True, slots=True)
class PostId:
    """One line: a post's id, the sha256 of its cleaned text, and its source's index."""

    id: str
    sha256: str
    source: int


def encode_ids(posts: Iterable[DatasetPost]) -> bytes:
    """Return the file of these posts."""
    return "".join(map(_encode_line, posts)).encode()


def read_ids(lines: Iterable[bytes]) -> Iterator[PostId]:
    """Yield the file's lines. Raises ValueError for a line of another form."""
    for line in lines:
        try:
            record: Any = json.loads(line)
            yield PostId(str(record["id"]), str(record["sha256"]), int(record["source"]))
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"{line[:80]!r} names no post") from error


def _encode_line(post: DatasetPost) -> str:
    content = {"id": post.id, "sha256": hashlib.sha256(post.text.encode()).hexdigest(), "source": post.source}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
