"""Which members of an X export hold posts, and `window.YTD.… = [` as a stream of rows."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import IO

from tweetbot_contract import reasons
from tweetbot_trainer.data.posts import BadPost, Json
from tweetbot_trainer.data.sources.archive_files import (
    BROKEN,
    ExportFile,
    Member,
    build_empty_refusal,
    build_refusal,
)
from tweetbot_trainer.data.sources.archive_files.refusals import DOWNLOAD_AGAIN
from tweetbot_trainer.data.sources.json_array import Entry, build_head_error, iter_entries, open_text
from tweetbot_trainer.data.sources.x_archive.layout import (
    INDEX,
    MANIFEST,
    MISNAMED,
    MONTHS,
    TABLE,
    WHAT_TO_UPLOAD,
    parse_part,
)
from tweetbot_trainer.data.sources.x_archive.lists import OwnLists, read_lists
from tweetbot_trainer.data.sources.x_archive.single import identify_single
from tweetbot_trainer.runtime.errors import SpecRefused

#: A tweet takes about 2 KB, so a million fit. X splits its files at 50 MB.
UNPACKED_LIMIT = 2 * 1024**3
_ONE_FOLDER = "X splits a large export into several zips: unpack them all into one folder, and upload that as one zip"
#: Kinds of files without which some posts are cut or missing, but which owners leave out.
_OPTIONAL = ("note-tweet", "community-tweet")
_NO_SPACE = re.compile(r"\S")
#: Characters within which a member's assignment must begin.
_HEAD = 200


@dataclass(frozen=True, slots=True)
class PostsFile:
    """A member with posts: `file` is its name in X's exports, `count` its rows by the export's own list, if it says."""

    file: str
    member: Member
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Members:
    """The members of an export that hold posts, in the order to read them, and the export's form in words.

    `partial` means that the export calls itself one archive of several; `absent` are files that the owner left out,
    with the numbers of their records, `unlisted` those that the export's own list does not name, and `misnamed` what is
    not read although its name is almost right. `alone` is the one file of which the upload consists.
    """

    form: str
    tweets: tuple[PostsFile, ...]
    notes: tuple[Member, ...]
    months: tuple[PostsFile, ...]
    table: tuple[PostsFile, ...]
    partial: bool = False
    absent: Mapping[str, int] = field(default_factory=dict)
    unlisted: tuple[str, ...] = ()
    misnamed: tuple[str, ...] = ()
    alone: str = ""

    @property
    def with_posts(self) -> tuple[PostsFile, ...]:
        """Return all files with posts, in the order to read them."""
        return (*self.tweets, *self.months, *self.table)

    @property
    def lacks_notes(self) -> bool:
        """Whether the export has no whole texts of long posts, although its form has a file for them."""
        return bool(self.tweets) and not self.notes


def select_members(opened: ExportFile) -> Members:
    """Find the members with posts by their names, and compare them with the export's own lists.

    Raises SpecRefused: SourceNotAnExport or SourceNested if there are none, SourceIncomplete if one is missing,
    SourceEncrypted, SourceTooLarge, SourceUnreadable.
    """
    if opened.single:
        return _select_single(opened, opened.single)
    present = {file: member for file, member in opened.members.items() if _holds_posts(file)}
    _refuse_bulk(present.values())
    _refuse_problems(member for file, member in opened.members.items() if file in present or file in (MANIFEST, INDEX))
    lists = read_lists(opened.members)
    absent = _find_absent(lists, present) if lists else {}
    found = _build_members(present, lists, absent)
    _refuse_gaps(found.tweets)
    if not found.with_posts:
        raise _build_none_refusal(opened, lists)
    return replace(found, misnamed=tuple(name for name in opened.others if MISNAMED.fullmatch(name.lower())))


def iter_records(member: Member) -> Iterator[Entry]:
    """Yield each row of a member, with its place.

    Raises SpecRefused (SourceUnreadable), which names the member.
    """
    try:
        with member.open() as raw:
            yield from _iter_entries(raw)
    except BROKEN as error:
        raise build_damage_refusal(member, error) from error


def unwrap(item: object) -> Json:
    """Return a row itself or the one inside {"tweet": {…}}, {"noteTweet": {…}} and the like. Raises BadPost."""
    if isinstance(item, dict) and len(item) == 1:
        item = next(iter(item.values()))
    if not isinstance(item, dict):
        raise BadPost(f"it is {json.dumps(item)[:30]}, not an object")
    return item


def build_damage_refusal(member: Member, error: Exception) -> SpecRefused:
    """Return the refusal of a damaged member."""
    return build_refusal(f"{member.label} is damaged ({str(error)[:120]})", advice=DOWNLOAD_AGAIN)


def _holds_posts(file: str) -> bool:
    return bool(parse_part(file)[0]) or file.startswith(MONTHS) or file == TABLE


def _refuse_bulk(members: Iterable[Member]) -> None:
    total = sum(member.size for member in members)
    if total > UNPACKED_LIMIT:
        message = f"the export's posts unpack to {total} bytes; at most {UNPACKED_LIMIT} are read"
        raise SpecRefused(reasons.SOURCE_TOO_LARGE, message)


def _refuse_problems(members: Iterable[Member]) -> None:
    for member in members:
        if member.problem:
            raise member.problem


def _find_absent(lists: OwnLists, present: Mapping[str, Member]) -> dict[str, int]:
    """Return the files that the export lists and the owner took out, with their counts of records; empty ones are left.

    Raises SpecRefused (SourceIncomplete) for a file without which it is no whole export.
    """
    lacking = {file: count for file, count in lists.counts.items() if file not in present and count != 0}
    for file in lacking:
        if parse_part(file)[0] not in _OPTIONAL:
            message = f"the export is incomplete: its own list names {file}, which is not in it"
            advice = _ONE_FOLDER if lists.partial else f"add {file}, or {DOWNLOAD_AGAIN}"
            raise build_refusal(message, reasons.SOURCE_INCOMPLETE, advice=advice)
    return {file: count or 0 for file, count in lacking.items()}


def _refuse_gaps(tweets: Iterable[PostsFile]) -> None:
    """Refuse an archive that lacks a part before one that it holds."""
    present = {parse_part(posts.file) for posts in tweets}
    for kind, part in sorted(present):
        if part and (kind, part - 1) not in present:
            before = f"{kind}-part{part - 1}.js" if part > 1 else f"{kind}.js"
            message = f"the export is incomplete: it holds {kind}-part{part}.js, but not {before}"
            raise build_refusal(message, reasons.SOURCE_INCOMPLETE, advice=_ONE_FOLDER)


def _build_members(present: Mapping[str, Member], lists: OwnLists | None, absent: Mapping[str, int]) -> Members:
    counts = lists.counts if lists else {}
    files = [*(file for file in counts if file in present), *sorted(present.keys() - counts.keys(), key=_sort_key)]
    found = [PostsFile(file, present[file], counts.get(file)) for file in files]
    tweets = [posts for posts in found if parse_part(posts.file)[0] not in ("", "note-tweet")]
    months = [posts for posts in found if posts.file.startswith(MONTHS)]
    return Members(
        form=_describe_form({posts.file for posts in tweets}, months=bool(months), table=TABLE in present),
        tweets=tuple(tweets),
        notes=tuple(posts.member for posts in found if parse_part(posts.file)[0] == "note-tweet"),
        months=tuple(months),
        table=() if tweets else tuple(posts for posts in found if posts.file == TABLE),
        partial=lists.partial if lists else False,
        absent=absent,
        unlisted=tuple(file for file in files if file not in counts and file != TABLE) if counts else (),
    )


def _sort_key(file: str) -> tuple[str, int, str]:
    return (*parse_part(file), file)


def _describe_form(tweets: set[str], *, months: bool, table: bool) -> str:
    forms = [
        *(["2019 to 2022"] if "tweet.js" in tweets else []),
        *(["since 2022"] if tweets and "tweet.js" not in tweets else []),
        *(["Grailbird, before 2019"] if months or (table and not tweets) else []),
    ]
    return " and ".join(forms)


def _select_single(opened: ExportFile, single: Member) -> Members:
    """Return the one file of which the upload consists. Raises SpecRefused (SourceNotAnExport) if it is another."""
    file = identify_single(opened)
    _refuse_bulk([single])
    return replace(_build_members({file: replace(single, name=file, label=file)}, None, {}), alone=file)


def _build_none_refusal(opened: ExportFile, lists: OwnLists | None) -> SpecRefused:
    """Return the refusal of an archive without posts."""
    if lists and lists.partial:
        message = "there are no posts in this zip of the export"
        return build_refusal(message, reasons.SOURCE_INCOMPLETE, advice=_ONE_FOLDER)
    if lists:
        message = "it is an X export without posts: its own list names no file with any"
        advice = "check that it is the account you mean; if the posts were taken out, add tweets.js"
        return build_refusal(message, reasons.SOURCE_NOT_AN_EXPORT, advice=advice)
    return build_empty_refusal(opened, kind="archive", wanted="data/tweets.js", advice=WHAT_TO_UPLOAD)


def _iter_entries(raw: IO[bytes]) -> Iterator[Entry]:
    """Yield the entries of the array after the first `=`, or at the very start."""
    text = open_text(raw)
    head = ""
    while len(head) <= _HEAD and (char := text.read(1)):
        if char == "=":
            return iter_entries(text, consumed=_NO_SPACE.sub(" ", head + char))  # positions count from the start
        head += char
        if head.strip() == "[":
            return iter_entries(text, consumed=head)
        if char == "\0":  # no UTF-8
            break
    raise build_head_error(head, "window.YTD")
