"""X's answers as posts and accounts, in both vocabularies: OpenAPI 2.167 renames tweets to posts."""

import re
from dataclasses import dataclass
from typing import Any

from tweetbot_contract import reasons
from tweetbot_trainer.data.posts import Json, Post, clean_text, find_time, replace_surrogates
from tweetbot_trainer.data.reply_names import find_names_end
from tweetbot_trainer.runtime.errors import TemporaryError

_ID = re.compile(r"[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class XAccount:
    """The account behind a handle; `posts` is how many posts X says it has, if it says so."""

    id: str
    handle: str | None = None
    name: str | None = None
    picture: str | None = None
    posts: int | None = None


def parse_account(answer: Json) -> XAccount | None:
    """Parse the answer of a lookup, None if it holds no account."""
    user = answer.get("data")
    if not isinstance(user, dict) or not isinstance(user.get("id"), str) or not _ID.fullmatch(user["id"]):
        return None
    metrics = user.get("public_metrics")
    counts = [metrics.get(key) for key in ("tweet_count", "post_count")] if isinstance(metrics, dict) else []
    return XAccount(
        id=user["id"],
        handle=clean_text(user.get("username")),
        name=clean_text(user.get("name")),
        picture=clean_text(user.get("profile_image_url")),
        posts=next((count for count in counts if isinstance(count, int) and count >= 0), None),
    )


def get_records(page: Json) -> list[Json]:
    """Return a page's records, which X's bill counts. Raises TemporaryError (XBadPayload) if they are no list."""
    records = page.get("data") or []
    if not isinstance(records, list):
        raise TemporaryError(reasons.X_BAD_PAYLOAD, "X's answer holds no list of posts")
    return [record if isinstance(record, dict) else {} for record in records]


def parse_posts(page: Json, source: int, *, author: str = "") -> list[Post]:
    """Return a page's posts, newest first, without records that lack id or text; `author` is the account's id."""
    return [post for record in get_records(page) if (post := _parse_post(record, source, author)) is not None]


def list_ids(page: Json) -> list[int]:
    """Return the ids of a page's records, also of those without text."""
    ids = [record.get("id") for record in get_records(page)]
    return [int(id) for id in ids if isinstance(id, str) and _ID.fullmatch(id)]


def get_next_token(page: Json) -> str | None:
    """Return the token of the next page, None on the last one."""
    meta = page.get("meta")
    return clean_text(meta.get("next_token")) if isinstance(meta, dict) else None


def list_keys(page: Json) -> list[str]:
    """Return all keys of a page's records."""
    return sorted({key for record in get_records(page) for key in record})


def _parse_post(record: Json, source: int, author: str) -> Post | None:
    post_id, text = record.get("id"), record.get("text")
    note = _get_first(record, "note_tweet", "note_post")
    if isinstance(note, dict) and isinstance(note.get("text"), str):
        text = note["text"]
    if not isinstance(post_id, str) or not _ID.fullmatch(post_id) or not isinstance(text, str):
        return None
    kinds, answered = _get_reference_types(record), record.get("in_reply_to_user_id")
    text, reply = replace_surrogates(text), "replied_to" in kinds or bool(answered)
    return Post(
        id=post_id,
        text=text,
        created_at=find_time(record.get("created_at")),
        lang=clean_text(record.get("lang")),
        source=source,
        retweet="retweeted" in kinds,
        reply=reply,
        quote="quoted" in kinds,
        edits=_get_edits(record),
        to_self=bool(author) and answered == author,
        names_end=find_names_end(text) if reply else 0,
    )


def _get_first(record: Json, *names: str) -> Any:
    return next((record[name] for name in names if record.get(name)), None)


def _get_reference_types(record: Json) -> set[str]:
    references = _get_first(record, "referenced_tweets", "referenced_posts")
    found = references if isinstance(references, list) else []
    return {str(one.get("type")) for one in found if isinstance(one, dict)}


def _get_edits(record: Json) -> tuple[str, ...]:
    """Return the ids of an edited post's revisions; a post that was not edited lists only itself."""
    history = _get_first(record, "edit_history_tweet_ids", "edit_history_post_ids")
    revisions = tuple(one for one in history if isinstance(one, str)) if isinstance(history, list) else ()
    return revisions if len(revisions) > 1 else ()
