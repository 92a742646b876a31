"""The records of Meta's exports as posts, with the letters that Meta writes wrongly put right.

    {"media": [{"uri": "", "creation_timestamp": 1754466859, "title": "low tide", "text_app_post": {"is_reply": true}}]}
    {"title": "three photos", "creation_timestamp": 1754500000, "media": [{…}, {…}, {…}]}

The text is the title of the post or, where it has at most one picture, of its only medium.
"""

import hashlib
import html
from datetime import UTC, datetime

from tweetbot_trainer.data.posts import BadPost, Json, Post, replace_surrogates


def parse_record(record: object, source: int) -> Post | None:
    """Parse a post of Threads or Instagram; None if the record has neither text nor picture. Raises BadPost."""
    if not isinstance(record, dict):
        raise BadPost("not an object")
    parts = [record, *_list_media(record)]
    text = next((text for part in parts if (text := _read_title(part))), "")
    if not text and not any(part.get("uri") for part in parts):
        return None
    stamp = next((stamp for part in parts if (stamp := _read_stamp(part)) is not None), None)
    return Post(
        id=hashlib.sha256(f"{stamp}\n{text}".encode()).hexdigest(),
        text=html.escape(text, quote=False),
        created_at=_convert_stamp(stamp),
        source=source,
        reply=any(_is_reply(part) for part in parts),
    )


def repair_text(given: str) -> str:
    """Return a text of Meta's, which has each byte of UTF-8 as a character; a text that is right stays as it is."""
    try:
        return given.encode("latin-1").decode()
    except UnicodeError:
        return replace_surrogates(given)


def _list_media(record: Json) -> list[Json]:
    media = record.get("media") or []
    if not isinstance(media, list):
        raise BadPost("media is not a list")
    return [one for one in media if isinstance(one, dict)]


def _read_title(part: Json) -> str:
    title = part.get("title")
    if title is not None and not isinstance(title, str):
        raise BadPost("title is not a string")
    return repair_text(title or "").strip()


def _read_stamp(part: Json) -> int | None:
    """Return the seconds since 1970 at which it was posted; 0 is what Meta writes where it does not know."""
    stamp = part.get("creation_timestamp")
    return int(stamp) if isinstance(stamp, (int, float)) and 0 < stamp < 2**40 else None


def _convert_stamp(stamp: int | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(stamp, UTC) if stamp else None
    except (ValueError, OverflowError, OSError):
        return None


def _is_reply(part: Json) -> bool:
    of_threads = part.get("text_app_post")
    return isinstance(of_threads, dict) and of_threads.get("is_reply") is True
