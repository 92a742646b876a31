"""The account owner's own X export: the zip as it was downloaded, of today's form or of 2019 to 2022.

zip ─archive_members─▶ rows ─▶ drafts ─▶ only the newest edit, whole notes ─▶ posts
"""

import html
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tweetbot_trainer.posts import BadPost, Post, parsed_time, well_formed
from tweetbot_trainer.sources import archive_members
from tweetbot_trainer.sources.archive_members import Row
from tweetbot_trainer.sources.reading import ObjectReader, Profile

logger = logging.getLogger(__name__)
_ID = re.compile(r"[0-9]{1,20}")
#: Native retweets have no field of their own: the text begins so, and the name is the first mention.
_RETWEET = re.compile(r"RT @(\w+):")
_STATUS = re.compile(r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/\w+/status/\d+")
#: A long post's cut form holds this much of the beginning of its note.
_NOTE_HEAD = 200
SNOWFLAKE_EPOCH_MS = 1288834974657
#: Ids below are older than snowflakes and hold no time.
_FIRST_SNOWFLAKE = 30_000_000_000


@dataclass(frozen=True, slots=True)
class _Draft:
    post: Post
    edits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Note:
    text: str
    created_at: datetime | None
    tweet_id: str | None


class ArchiveSource:
    """The posts of an export zip. `reader` need hold no more of it than what is read."""

    def __init__(self, uri: str, index: int, reader: ObjectReader) -> None:
        self._uri, self._index, self._reader = uri, index, reader

    def posts(self) -> Iterator[Post]:
        """Yield the export's posts, retweets included and flagged, each id once, of an edited post the last form.

        Raises SpecRefused: SourceUnreadable naming the member, or SourceTooLarge.
        """
        with self._reader.open_random(self._uri) as file, archive_members.opened(file, self._uri) as archive:
            members = archive_members.members_to_read(archive)
            notes = [_note(row, name) for name in members["notes"] for row in archive_members.rows(archive, name)]
            drafts: dict[str, _Draft] = {}
            for name in members["tweets"]:
                for row in archive_members.rows(archive, name):
                    draft = _draft(row, name, self._index)
                    drafts.setdefault(draft.post.id, draft)
        yield from _whole(_newest_edits(drafts), notes)

    def profile(self) -> Profile | None:
        """Return how the account shows itself: this source does not say."""
        return None


def _newest_edits(drafts: dict[str, _Draft]) -> Iterator[Post]:
    """Yield the posts that no later edit in the export replaces."""
    for draft in drafts.values():
        later = (other for other in draft.edits if _age(other) > _age(draft.post.id))
        if not any(other in drafts for other in later):
            yield draft.post


def _age(tweet_id: str) -> tuple[int, str]:
    return len(tweet_id), tweet_id


def _whole(posts: Iterable[Post], notes: list[_Note]) -> Iterator[Post]:
    """Yield the posts, those that were cut with the text of their note."""
    by_id = {note.tweet_id: note for note in notes if note.tweet_id}
    by_second: defaultdict[datetime, list[_Note]] = defaultdict(list)
    for note in notes:
        if note.created_at:
            by_second[note.created_at.replace(microsecond=0)].append(note)
    for post in posts:
        near = _near(by_second, post.created_at) if by_second and post.created_at else []
        candidates = [by_id[post.id]] if post.id in by_id else near
        texts = (_joined(post.text, note) for note in candidates)
        yield next((replace(post, text=text) for text in texts if text), post)


def _near(by_second: dict[datetime, list[_Note]], at: datetime) -> list[_Note]:
    """Return the notes made less than a second apart; a note's own id leads to no tweet."""
    second = at.replace(microsecond=0)
    around = (second + timedelta(seconds=shift) for shift in (0, -1, 1))
    notes = (note for moment in around for note in by_second.get(moment, ()))
    return [note for note in notes if note.created_at and abs(note.created_at - at) < timedelta(seconds=1)]


def _joined(cut: str, note: _Note) -> str | None:
    """Return what stands before the note in the cut text (a reply's names), and the note; None if it is not in it."""
    plain = html.unescape(cut)
    start = plain.find(html.unescape(note.text)[:_NOTE_HEAD])
    return html.escape(plain[:start], quote=False) + note.text if start >= 0 else None


def _draft(row: Row, member: str, source: int) -> _Draft:
    tweet_id, text = row.get("id_str") or row.get("id"), row.get("full_text", row.get("text"))
    if not isinstance(tweet_id, str) or not _ID.fullmatch(tweet_id) or not isinstance(text, str):
        raise archive_members.unreadable(f"{member} in the zip holds a tweet without id or text ({str(tweet_id)[:30]})")
    text = well_formed(text)
    language = row.get("lang")
    post = Post(
        id=tweet_id,
        text=text,
        created_at=_time(row.get("created_at"), tweet_id),
        lang=well_formed(language) if isinstance(language, str) and language else None,
        source=source,
        retweet=_is_retweet(text, row),
        reply=any(row.get(f"in_reply_to_{what}") for what in ("status_id_str", "status_id", "user_id_str", "user_id")),
        quote=any(_STATUS.match(str(link.get("expanded_url"))) for link in _entities(row, "urls")),
    )
    return _Draft(post, _edits(row))


def _entities(row: Row, kind: str) -> list[Row]:
    entities = row.get("entities")
    found = entities.get(kind) if isinstance(entities, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _is_retweet(text: str, row: Row) -> bool:
    match, mentions = _RETWEET.match(text), _entities(row, "user_mentions")
    return bool(match and mentions and str(mentions[0].get("screen_name")).lower() == match[1].lower())


def _edits(row: Row) -> tuple[str, ...]:
    """Return the ids of all versions of the post; later versions hold the list one level deeper."""
    info = row.get("edit_info")
    first = info.get("initial") if isinstance(info, dict) else None
    later = info.get("edit") if isinstance(info, dict) else None
    control = first or (later.get("editControlInitial") if isinstance(later, dict) else None)
    ids = control.get("editTweetIds") if isinstance(control, dict) else None
    return tuple(str(one) for one in ids) if isinstance(ids, list) else ()


def _time(given: object, tweet_id: str) -> datetime | None:
    """Return when the tweet was made: as it says, else as its snowflake says."""
    try:
        return parsed_time(str(given))
    except BadPost:
        return snowflake_time(int(tweet_id))


def snowflake_time(tweet_id: int) -> datetime | None:
    """Return the time in a tweet's id (its upper bits: milliseconds since 2010-11-04), None for ids before 2010."""
    if not _FIRST_SNOWFLAKE < tweet_id < 2**63:
        return None
    return datetime.fromtimestamp(((tweet_id >> 22) + SNOWFLAKE_EPOCH_MS) / 1000, UTC)


def _note(row: Row, member: str) -> _Note:
    """Return a note of any of the three forms seen: core.text, noteTweetResults.text, noteTweetContents.text."""
    holders = (row.get(key) for key in ("core", "noteTweetResults", "noteTweetContents"))
    texts = (holder.get("text") for holder in holders if isinstance(holder, dict))
    text = next((text for text in texts if isinstance(text, str) and text), None)
    if text is None:
        raise archive_members.unreadable(f"{member} in the zip holds a note without text")
    tweet_id = row.get("tweetId")
    try:
        at = parsed_time(str(row.get("createdAt")))
    except BadPost:
        at = None
    return _Note(well_formed(text), at, tweet_id if isinstance(tweet_id, str) else None)
