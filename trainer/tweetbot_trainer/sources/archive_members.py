"""Which members of an X export are read, and how: an allow-list, caps, and `window.YTD.… = [` as a stream of rows.

Nothing is ever extracted, and direct messages, likes, addresses and the like are never opened.
"""

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

from tweetbot_contract import reasons
from tweetbot_trainer.errors import SpecRefused
from tweetbot_trainer.sources import json_array

#: The only members that are ever opened; re-zipped exports may have a folder above `data`.
_ALLOWED = re.compile(
    r"(?P<folder>(?:(?!__MACOSX/)[^/]+/)?)data/"
    r"(?P<file>(?P<kind>tweets?|note-tweet|community-tweet)(?:-part\d{1,4})?\.js|manifest\.js)"
)
_KINDS = {"tweet": "tweets", "tweets": "tweets", "note-tweet": "notes", "community-tweet": "tweets"}
#: X's own parts end at 50 MB and a tweet takes about 2 KB: a million tweets fit.
UNPACKED_LIMIT = 2 * 1024**3
#: Exports pack 10 to 30 fold; deflate's most is 1032.
RATIO_LIMIT = 200
RATIO_FREE = 1024**2
MANIFEST_LIMIT = 16 * 1024**2
#: The assignment stands at the very start of a member.
_HEAD = 200
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)

Row = dict[str, Any]


def unreadable(message: str) -> SpecRefused:
    """Return the refusal of a file that is not an X export."""
    return SpecRefused(reasons.SOURCE_UNREADABLE, f"{message}; upload the export as it was downloaded from X")


def opened(file: IO[bytes], uri: str) -> zipfile.ZipFile:
    """Return the export's table of contents. Raises SpecRefused (SourceUnreadable)."""
    try:
        return zipfile.ZipFile(file)
    except (*_BROKEN, IndexError) as error:
        raise unreadable(f"{uri} is no readable zip ({error})") from error


def members_to_read(archive: zipfile.ZipFile) -> dict[str, list[str]]:
    """Return the members with `tweets` and with `notes`, as the manifest lists them, or by name without one.

    Raises SpecRefused: SourceUnreadable when there are no tweets or a listed part is missing, SourceTooLarge.
    """
    present = {match["file"]: name for name in sorted(archive.namelist()) if (match := _ALLOWED.fullmatch(name))}
    listed = _listed(archive, present.pop("manifest.js", None)) or sorted(present)
    if missing := [name for name in listed if name not in present]:
        raise unreadable(f"the export is incomplete: its manifest lists data/{missing[0]}, which is not in the zip")
    _refuse_bombs([archive.getinfo(present[name]) for name in listed])
    found: dict[str, list[str]] = {"tweets": [], "notes": []}
    for name in listed:
        found[_kind(name)].append(present[name])
    if not found["tweets"]:
        raise unreadable("there is no data/tweets.js in the zip")
    return found


def rows(archive: zipfile.ZipFile, name: str) -> Iterator[Row]:
    """Yield each row of a member, without the wrapper that newer exports put around it.

    Raises SpecRefused (SourceUnreadable), naming the member.
    """
    try:
        with archive.open(name) as raw:
            for item in _items(raw):
                yield _unwrapped(item)
    except _BROKEN as error:
        raise unreadable(f"{name} in the zip is damaged ({str(error)[:120]})") from error


def _kind(file: str) -> str:
    match = _ALLOWED.fullmatch(f"data/{file}")
    return _KINDS[match["kind"]] if match else ""


def _listed(archive: zipfile.ZipFile, manifest: str | None) -> list[str]:
    """Return the allowed parts that the manifest lists, in its order; none when it cannot be read."""
    if manifest is None or archive.getinfo(manifest).file_size > MANIFEST_LIMIT:
        return []
    try:
        text = archive.read(manifest).decode("utf-8-sig")
        types = json.loads(text.partition("=")[2].strip().rstrip(";"))["dataTypes"]
        files = [file["fileName"] for kind in types.values() for file in kind.get("files", ())]
    except (*_BROKEN, LookupError, TypeError, AttributeError):
        return []
    return list(dict.fromkeys(name.removeprefix("data/") for name in files if _ALLOWED.fullmatch(str(name))))


def _refuse_bombs(members: list[zipfile.ZipInfo]) -> None:
    total = sum(member.file_size for member in members)
    if total > UNPACKED_LIMIT:
        message = f"the export's posts unpack to {total} bytes; at most {UNPACKED_LIMIT} are read"
        raise SpecRefused(reasons.SOURCE_TOO_LARGE, message)
    for member in members:
        if member.file_size > max(RATIO_FREE, RATIO_LIMIT * member.compress_size):
            message = f"{member.filename} in the zip unpacks {RATIO_LIMIT}-fold or more, as no export of X does"
            raise SpecRefused(reasons.SOURCE_TOO_LARGE, message)


def _unwrapped(item: object) -> Row:
    """Return the row inside {"tweet": {…}}, {"noteTweet": {…}} and the like, or the row itself."""
    if isinstance(item, dict) and len(item) == 1:
        item = next(iter(item.values()))
    if not isinstance(item, dict):
        raise ValueError("a row is not an object")
    return item


def _items(raw: IO[bytes]) -> Iterator[Any]:
    """Yield the items of the array behind the first `=`, or at the very start where nothing is assigned."""
    text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
    head = ""
    while len(head) <= _HEAD and (sign := text.read(1)):
        if sign == "=":
            return json_array.items(text)
        head += sign
        if head.strip() == "[":
            return json_array.items(text, begun="[")
    raise ValueError(f"it begins with {head[:40]!r}, not with window.YTD")
