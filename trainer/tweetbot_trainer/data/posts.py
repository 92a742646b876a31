"""Posts as every source yields them, as a dataset holds them, and as one JSON object per line.

    {"id": "1", "text": "…", "created_at": "2021-04-09T04:54:00.000Z", "lang": "en", "retweet": false, "reply": false}

`text` is what the source gave, with links and with X's `&amp;` and the like; cleaning comes later.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from tweetbot_trainer.data.reply_names import find_names_end

#: A decoded JSON object.
Json = dict[str, Any]
SCHEMA = 1
#: Precedes and ends every post in training; GPT-2's own mark between documents.
END_MARK = "<|endoftext|>"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: `Sat Feb 18 12:33:11 +0000 2023`, parsed with our own table, since strptime's names follow the locale.
_V1_TIME = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{1,2}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d) (\d{4})", re.ASCII
)
#: The language of a tag. Mastodon's exports write zh-CN as zhCn, as they do with every key.
_LANGUAGE = re.compile(r"[a-z]{2,3}(?=[-_A-Z]|$)|[A-Za-z]{2,3}(?=[-_]|$)")
#: Whole numbers from here on are rounded where they are written as floating point.
_EXACT = 2**53
#: Ids as spreadsheets and pandas write large numbers: 1.38039E+18, 1380391290000000000.0.
_ROUNDED = re.compile(r"\d(?:\.\d+)?[eE]\+\d\d|\d{16,}\.0+", re.ASCII)
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}


@dataclass(frozen=True, slots=True)
class Post:
    """A post as its source gave it. `created_at` is aware and in UTC; `source` is an index of spec.sources.

    `edits` holds the ids of all revisions of an edited post, its own included; otherwise it is empty. `truncated` says
    that the source has only the beginning of the text, `to_self` that a reply is to the author. `names_end` is the
    index in `text` after the @names that a network puts before a reply, 0 without any. `warning` is the author's
    content warning, which the network shows on a line before the text.
    """

    id: str
    text: str
    created_at: datetime | None = None
    lang: str | None = None
    source: int = 0
    retweet: bool = False
    reply: bool = False
    quote: bool = False
    edits: tuple[str, ...] = ()
    truncated: bool = False
    to_self: bool = False
    names_end: int = 0
    warning: str = ""


@dataclass(frozen=True, slots=True)
class DatasetPost:
    """A kept post: its cleaned text, and what splits and cards need to know about it."""

    id: str
    text: str
    created_at: datetime | None
    lang: str | None
    source: int


class BadPost(ValueError):
    """A record that is no post; the message says why."""


def replace_surrogates(text: str) -> str:
    """Make a text fit for UTF-8: join surrogate pairs, and replace lone surrogates by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def clean_text(given: object) -> str | None:
    """Return a non-empty string, made fit for UTF-8; None for anything else."""
    return replace_surrogates(given) if isinstance(given, str) and given else None


def parse_language(tag: object) -> str | None:
    """Return the language of a BCP 47 tag such as `pt-BR` or `ptBr` without its region, None if it has none."""
    match = _LANGUAGE.match(tag) if isinstance(tag, str) else None
    return match[0].lower() if match else None


def make_post_id(text: str, ordinal: int) -> str:
    """Return an id for a post without one: the sha256 of its text and its index in the input."""
    return hashlib.sha256(f"{text}\n{ordinal}".encode()).hexdigest()


def parse_time(text: str) -> datetime:
    """Parse ISO 8601 (UTC where it names no zone) or the export's own form. Raises BadPost."""
    try:
        if match := _V1_TIME.fullmatch(text):
            return _parse_v1_time(*match.groups()).astimezone(UTC)
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadPost(f"created_at {text[:40]!r} is not a time; write 2021-04-09T04:54:00Z") from error


def _parse_v1_time(*fields: str) -> datetime:
    month, day, hour, minute, second, sign, hours, minutes, year = fields
    shift = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    return datetime(
        int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=timezone(shift)
    )


def find_time(given: object) -> datetime | None:
    """Parse a time where `given` is one; None otherwise."""
    try:
        return parse_time(str(given))
    except BadPost:
        return None


def format_time(at: datetime) -> str:
    """Write a time as all times are written: UTC, milliseconds, Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_post(record: object, *, ordinal: int, source: int | None = None) -> Post:
    """Parse a decoded JSON or CSV record.

    `ordinal` is its index in the input; `source` overrides the record's own. Raises BadPost.
    """
    if not isinstance(record, Mapping):
        raise BadPost("not an object with the key text")
    if (schema := record.get("schema")) not in (None, "", SCHEMA, str(SCHEMA)):  # CSV cells are strings
        raise BadPost(f"schema {str(schema)[:20]} is unknown; this version reads {SCHEMA}")
    text = _read_text(record)
    return Post(
        id=_read_id(record, text, ordinal),
        text=text,
        created_at=_read_time(record),
        lang=_read_optional(record, "lang"),
        source=_read_count(record, "source") if source is None else source,
        retweet=_read_flag(record, "retweet"),
        reply=_read_flag(record, "reply"),
        quote=_read_flag(record, "quote"),
        edits=_read_edits(record),
        truncated=_read_flag(record, "truncated"),
        to_self=_read_flag(record, "to_self"),
        names_end=_read_names_end(record, text),
        warning=_read_optional(record, "warning") or "",
    )


def dump_post(post: Post) -> Json:
    """Return the post as values for JSON; a key warning only if it has one."""
    record = {
        "id": post.id,
        "text": post.text,
        "created_at": format_time(post.created_at) if post.created_at else None,
        "lang": post.lang,
        "source": post.source,
        "retweet": post.retweet,
        "reply": post.reply,
        "quote": post.quote,
        "edits": list(post.edits),
        "truncated": post.truncated,
        "to_self": post.to_self,
        "names_end": post.names_end,
    }
    return record | ({"warning": post.warning} if post.warning else {})


def parse_json(line: str, number: int, *, source: int | None = None) -> Post:
    """Parse one JSONL line. Raises BadPost."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadPost("not JSON") from error
    return parse_post(record, ordinal=number - 1, source=source)


def _read_text(record: Mapping[str, Any]) -> str:
    text = record.get("text")
    if not isinstance(text, str):
        raise BadPost("the key text is missing or not a string")
    return replace_surrogates(text)


def _read_id(record: Mapping[str, Any], text: str, ordinal: int) -> str:
    given = record.get("id")
    if given is None or given == "":
        return make_post_id(text, ordinal)
    return _validate_id(given, "id")


def _validate_id(given: object, key: str) -> str:
    number = parse_number_id(given)
    if not isinstance(number, str) or len(number) > 256:
        raise BadPost(f"{key} is neither a string nor a number, or longer than 256 characters")
    return replace_surrogates(number)


def parse_number_id(given: object) -> object:
    """Return an id that a program wrote as a number as a string, and anything else as it is.

    Raises BadPost if the program has rounded it.
    """
    rounded = isinstance(given, float) and abs(given) >= _EXACT
    if rounded or (isinstance(given, str) and _ROUNDED.fullmatch(given)):
        raise BadPost(f"the id {str(given)[:30]} was rounded by the program that wrote it; write ids as text")
    if isinstance(given, float) and given.is_integer():
        return str(int(given))
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


def _read_time(record: Mapping[str, Any]) -> datetime | None:
    given = _read_optional(record, "created_at")
    return parse_time(given) if given else None


def _read_optional(record: Mapping[str, Any], key: str) -> str | None:
    given = record.get(key)
    if given is not None and not isinstance(given, str):
        raise BadPost(f"{key} is not a string")
    return clean_text(given)


def _read_count(record: Mapping[str, Any], key: str) -> int:
    given = record.get(key)
    if given in (None, ""):
        return 0
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 10:  # a CSV cell
        return int(given)
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise BadPost(f"{key} is not an integer of 0 or more")
    return given


def _read_names_end(record: Mapping[str, Any], text: str) -> int:
    """Return the record's own index, else find the names of a reply."""
    if record.get("names_end") in (None, ""):
        return find_names_end(text) if _read_flag(record, "reply") else 0
    end = _read_count(record, "names_end")
    if end > len(text):
        raise BadPost(f"names_end is {end}, but the text has {len(text)} characters; leave it away to have names found")
    return end


def _read_edits(record: Mapping[str, Any]) -> tuple[str, ...]:
    given = record.get("edits") or ()
    if not isinstance(given, (list, tuple)):
        raise BadPost("edits is not a list of ids")
    return tuple(_validate_id(one, "an id in edits") for one in given)


def _read_flag(record: Mapping[str, Any], key: str) -> bool:
    given = record.get(key)
    if given is None or isinstance(given, bool):
        return bool(given)
    known = _WORDS.get(str(given).strip().lower())
    if known is None:
        raise BadPost(f"{key} is {str(given)[:20]!r}; write true or false")
    return known
