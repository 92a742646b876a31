"""The tables of Reddit's export that are read, and their rows.

posts.csv, comments.csv                  what the author wrote
post_headers.csv, comment_headers.csv    the same rows without texts, which say how many there are
statistics.csv                           the account's name

Messages, chats, drafts, votes and addresses of the network are never opened.
"""

import csv
import re
from collections.abc import Iterator
from typing import NamedTuple

from tweetbot_contract import reasons
from tweetbot_trainer.data.lines import decode_lines
from tweetbot_trainer.data.sources import archive_files
from tweetbot_trainer.data.sources.archive_files import BROKEN, ExportFile, Member
from tweetbot_trainer.data.sources.reddit.records import Cells
from tweetbot_trainer.runtime.errors import SpecRefused

POSTS, COMMENTS, STATISTICS = "posts.csv", "comments.csv", "statistics.csv"
#: The table of each that lists the same rows.
HEADERS = {POSTS: "post_headers.csv", COMMENTS: "comment_headers.csv"}
ALLOWED = re.compile(r"(?:[^/]+/){0,4}(?P<file>(?:posts|comments|post_headers|comment_headers|statistics)\.csv)")
#: The columns that each must have.
_COLUMNS = {POSTS: ("id", "title", "body"), COMMENTS: ("id", "body"), STATISTICS: ("statistic", "value")}
_HANDLE = re.compile(r"[A-Za-z0-9_-]{1,20}", re.ASCII)


class Line(NamedTuple):
    """A row by its columns, and the line at which it ends; `fault` is why it has no cells."""

    number: int
    cells: Cells
    fault: str = ""


def find_tables(opened: ExportFile) -> list[tuple[str, Member]]:
    """Return the tables of posts and of comments. Raises SpecRefused (SourceNotAnExport) if there is neither."""
    found = [(name, opened.members[name]) for name in HEADERS if name in opened.members]
    if opened.single and (name := _guess_table(opened.head)):
        found = [(name, opened.single)]
    if not found:
        raise archive_files.build_empty_refusal(opened, kind="reddit", wanted=f"{POSTS} or {COMMENTS}")
    return found


def iter_lines(member: Member, name: str) -> Iterator[Line]:
    """Yield the rows of a table. Raises SpecRefused: SourceNotAnExport if it is another table, or for damage."""
    try:
        with member.open() as content:
            reader = csv.reader(decode_lines(content), strict=True)
            columns = _read_columns(next(reader, []), member, _COLUMNS.get(name, ("id",)))
            for cells in reader:
                if cells:
                    yield _build_line(reader.line_num, columns, cells)
    except csv.Error as error:
        raise archive_files.translate_damage(ValueError(f"line {reader.line_num}: {error}"), member.label) from error
    except BROKEN as error:
        raise archive_files.translate_damage(error, member.label) from error


def count_lines(opened: ExportFile, name: str) -> int | None:
    """Return how many rows a table has by the one that lists them without texts, if that can be read."""
    member = opened.members.get(HEADERS[name])
    try:
        return sum(1 for _ in iter_lines(member, HEADERS[name])) if member else None
    except SpecRefused:
        return None


def find_account(opened: ExportFile) -> str | None:
    """Return the account's name."""
    member = opened.members.get(STATISTICS)
    try:
        lines = iter_lines(member, STATISTICS) if member else ()
        names = [line.cells["value"] for line in lines if line.cells.get("statistic") == "account name"]
    except SpecRefused:
        return None
    return names[0] if names and _HANDLE.fullmatch(names[0]) else None


def _guess_table(head: bytes) -> str | None:
    columns = head.decode("utf-8-sig", "replace").splitlines()[0].lower().split(",")
    return next((name for name in HEADERS if set(_COLUMNS[name]) <= set(columns)), None)


def _read_columns(cells: list[str], member: Member, required: tuple[str, ...]) -> list[str]:
    columns = [cell.strip().lower() for cell in cells]
    if missing := [column for column in required if column not in columns]:
        message = f"{member.label} has no column {missing[0]}, but {', '.join(columns)[:80] or 'nothing at all'}"
        raise archive_files.build_refusal(message, reasons.SOURCE_NOT_AN_EXPORT)
    return columns


def _build_line(number: int, columns: list[str], cells: list[str]) -> Line:
    if len(cells) != len(columns):
        return Line(number, {}, f"{len(cells)} cells where the header names {len(columns)}")
    return Line(number, dict(zip(columns, cells, strict=True)))
