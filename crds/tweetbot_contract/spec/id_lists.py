"""Lists of posts' ids, as people have them: one per line, a compliance job's result, or a file of an X archive."""

import json
from typing import Any

#: How many ids spec.filter.excludeIds takes, and how many characters one may have.
EXCLUDED_LIMIT, ID_LIMIT = 1000, 128
#: How a file of an X archive begins, such as deleted-tweets.js.
_ARCHIVE = "window.YTD."
_FORMS = "write an id, or a JSON object with id"


def parse_id_list(content: bytes, name: str) -> frozenset[str]:
    """Parse a list of ids. Raises ValueError, which names the file and the line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not UTF-8") from error
    ids = frozenset(_parse_archive(text, name) if text.startswith(_ARCHIVE) else _parse_lines(text, name))
    if not ids:
        raise ValueError(f"{name} names no post")
    return ids


def _parse_lines(text: str, name: str) -> list[str]:
    lines = ((number, line.strip()) for number, line in enumerate(text.splitlines(), 1))
    return [_parse_line(line, f"{name}, line {number}") for number, line in lines if line]


def _parse_line(line: str, location: str) -> str:
    if not line.startswith("{"):
        return line
    try:
        return str(json.loads(line)["id"])
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ValueError(f"{location}: {_FORMS}") from error


def _parse_archive(text: str, name: str) -> list[str]:
    """Parse `window.YTD.tweets.part0 = [{"tweet": {"id_str": …}}, …]`."""
    try:
        records: list[Any] = json.loads(text.partition("=")[2])
        return [str(record["tweet"]["id_str"]) for record in records]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ValueError(f"{name} is no list of posts of an X archive, such as data/deleted-tweets.js") from error
