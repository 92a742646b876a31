"""A row of an export of any form as a post."""

import re
from datetime import UTC, datetime

from tweetbot_trainer.data.posts import BadPost, Json, Post, clean_text, find_time, parse_number_id, replace_surrogates
from tweetbot_trainer.data.sources.x_archive.replies import Author, parse_reply

_ID = re.compile(r"[0-9]{1,20}")
#: Native retweets have no field of their own: their text begins like this, with the first mention's name.
_RETWEET = re.compile(r"RT @(\w+):")
_STATUS = re.compile(r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/\w+/status/\d+")
#: What a post that X has cut ends with: an ellipsis, a link to the post itself, and links to its photos.
_CUT_END = re.compile(r"…\s*(?:https?://t\.co/\w+\s*)+\Z")
_WHOLE = re.compile(r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/(?:i/web|\w+)/status/(\d+)")
SNOWFLAKE_EPOCH_MS = 1288834974657
#: Smaller ids are older than snowflakes and hold no time.
_FIRST_SNOWFLAKE = 30_000_000_000


def parse_tweet(record: Json, source: int, author: Author) -> Post:
    """Parse a row of this author's export. Raises BadPost."""
    tweet_id = parse_number_id(record.get("id_str") or record.get("id"))
    text = record.get("full_text", record.get("text"))
    if not isinstance(tweet_id, str) or not _ID.fullmatch(tweet_id):
        raise BadPost(f"it has no id ({str(tweet_id)[:30]})" if tweet_id else "it has no id")
    if not isinstance(text, str):
        raise BadPost(f"the post {tweet_id} has no text")
    text = replace_surrogates(text)
    reply, edits = parse_reply(record, text, author), _parse_edits(record, tweet_id)
    return Post(
        id=tweet_id,
        text=text,
        created_at=find_time(record.get("created_at")) or decode_snowflake_time(int(tweet_id)),
        lang=clean_text(record.get("lang")),
        source=source,
        retweet=_is_retweet(text, record),
        reply=reply.given,
        quote=any(_STATUS.match(str(link.get("expanded_url"))) for link in _get_entities(record, "urls")),
        edits=edits,
        truncated=_is_cut(record, text, (tweet_id, *edits)),
        to_self=reply.to_self,
        names_end=reply.names_end,
    )


def decode_snowflake_time(tweet_id: int) -> datetime | None:
    """Return the time in an id, whose upper bits are milliseconds since 2010-11-04; None for older ids."""
    if not _FIRST_SNOWFLAKE < tweet_id < 2**63:
        return None
    return datetime.fromtimestamp(((tweet_id >> 22) + SNOWFLAKE_EPOCH_MS) / 1000, UTC)


def _get_entities(record: Json, kind: str) -> list[Json]:
    entities = record.get("entities")
    found = entities.get(kind) if isinstance(entities, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _is_cut(record: Json, text: str, ids: tuple[str, ...]) -> bool:
    """Tell whether X marks a row as cut, or ends it as it does cut ones; `ids` are those of the post's revisions."""
    if str(record.get("truncated")).lower() == "true":
        return True
    links = (_WHOLE.fullmatch(str(link.get("expanded_url"))) for link in _get_entities(record, "urls"))
    return any(link and link[1] in ids for link in links) and _CUT_END.search(text) is not None


def _is_retweet(text: str, record: Json) -> bool:
    match, mentions = _RETWEET.match(text), _get_entities(record, "user_mentions")
    return bool(match and mentions and str(mentions[0].get("screen_name")).lower() == match[1].lower())


def _parse_edits(record: Json, tweet_id: str) -> tuple[str, ...]:
    """Return the ids of all revisions of an edited post; those after the first hold the list one level deeper."""
    info = record.get("edit_info")
    first = info.get("initial") if isinstance(info, dict) else None
    later = info.get("edit") if isinstance(info, dict) else None
    control = first or (later.get("editControlInitial") if isinstance(later, dict) else None)
    ids = control.get("editTweetIds") if isinstance(control, dict) else None
    revisions = tuple(str(one) for one in ids if _ID.fullmatch(str(one))) if isinstance(ids, list) else ()
    return revisions if len(revisions) > 1 and tweet_id in revisions else ()
