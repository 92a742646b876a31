"""A page of X's timeline as posts, in either vocabulary: OpenAPI 2.167 renames tweets to posts."""

import re
from datetime import datetime
from typing import Any

from tweetbot_contract import reasons
from tweetbot_trainer.errors import Temporary
from tweetbot_trainer.posts import BadPost, Post, parsed_time, well_formed

Json = dict[str, Any]
_ID = re.compile(r"[0-9]{1,20}")


def posts_of(page: Json, source: int) -> list[Post]:
    """Return a page's posts, newest first. Raises Temporary (XUnavailable) when they are not as documented."""
    return [_post(record, source) for record in _records(page)]


def next_token(page: Json) -> str | None:
    """Return what to ask the next page with, None after the last one."""
    meta = page.get("meta")
    token = meta.get("next_token") if isinstance(meta, dict) else None
    return token if isinstance(token, str) and token else None


def keys_of(page: Json) -> list[str]:
    """Return the keys that a page's posts have."""
    return sorted({key for record in _records(page) for key in record})


def _records(page: Json) -> list[Json]:
    records = page.get("data") or []
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise Temporary(reasons.X_UNAVAILABLE, "X's answer holds no list of posts")
    return records


def _post(record: Json, source: int) -> Post:
    """Return the post of a record in either vocabulary (tweet, or post since OpenAPI 2.167)."""
    tweet_id, text = record.get("id"), record.get("text")
    note = record.get("note_tweet") or record.get("note_post")
    if isinstance(note, dict) and isinstance(note.get("text"), str):
        text = note["text"]
    if not isinstance(tweet_id, str) or not _ID.fullmatch(tweet_id) or not isinstance(text, str):
        raise Temporary(reasons.X_UNAVAILABLE, "X's answer holds a post without id or text")
    kinds = _references(record)
    language = record.get("lang")
    return Post(
        id=tweet_id,
        text=well_formed(text),
        created_at=_time(record),
        lang=well_formed(language) if isinstance(language, str) and language else None,
        source=source,
        retweet="retweeted" in kinds,
        reply="replied_to" in kinds or bool(record.get("in_reply_to_user_id")),
        quote="quoted" in kinds,
    )


def _references(record: Json) -> set[str]:
    references = record.get("referenced_tweets") or record.get("referenced_posts")
    found = references if isinstance(references, list) else []
    return {str(one.get("type")) for one in found if isinstance(one, dict)}


def _time(record: Json) -> datetime | None:
    try:
        return parsed_time(str(record.get("created_at")))
    except BadPost:
        return None
