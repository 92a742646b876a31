"""A file of posts in a plain format: JSON lines, CSV with a header, or one post per line."""

import csv
import io
from collections.abc import Callable, Iterator
from functools import partial

from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import PostsSource
from tweetbot_trainer.data.posts import BadPost, Post, decode_lines, make_post_id, parse_json, parse_lines, parse_post
from tweetbot_trainer.data.sources.interface import ObjectReader, Profile, SourceReport
from tweetbot_trainer.runtime.errors import SpecRefused

SIZE_LIMIT = 1024**3


class PostsFileSource:
    """The posts of a jsonl, csv or txt file."""

    def __init__(self, spec: PostsSource, index: int, reader: ObjectReader) -> None:
        self._spec, self._index, self._reader = spec, index, reader

    def read_posts(self) -> Iterator[Post]:
        """Yield the file's posts. Raises SpecRefused: SourceUnreadable, which names the line, or SourceTooLarge."""
        try:
            with self._reader.open_seekable(self._spec.uri) as file:
                if (size := file.seek(0, io.SEEK_END)) > SIZE_LIMIT:
                    message = f"{self._spec.uri} has {size} bytes; at most {SIZE_LIMIT} are read"
                    raise SpecRefused(reasons.SOURCE_TOO_LARGE, message)
                file.seek(0)
                yield from _READERS[self._spec.format](decode_lines(file), self._index)
        except BadPost as error:
            raise SpecRefused(reasons.SOURCE_UNREADABLE, f"{self._spec.uri}, {error}; correct that line") from error

    def build_report(self) -> SourceReport:
        """Return what was left out."""
        return SourceReport()

    def read_profile(self) -> Profile | None:
        """Return None: plain files hold no profile."""
        return None


def _read_jsonl(lines: Iterator[str], source: int) -> Iterator[Post]:
    return parse_lines(lines, partial(parse_json, source=source))


def _read_txt(lines: Iterator[str], source: int) -> Iterator[Post]:
    return parse_lines(lines, lambda line, number: Post(make_post_id(line, number - 1), line, source=source))


def _read_csv(lines: Iterator[str], source: int) -> Iterator[Post]:
    reader = csv.DictReader(lines, strict=True)
    try:
        if "text" not in (names := reader.fieldnames or ()):
            # with another delimiter this shows one long column
            raise BadPost(f"the header names no column text; separated by commas, it names {', '.join(names)[:80]!r}")
        for ordinal, record in enumerate(reader):
            if None in record:  # not "": the first column of a table that pandas wrote has no name
                raise BadPost("more cells than the header names")
            yield parse_post(record, ordinal=ordinal, source=source)
    except (BadPost, csv.Error) as error:
        # errors of decode_lines name their own line, which the reader has not counted yet
        prefix = "" if str(error).startswith("line ") else f"line {reader.reader.line_num}: "
        raise BadPost(f"{prefix}{error}") from error


def _read_openai(lines: Iterator[str], source: int) -> Iterator[Post]:
    raise BadPost("line 1: the format openai is not read yet")


_READERS: dict[str, Callable[[Iterator[str], int], Iterator[Post]]] = {
    "jsonl": _read_jsonl,
    "csv": _read_csv,
    "txt": _read_txt,
    "openai": _read_openai,
}
