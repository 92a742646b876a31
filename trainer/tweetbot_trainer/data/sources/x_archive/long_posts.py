"""Long posts: the export cuts them in tweets.js and holds their whole text in note-tweet.js, without the tweet's id.

A note belongs to the post of the same second that begins like it.
"""

import html
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tweetbot_trainer.data.posts import BadPost, Json, Post, find_time, replace_surrogates

#: Characters of the beginning that are compared, and the fewest that a cut post shows: X shows 140 to 280.
_HEAD, _LEAST = 200, 40
#: A cut post ends with an ellipsis and links to the whole post and to its photos.
_ENDS, _LINK, _LINKS = " \t\r\n…", "https://t.co/", 5
_NAMES = re.compile(r"(?:@\w+\s+)*")
#: The end of a cut post, and the least that X shows of one, where Chinese, Japanese and Korean characters count twice.
_CUT_END = re.compile(r"…\s+(?:https://t\.co/\w+\s*)+$")
_WIDE, _CUT_LEAST = 0x1100, 200


@dataclass(frozen=True, slots=True)
class Note:
    """The whole text of a long post; only one form of the export names the tweet."""

    text: str
    created_at: datetime | None
    tweet_id: str | None


def parse_note(record: Json) -> Note:
    """Parse a note of any known form: core.text, noteTweetResults.text, noteTweetContents.text. Raises BadPost."""
    holders = (record.get(key) for key in ("core", "noteTweetResults", "noteTweetContents"))
    texts = (holder.get("text") for holder in holders if isinstance(holder, dict))
    text = next((text for text in texts if isinstance(text, str) and text), None)
    if text is None:
        raise BadPost("it has no text")
    tweet_id = record.get("tweetId")
    at = find_time(record.get("createdAt"))
    return Note(replace_surrogates(text), at, tweet_id if isinstance(tweet_id, str) else None)


class LongPosts:
    """The notes of an export; `count` is their number. `present` is false where the file for them is missing."""

    def __init__(self, notes: Iterable[Note], *, present: bool = True) -> None:
        self._by_id: dict[str, Note] = {}
        self._by_second: defaultdict[datetime, list[Note]] = defaultdict(list)
        self._joined: set[Note] = set()
        self._present, self.count = present, 0
        for note in notes:
            self.count += 1
            if note.tweet_id:
                self._by_id[note.tweet_id] = note
            elif note.created_at:
                self._by_second[note.created_at.replace(microsecond=0)].append(note)

    @property
    def joined(self) -> int:
        """Return how many notes have completed a post so far."""
        return len(self._joined)

    def complete_post(self, post: Post) -> Post:
        """Return the post with the text of its note, if it has one; without notes, what looks cut is truncated."""
        note = self._by_id.get(post.id)
        if note:
            return self._replace_text(post, note, _join_note(post.text, note) or note.text)
        for note in self._find_near(post.created_at):
            if text := _join_note(post.text, note):
                return self._replace_text(post, note, text)
        cut = not self._present and not post.retweet and _looks_cut(post.text)
        return replace(post, truncated=True) if cut else post

    def _replace_text(self, post: Post, note: Note, text: str) -> Post:
        self._joined.add(note)
        before = post.text[: post.names_end]
        return replace(post, text=text, truncated=False, names_end=len(before) if text.startswith(before) else 0)

    def _find_near(self, at: datetime | None) -> list[Note]:
        """Return the notes made less than a second apart."""
        if at is None or not self._by_second:
            return []
        second = at.replace(microsecond=0)
        around = (second + timedelta(seconds=shift) for shift in (0, -1, 1))
        notes = (note for moment in around for note in self._by_second.get(moment, ()))
        return [note for note in notes if note.created_at and abs(note.created_at - at) < timedelta(seconds=1)]


def _join_note(cut: str, note: Note) -> str | None:
    """Return the note's text after the names in a cut reply; None if the post does not begin like the note."""
    plain, whole = html.unescape(cut), html.unescape(note.text)
    shown, names = _strip_end(plain), _NAMES.match(plain)
    for start in (0, names.end() if names else 0):
        head = shown[start : start + _HEAD].partition("http")[0]  # the note may have links in another form
        if len(head) >= _LEAST and whole.startswith(head):
            return html.escape(plain[:start], quote=False) + note.text
    return None


def _strip_end(plain: str) -> str:
    """Strip the links and the ellipsis at the end of a cut post."""
    for _ in range(_LINKS):
        before, link, code = plain.rstrip(_ENDS).rpartition(_LINK)
        if not link or not code.isalnum():
            break
        plain = before
    return plain.rstrip(_ENDS)


def _looks_cut(text: str) -> bool:
    """Tell whether a post ends as X ends a long one in the export: an ellipsis, and the link to the whole."""
    end = _CUT_END.search(text)
    shown = html.unescape(text[: end.start()]) if end else ""
    return sum(2 if ord(char) >= _WIDE else 1 for char in shown) >= _CUT_LEAST
