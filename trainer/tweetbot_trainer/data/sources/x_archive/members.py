"""The members of an X export that are read: an allow-list, limits, and `window.YTD.… = [` as a stream of rows.

Nothing is extracted, and direct messages, likes, addresses and the like are never opened.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from tweetbot_contract import reasons
from tweetbot_trainer.data.posts import Json
from tweetbot_trainer.data.sources import json_array
from tweetbot_trainer.data.sources.x_archive.zip_file import AS_DOWNLOADED, BROKEN, build_refusal
from tweetbot_trainer.runtime.errors import SpecRefused

#: Exports that were packed again may have folders above `data`, and those of 2019 have no `data`. The folders of an
#: export's own web pages hold no posts.
FOLDER = r"(?!__MACOSX/)(?:(?:[^/]+/){0,4}?data/|(?!(?:assets|js|lib|css|img)/)(?:[^/]+/)?)"
#: The only members that are opened for posts.
_POSTS = re.compile(
    FOLDER + r"(?P<file>(?P<kind>tweets?|note-tweet|community-tweet)(?:-part(?P<part>[0-9]{1,4}))?\.js"
    r"|(?P<month>js/tweets/[0-9]{4}_[0-9]{2}\.js)|tweets\.csv|js/tweet_index\.js|manifest\.js)"
)
_MANIFEST, _INDEX, _TABLE = "manifest.js", "js/tweet_index.js", "tweets.csv"
#: A tweet takes about 2 KB, so a million fit. X splits its files at 50 MB.
UNPACKED_LIMIT = 2 * 1024**3
#: Exports are compressed 10 to 30 times; deflate's maximum is 1032.
RATIO_LIMIT = 200
RATIO_FREE = 1024**2
SCRIPT_LIMIT = 16 * 1024**2
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LOCKED = 0x1
_ONE_FOLDER = "X splits a large export into several zips: unpack them all into one folder, and upload that as one zip"
#: Characters within which a member's assignment must begin.
_HEAD = 200


@dataclass(frozen=True, slots=True)
class Members:
    """The members of an export that hold posts, in the order to read them, and the export's form in words.

    `partial` means that the export calls itself one zip of several.
    """

    form: str
    tweets: tuple[str, ...]
    notes: tuple[str, ...]
    months: tuple[str, ...]
    table: tuple[str, ...]
    partial: bool


def select_members(archive: zipfile.ZipFile) -> Members:
    """Find the members with posts by the export's own lists or, without a list, by their names.

    Raises SpecRefused: SourceNotAnExport or SourceNested if there are none, SourceIncomplete if one is missing,
    SourceEncrypted, SourceTooLarge, SourceUnreadable.
    """
    present = find_allowed(archive, _POSTS)
    _refuse_locked([archive.getinfo(name) for name in present.values()])
    manifest = read_script(archive, present.pop(_MANIFEST, None))
    index = read_script(archive, present.pop(_INDEX, None))
    partial = _is_partial(manifest)
    scripts = _filter_listed(_list_manifest_files(manifest)) or _select_by_name(present)
    by_name = sorted(file for file in present if file.startswith("js/tweets/"))
    months = _filter_listed(_list_index_files(index)) or by_name
    if missing := [file for file in (*scripts, *months) if file not in present]:
        message = f"the export is incomplete: its own list names {missing[0]}, which is not in the zip"
        raise build_refusal(message, reasons.SOURCE_INCOMPLETE, advice=_ONE_FOLDER if partial else AS_DOWNLOADED)
    _refuse_gaps(scripts)
    found = _build_members(present, scripts, months, partial=partial)
    if not found.tweets and not found.months and not found.table:
        raise _build_empty_refusal(archive.namelist(), partial=partial)
    _refuse_bombs([archive.getinfo(name) for name in (*found.tweets, *found.notes, *found.months, *found.table)])
    return found


def find_allowed(archive: zipfile.ZipFile, pattern: re.Pattern[str]) -> dict[str, str]:
    """Return the members that match the pattern of an allow-list, by its group `file`.

    Raises SpecRefused (SourceUnreadable) if two members have the same.
    """
    found: dict[str, str] = {}
    for name in archive.namelist():
        if match := pattern.fullmatch(name):
            if other := found.get(match["file"]):
                message = f"the zip holds {match['file']} twice, as {other} and as {name}"
                raise build_refusal(message, advice="upload one zip per export, and name each as a source of its own")
            found[match["file"]] = name
    return found


def iter_records(archive: zipfile.ZipFile, name: str) -> Iterator[Json]:
    """Yield each row of a member, without the wrapper around it in newer exports.

    Raises SpecRefused (SourceUnreadable), which names the member.
    """
    try:
        with archive.open(name) as raw:
            for item in _iter_items(raw):
                yield _unwrap(item)
    except BROKEN as error:
        raise build_damage_refusal(name, error) from error


def build_damage_refusal(name: str, error: Exception) -> SpecRefused:
    """Return the refusal of a damaged member."""
    return build_refusal(f"{name} in the zip is damaged ({str(error)[:120]})")


def read_script(archive: zipfile.ZipFile, name: str | None) -> Any:
    """Parse the JSON that a small member assigns; None if it is missing or damaged."""
    content = read_small(archive, name, SCRIPT_LIMIT) if name else None
    try:
        return json.loads(content.decode("utf-8-sig").partition("=")[2].strip().rstrip(";")) if content else None
    except BROKEN:
        return None


def read_small(archive: zipfile.ZipFile, name: str, limit: int) -> bytes | None:
    """Read a whole member; None if it has more than `limit` bytes or cannot be read."""
    member = archive.getinfo(name)
    if member.file_size > limit or member.flag_bits & _LOCKED or member.compress_type not in _METHODS:
        return None
    try:
        with archive.open(member) as raw:
            return raw.read(member.file_size)  # without a size it would unpack everything, whatever it claims to hold
    except BROKEN:
        return None


def _list_manifest_files(manifest: Any) -> list[str]:
    try:
        return [str(file["fileName"]) for kind in manifest["dataTypes"].values() for file in kind.get("files", ())]
    except (LookupError, TypeError, AttributeError):
        return []


def _list_index_files(index: Any) -> list[str]:
    try:
        return [str(month["file_name"]) for month in index]
    except (LookupError, TypeError):
        return []


def _is_partial(manifest: Any) -> bool:
    try:
        return manifest["archiveInfo"]["isPartialArchive"] is True
    except (LookupError, TypeError):
        return False


def _filter_listed(names: list[str]) -> list[str]:
    """Return those files of a list that hold posts, each once, in the list's order."""
    matches = (match for name in names if (match := _POSTS.fullmatch(name)) and (match["kind"] or match["month"]))
    return list(dict.fromkeys(match["file"] for match in matches))


def _select_by_name(present: dict[str, str]) -> list[str]:
    """Return the files with posts of today's form, each kind's parts in order."""
    return sorted((file for file in present if _parse_part(file)[0]), key=_parse_part)


def _parse_part(file: str) -> tuple[str, int]:
    """Return a file's kind in today's form, "" for none, and its part's number."""
    match = _POSTS.fullmatch(file)
    return (match["kind"] or "", int(match["part"] or 0)) if match else ("", 0)


def _refuse_gaps(scripts: list[str]) -> None:
    """Refuse a zip that lacks a part before one that it holds."""
    present = {_parse_part(file) for file in scripts}
    for file in scripts:
        kind, part = _parse_part(file)
        if part and (kind, part - 1) not in present:
            before = f"{kind}-part{part - 1}.js" if part > 1 else f"{kind}.js"
            message = f"the export is incomplete: {file} is in the zip, {before} is not"
            raise build_refusal(message, reasons.SOURCE_INCOMPLETE, advice=_ONE_FOLDER)


def _build_members(present: dict[str, str], scripts: list[str], months: list[str], *, partial: bool) -> Members:
    forms = [
        *(["2019 to 2022"] if "tweet.js" in scripts else []),
        *(["since 2022"] if scripts and "tweet.js" not in scripts else []),
        *(["Grailbird, before 2019"] if months or (_TABLE in present and not scripts) else []),
    ]
    return Members(
        form=" and ".join(forms),
        tweets=tuple(present[file] for file in scripts if not file.startswith("note-tweet")),
        notes=tuple(present[file] for file in scripts if file.startswith("note-tweet")),
        months=tuple(present[file] for file in months),
        table=() if scripts else tuple(name for file, name in present.items() if file == _TABLE),
        partial=partial,
    )


def _build_empty_refusal(names: list[str], *, partial: bool) -> SpecRefused:
    """Return the refusal of a zip without posts, which depends on what it holds instead."""
    own = [name for name in names if not name.startswith("__MACOSX/")]
    zips = [name for name in own if name.lower().endswith(".zip")]
    if partial:
        message = "there are no posts in this zip of the export"
        return build_refusal(message, reasons.SOURCE_INCOMPLETE, advice=_ONE_FOLDER)
    if zips:
        message = f"the zip holds another zip instead of posts ({zips[0][:80]})"
        advice = "unpack it once, and upload the zip that was inside" if len(zips) == 1 else _ONE_FOLDER
        return build_refusal(message, reasons.SOURCE_NESTED, advice=advice)
    if any(name.endswith("outbox.json") for name in own):
        message = "the zip is an export of Mastodon, not of X"
        return build_refusal(message, reasons.SOURCE_NOT_AN_EXPORT, advice="name it as a source of the kind mastodon")
    message = "there is no data/tweets.js in the zip"
    if any(name.lower().endswith((".html", ".htm")) for name in own):
        message = f"{message}, only web pages"
    return build_refusal(message, reasons.SOURCE_NOT_AN_EXPORT)


def _refuse_locked(members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        if member.flag_bits & _LOCKED:
            message = f"{member.filename} in the zip is locked with a password"
            raise build_refusal(message, reasons.SOURCE_ENCRYPTED, advice="unpack it, and upload it packed without one")
        if member.compress_type not in _METHODS:
            message = f"{member.filename} in the zip is packed by method {member.compress_type}, not by deflate"
            raise build_refusal(message)


def _refuse_bombs(members: list[zipfile.ZipInfo]) -> None:
    total = sum(member.file_size for member in members)
    if total > UNPACKED_LIMIT:
        message = f"the export's posts unpack to {total} bytes; at most {UNPACKED_LIMIT} are read"
        raise SpecRefused(reasons.SOURCE_TOO_LARGE, message)
    for member in members:
        if member.file_size > max(RATIO_FREE, RATIO_LIMIT * member.compress_size):
            message = f"{member.filename} in the zip unpacks to {RATIO_LIMIT} times its size or more, unlike any export"
            raise build_refusal(message, reasons.SOURCE_TOO_LARGE)


def _unwrap(item: object) -> Json:
    """Return the row itself or the one inside {"tweet": {…}}, {"noteTweet": {…}} and the like."""
    if isinstance(item, dict) and len(item) == 1:
        item = next(iter(item.values()))
    if not isinstance(item, dict):
        raise ValueError("a row is not an object")
    return item


def _iter_items(raw: IO[bytes]) -> Iterator[Any]:
    """Yield the items of the array after the first `=`, or at the very start."""
    text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
    head = ""
    while len(head) <= _HEAD and (char := text.read(1)):
        if char == "=":
            return json_array.iter_items(text, consumed=" " * len(head + char))  # columns count from the member's start
        head += char
        if head.strip() == "[":
            return json_array.iter_items(text, consumed="[")
    raise ValueError(f"it begins with {head[:40]!r}, not with window.YTD")
