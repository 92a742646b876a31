"""The lists that an export has of its own files: manifest.js, and tweet_index.js before 2019."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tweetbot_trainer.data.sources.archive_files import Member
from tweetbot_trainer.data.sources.archive_files.names import normalize_name
from tweetbot_trainer.data.sources.x_archive.layout import ALLOWED, INDEX, MANIFEST, read_script


@dataclass(frozen=True, slots=True)
class OwnLists:
    """The files with posts and notes that an export lists, each with the number of its records, None if unknown.

    `partial` means that it calls itself one archive of several.
    """

    counts: Mapping[str, int | None] = field(default_factory=dict)
    partial: bool = False


def read_lists(members: Mapping[str, Member]) -> OwnLists | None:
    """Return what the export's lists say; None without a list that can be read."""
    manifest, index = read_script(members.get(MANIFEST)), read_script(members.get(INDEX))
    if not isinstance(manifest, dict) and not isinstance(index, list):
        return None
    found = [*_list_manifest_files(manifest), *_list_index_files(index)]
    counts: dict[str, int | None] = {}
    for name, count in found:
        match = ALLOWED.fullmatch((normalize_name(name) or "").lower())
        if match and (match["kind"] or match["month"]):
            counts.setdefault(match["file"], _parse_count(count))
    return OwnLists(counts, _is_partial(manifest))


def _list_manifest_files(manifest: Any) -> list[tuple[str, Any]]:
    try:
        files = [file for kind in manifest["dataTypes"].values() for file in kind.get("files", ())]
        return [(str(file["fileName"]), file.get("count")) for file in files]
    except (LookupError, TypeError, AttributeError):
        return []


def _list_index_files(index: Any) -> list[tuple[str, Any]]:
    try:
        return [(str(month["file_name"]), month.get("tweet_count")) for month in index]
    except (LookupError, TypeError, AttributeError):
        return []


def _parse_count(given: Any) -> int | None:
    text = str(given)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _is_partial(manifest: Any) -> bool:
    try:
        return manifest["archiveInfo"]["isPartialArchive"] in (True, "true")
    except (LookupError, TypeError):
        return False
