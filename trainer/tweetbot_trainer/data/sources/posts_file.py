"""A file of posts in a plain format: JSON lines, CSV with a header, one post per line, or for OpenAI's fine-tuning."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from typing import BinaryIO

from tweetbot_contract import reasons
from tweetbot_contract.spec.sources import PostsSource
from tweetbot_trainer.data.encodings import find_wide_encoding
from tweetbot_trainer.data.lines import WrongEncoding, decode_lines
from tweetbot_trainer.data.posts import BadPost, Post, make_post_id, parse_json, parse_post
from tweetbot_trainer.data.sources.answers import JSON, find_answer
from tweetbot_trainer.data.sources.archive_files.contents import build_empty_refusal
from tweetbot_trainer.data.sources.archive_files.export import open_export
from tweetbot_trainer.data.sources.archive_files.foreign import find_foreign
from tweetbot_trainer.data.sources.archive_files.refusals import build_refusal, put_address
from tweetbot_trainer.data.sources.damage import DamageCount
from tweetbot_trainer.data.sources.interface import ObjectReader, Profile, SourceReport
from tweetbot_trainer.data.sources.openai_file import OtherFile, explain_fault, read_openai
from tweetbot_trainer.runtime.errors import SpecRefused

SIZE_LIMIT = 1024**3
#: A record's line, and its post, None if it is no post of the author, or what is wrong with it.
Record = tuple[int, Post | BadPost | None]
#: Characters that spreadsheets put between cells instead of the comma, and their names.
_SEPARATORS = {";": "semicolons", "\t": "tabs"}


#: The first bytes of a zip, an empty one and a gzip file; a post may begin with PK.
_PACKED = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b")
#: The first bytes, of which a file shows what it is.
_HEAD = 4096
_NOTHING = re.compile("(?P<file>(?!))")
_UNPACK = "unpack it, and upload the file of posts itself"


class WrongFile(BadPost):
    """A file that is not of its format as a whole; the message says what to do."""


class PostsFileSource:
    """The posts of a jsonl, csv, txt or openai file."""

    def __init__(self, spec: PostsSource, index: int, reader: ObjectReader) -> None:
        self._spec, self._index, self._reader = spec, index, reader
        self._damage = DamageCount(index, prefix=f"{spec.uri}: ", advice="correct the file")
        self._left_out: Counter[str] = Counter()

    def read_posts(self) -> Iterator[Post]:
        """Yield the file's posts.

        Raises SpecRefused: SourceUnreadable, which names the line, SourceNotAnExport, or SourceTooLarge.
        """
        try:
            with self._reader.open_seekable(self._spec.uri) as file:
                if (size := file.seek(0, io.SEEK_END)) > SIZE_LIMIT:
                    message = f"{self._spec.uri} has {size} bytes; at most {SIZE_LIMIT} are read"
                    raise SpecRefused(reasons.SOURCE_TOO_LARGE, message)
                self._check_form(file, size)
                yield from self._filter_damaged(_READERS[self._spec.format](decode_lines(file), self._index))
        except OtherFile as error:
            raise SpecRefused(reasons.SOURCE_NOT_AN_EXPORT, f"{self._spec.uri}, {error}") from error
        except BadPost as error:
            advice = "" if isinstance(error, WrongFile) else "; correct that line"
            if isinstance(error, WrongEncoding):
                advice = "; save the file as UTF-8" + (' (in Excel: "CSV UTF-8")' if self._spec.format == "csv" else "")
            raise SpecRefused(reasons.SOURCE_UNREADABLE, f"{self._spec.uri}, {error}{advice}") from error

    def _check_form(self, file: BinaryIO, size: int) -> None:
        """Refuse an archive and other files that are no text, and go back to the beginning. Raises SpecRefused."""
        file.seek(0)
        head = file.read(_HEAD)
        with put_address(f"spec.sources[{self._index}].posts.uri: {self._spec.uri}"):
            if head.startswith(_PACKED):
                raise _build_packed_refusal(file)
            if b"\0" in head and not find_wide_encoding(head) and (foreign := find_foreign(head, size)):
                raise foreign
        file.seek(0)

    def build_report(self) -> SourceReport:
        """Return what was left out: damaged records, and answers without text. No plain file says how many it holds."""
        return SourceReport(
            left_out={"unreadable": self._damage.damaged} | self._left_out,
            warnings=self._damage.build_warnings(),
        )

    def read_profile(self) -> Profile | None:
        """Return None: plain files hold no profile."""
        return None

    def _filter_damaged(self, records: Iterator[Record]) -> Iterator[Post]:
        """Yield the posts, and count the damaged records."""
        for line, post in records:
            if isinstance(post, BadPost):
                self._damage.add_damaged(f"line {line}", post)
                continue
            self._damage.add_good()
            if post:
                yield post
            else:
                self._left_out["not_posts"] += 1
        self._damage.check()


def _build_packed_refusal(file: BinaryIO) -> SpecRefused:
    """Return what an archive is, and the kind of source that reads it, if one does."""
    opened = open_export(file, _NOTHING)
    if opened.form == "gz":
        return build_refusal("it is packed as .gz", advice="unpack it with gunzip, and upload the file that comes")
    return build_empty_refusal(opened, kind="posts", wanted="export", advice=_UNPACK)


def _read_jsonl(lines: Iterator[str], source: int) -> Iterator[Record]:
    for number, line in enumerate(lines, start=1):
        if line.startswith("[") and number == 1:
            raise WrongFile(
                "line 1: not an object with the key text but an array. Write one object per line (jq -c '.[]')"
            )
        if line.strip():
            try:
                yield number, parse_json(line, number, source=source)
            except BadPost as error:
                yield number, explain_fault(line, error)


def _read_txt(lines: Iterator[str], source: int) -> Iterator[Record]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            text = line.rstrip("\r\n")
            yield number, Post(make_post_id(text, number - 1), text, source=source)


def _read_csv(lines: Iterator[str], source: int) -> Iterator[Record]:
    first = next(lines, "")
    _check_header(first)
    reader = csv.DictReader(chain([first], lines), strict=True)
    try:
        if "text" not in (names := reader.fieldnames or ()):
            shown = f"the header names no column text; separated by commas, it names {', '.join(names)[:80]!r}"
            raise BadPost(shown if "text" not in map(_simplify, names) else f"{shown}. Write text in lower case")
        for ordinal, record in enumerate(reader):
            yield reader.reader.line_num, _parse_record(record, ordinal, source)
    except (BadPost, csv.Error) as error:
        if str(error).startswith("line "):  # decode_lines names the line, which the reader has not counted yet
            raise
        raise BadPost(f"line {max(1, reader.reader.line_num)}: {error}") from error


def _check_header(header: str) -> None:
    """Raise WrongFile if the first line shows that the file has another form."""
    if not header.strip():
        raise WrongFile("line 1: the header names no column text: the file is empty. Give a file with posts")
    if header.lower().startswith("sep="):
        raise WrongFile(f"line 1: {header.strip()[:20]!r} is a hint for Excel, not the header. Remove that line")
    if (answer := find_answer(header.encode())) and answer.kind != JSON:
        raise WrongFile(f"line 1: it is {answer}, not a table. Download the file again")
    for separator, name in _SEPARATORS.items():
        cells = [_simplify(cell) for cell in header.split(separator)]
        if len(cells) > 1 and "text" in cells:
            raise WrongFile(
                f"line 1: the header names no column text; separated by commas, it names {header.strip()[:80]!r}: the "
                f"cells are separated by {name}. Save it with commas, as Google Sheets and LibreOffice do"
            )


def _simplify(cell: str) -> str:
    return cell.strip(' "\r\n').lower()


def _parse_record(record: dict[str, str], ordinal: int, source: int) -> Post | BadPost:
    if None in record:  # not "": the first column of a table that pandas wrote has no name
        return BadPost("more cells than the header names")
    try:
        return parse_post(record, ordinal=ordinal, source=source)
    except BadPost as error:
        return error


_READERS: dict[str, Callable[[Iterator[str], int], Iterator[Record]]] = {
    "jsonl": _read_jsonl,
    "csv": _read_csv,
    "txt": _read_txt,
    "openai": read_openai,
}
