"""Posts, exports and places to keep things, for the trainer's tests: valid by default, name only what matters."""

import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from hypothesis import HealthCheck, settings

from tweetbot_contract.data_table import DataTable
from tweetbot_trainer.data.cleaning import CleanedPost, DropCounts
from tweetbot_trainer.data.posts import Json, Post

#: Hypothesis judges examples by the clock, which other work on this machine moves.
on_a_busy_machine = settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])

DAY = datetime(2021, 4, 9, 4, 54, tzinfo=UTC)


def a_post(text: str = "the tide came back with soup", *, number: int = 1, **fields: Any) -> Post:
    """Return a post; `number` gives its id and its day."""
    values: Json = {"id": str(10**18 + number), "text": text, "created_at": DAY + timedelta(days=number)}
    return Post(**values | fields)


def many_posts(count: int, *, source: int = 0) -> list[Post]:
    """Return posts that no rule drops."""
    words = ("gull", "ferry", "harbour", "lantern", "anchor", "pelican", "crab")
    texts = (
        f"{words[n % 7]} {n} met {words[n * 3 % 5]} {n * 37} on day {n * 101} of the {words[n % 4]}"
        for n in range(count)
    )
    return [a_post(text, number=number, source=source) for number, text in enumerate(texts)]


def count_posts(cleaned: Iterable[CleanedPost]) -> DataTable:
    """Return the data table of cleaned posts."""
    counts = DropCounts()
    for one in cleaned:
        counts.add(one)
    return counts.build_table()


def a_tweet(text: str = "the tide came back with soup", *, number: int = 1, **fields: Any) -> Json:
    """Return a tweet as an export holds it, inside its wrapper."""
    row = {
        "id_str": str(10**18 + number),
        "id": str(10**18 + number),
        "full_text": text,
        "created_at": "Fri Apr 09 04:54:00 +0000 2021",
        "lang": "en",
        "entities": {"user_mentions": [], "urls": [], "hashtags": []},
    }
    return {"tweet": row | fields}


def mentioning(*names: str) -> Json:
    """Return the entities of a text that mentions these names."""
    return {"user_mentions": [{"screen_name": name} for name in names], "urls": []}


def script(name: str, rows: Any) -> bytes:
    """Return a member of an export: an assignment of JSON."""
    return f"window.{name} = {json.dumps(rows, ensure_ascii=False)}".encode()


def tweets_js(*rows: Json, part: int = 0) -> bytes:
    """Return data/tweets.js with these rows."""
    return script(f"YTD.tweets.part{part}", rows)


def manifest_js(*names: str, counts: Sequence[object] = (), partial: bool = False) -> bytes:
    """Return data/manifest.js that lists these members with these numbers of records, 1 each if none are given."""
    numbers = counts or [1] * len(names)
    files = [
        {"fileName": name, "globalName": "YTD.x.part0", "count": str(count)}
        for name, count in zip(names, numbers, strict=True)
    ]
    info = {"isPartialArchive": partial}
    return script("__THAR_CONFIG", {"archiveInfo": info, "dataTypes": {"tweets": {"files": files}}})


def zipped(members: dict[str, bytes]) -> bytes:
    """Return a zip of these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


class ObjectsInMemory:
    """Objects in memory: an ObjectReader, and what it handed out."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = objects

    def open_seekable(self, uri: str) -> BinaryIO:
        """Return the object as a file."""
        return io.BytesIO(self.objects[uri])


class Pages:
    """A page cache in memory; `as_run` gives what another run sees of it."""

    def __init__(self, run_id: str = "run1", kept: dict[str, bytes] | None = None) -> None:
        self.run_id, self.kept = run_id, {} if kept is None else kept

    def as_run(self, run_id: str) -> "Pages":
        """Return the same cache for another run."""
        return Pages(run_id, self.kept)

    def list_names(self, folder: str) -> list[str]:
        """Return the names of what is kept in a folder."""
        return sorted(name.removeprefix(f"{folder}/") for name in self.kept if name.startswith(f"{folder}/"))

    def load(self, name: str) -> bytes | None:
        """Return what was kept under a name, or None."""
        return self.kept.get(name)

    def save(self, name: str, content: bytes) -> None:
        """Keep something, unless the name is taken."""
        self.kept.setdefault(name, content)


def texts(posts: Iterable[Post]) -> list[str]:
    """Return the posts' texts."""
    return [post.text for post in posts]
