"""Records of Bluesky as posts, whether they come from the API or from an exported repository.

Links are shown cut (`example.com/a-lo...`), with their address in a facet that names a range of UTF-8 bytes. The
address is put in their place, so that cleaning recognizes links. `&`, `<` and `>` are escaped as on X, since cleaning
resolves entities once, whatever the source.
"""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tweetbot_trainer.data.posts import Post, find_time, parse_language, replace_surrogates

POST, REPOST, PROFILE = "app.bsky.feed.post", "app.bsky.feed.repost", "app.bsky.actor.profile"
_LINK_FACET = "app.bsky.richtext.facet#link"
_QUOTES = ("app.bsky.embed.record", "app.bsky.embed.recordWithMedia")
_SCHEME = re.compile(r"^(https?://)?(www\.)?", re.IGNORECASE)
#: A record's key is a time in microseconds and ten more bits, in base 32 (atproto.com/specs/tid).
_TID_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_TID = re.compile(r"[2-7a-j][2-7a-z]{12}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_post_record(record: object, *, uri: str, source: int) -> Post | None:
    """Parse the record at an at:// address, None if it has no text and so is no post."""
    text = record.get("text") if isinstance(record, dict) else None
    if not isinstance(record, dict) or not isinstance(text, str):
        return None
    embed, reply = record.get("embed"), record.get("reply")
    return Post(
        id=uri,
        text=html.escape(_expand_links(replace_surrogates(text), record.get("facets")), quote=False),
        created_at=_find_time(record.get("createdAt"), uri),
        lang=_get_first_language(record.get("langs")),
        source=source,
        reply=isinstance(reply, dict),
        quote=isinstance(embed, dict) and embed.get("$type") in _QUOTES,
        to_self=isinstance(reply, dict) and _is_same_author(uri, reply.get("parent")),
    )


def build_repost(at: object, *, uri: str, source: int) -> Post:
    """Return a repost without text: what was reposted is another person's."""
    return Post(id=uri, text="", created_at=_find_time(at, uri), source=source, retweet=True)


def decode_tid_time(key: str) -> datetime | None:
    """Return the time in a record's key, None for other kinds of keys."""
    if not _TID.fullmatch(key):
        return None
    number = 0
    for char in key:
        number = number << 5 | _TID_ALPHABET.index(char)
    return _EPOCH + timedelta(microseconds=number >> 10)


def _is_same_author(uri: str, parent: object) -> bool:
    """Tell whether a record at an at:// address and the one it answers are in the same repository."""
    answered = str(parent.get("uri")) if isinstance(parent, dict) else ""
    return answered.split("/")[:3] == uri.split("/")[:3]


def _find_time(given: object, uri: str) -> datetime | None:
    """Return the time that the author's app gave, else the time in the record's key."""
    return find_time(given) or decode_tid_time(uri.rpartition("/")[2])


def _get_first_language(given: object) -> str | None:
    return parse_language(given[0]) if isinstance(given, (list, tuple)) and given else None


def _expand_links(text: str, facets: object) -> str:
    """Replace each link that shows a part of its address by the whole address."""
    raw = text.encode()
    end = len(raw)
    for start, stop, address in sorted(_iter_links(facets), reverse=True):
        if 0 <= start < stop <= end and _is_address_start(raw[start:stop], address):
            raw, end = raw[:start] + address.encode() + raw[stop:], start
    return raw.decode(errors="replace")


def _iter_links(facets: object) -> Iterator[tuple[int, int, str]]:
    for facet in facets if isinstance(facets, (list, tuple)) else ():
        index, features = (facet.get("index"), facet.get("features")) if isinstance(facet, dict) else (None, None)
        for feature in features if isinstance(features, (list, tuple)) else ():
            if isinstance(index, dict) and isinstance(feature, dict) and feature.get("$type") == _LINK_FACET:
                span, address = (index.get("byteStart"), index.get("byteEnd")), feature.get("uri")
                if isinstance(span[0], int) and isinstance(span[1], int) and isinstance(address, str):
                    yield span[0], span[1], replace_surrogates(address)


def _is_address_start(shown: bytes, address: str) -> bool:
    """Tell whether a shown text is the beginning of an address and not the author's own words."""
    start = _SCHEME.sub("", shown.decode(errors="replace")).rstrip(".…").lower()
    return "." in start and _SCHEME.sub("", address).lower().startswith(start)
