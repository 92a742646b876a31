"""The rows of Reddit's tables as posts. Only these columns are read: no address of the network, no subreddit.

posts.csv     id, date, title, url, body
comments.csv  id, date, link, parent, body
"""

import re
from collections.abc import Collection, Mapping
from datetime import datetime

from tweetbot_trainer.data.posts import BadPost, Post, find_time, replace_surrogates
from tweetbot_trainer.data.sources.reddit.markdown import extract_own_words, render_names

#: What stands in place of a text that its author or a moderator removed.
_REMOVED = re.compile(r"\[ ?(?:deleted|removed)(?: by [^\[\]]{1,40})? ?\]", re.IGNORECASE)
_ID = re.compile(r"(?:t[0-9]_)?[A-Za-z0-9]{1,20}", re.ASCII)
#: The thread that an address leads to. The hosts i.redd.it and v.redd.it hold pictures and videos.
_THREAD = re.compile(
    r"(?:https?://(?:[a-z0-9-]{1,20}\.)?reddit\.com)?/(?:(?:r|u|user)/[^/]{1,50}/)?comments/(?P<id>[a-z0-9]{1,20})\b"
    r"|https?://redd\.it/(?P<short>[a-z0-9]{1,20})\b",
    re.IGNORECASE,
)

#: A row, by column.
Cells = Mapping[str, str]


def parse_submission(cells: Cells, source: int) -> Post | None:
    """Parse a row of posts.csv: the title, and what its author wrote below. None if it was removed. Raises BadPost.

    A post that only leads to another thread of Reddit is a repost: its title is that thread's.
    """
    title, body, thread = cells["title"].strip(), cells["body"].strip(), find_thread(cells.get("url", ""))
    if _REMOVED.fullmatch(title) or _REMOVED.fullmatch(body):
        return None
    id = _read_id(cells, "t3")
    written = "\n\n".join(part for part in (render_names(title), extract_own_words(body)) if part)
    return Post(
        id=id,
        text=replace_surrogates(written),
        created_at=_read_time(cells),
        source=source,
        retweet=not body and thread not in (None, id),
    )


def parse_comment(cells: Cells, source: int, own: Collection[str] = ()) -> Post | None:
    """Parse a row of comments.csv: a reply, to the author if it answers one of `own`. None if it was removed.

    Raises BadPost.
    """
    body = cells["body"].strip()
    if _REMOVED.fullmatch(body):
        return None
    return Post(
        id=_read_id(cells, "t1"),
        text=replace_surrogates(extract_own_words(body)),
        created_at=_read_time(cells),
        source=source,
        reply=True,
        to_self=_find_answered(cells) in own,
    )


def find_thread(address: str) -> str | None:
    """Return the id of the thread that an address leads to."""
    match = _THREAD.match(address.strip())
    return f"t3_{match['id'] or match['short']}" if match else None


def _find_answered(cells: Cells) -> str | None:
    """Return the id of what a comment answers: another comment or, without one, the thread."""
    parent = cells.get("parent", "").strip()
    if not parent:
        return find_thread(cells.get("link", ""))
    return parent if "_" in parent else f"t1_{parent}"


def _read_id(cells: Cells, kind: str) -> str:
    id = cells["id"].strip()
    if not _ID.fullmatch(id):
        raise BadPost(f"{id[:30]!r} is no id of Reddit")
    return id if "_" in id else f"{kind}_{id}"


def _read_time(cells: Cells) -> datetime | None:
    return find_time(cells.get("date", "").strip().removesuffix(" UTC"))
