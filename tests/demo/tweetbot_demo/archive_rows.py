"""The rows of an X export as X writes them: every number a string, every link a t.co address, entities escaped."""

import html
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from tweetbot_demo import grammar

Row = dict[str, Any]
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SNOWFLAKE_EPOCH_MS = 1288834974657
OLD_LENGTH = 140
NOTE_VISIBLE = 275


@dataclass(slots=True)
class Entities:
    """The entities of a text: mentions, links (t.co address and target), media, tags."""

    mentions: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a tweet was posted, and the id that follows from it."""

    at: datetime
    sequence: int

    @property
    def id(self) -> str:
        """Return the snowflake: milliseconds since its epoch, and a sequence number in the low bits."""
        return str((int(self.at.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS) << 22 | self.sequence)

    @property
    def v1(self) -> str:
        """Return the time as tweets carry it, e.g. `Sat Feb 18 12:33:11 +0000 2023`, whatever the locale."""
        day, month = DAYS[self.at.weekday()], MONTHS[self.at.month - 1]
        return f"{day} {month} {self.at:%d %H:%M:%S} +0000 {self.at.year}"

    @property
    def iso(self) -> str:
        """Return the time as all other members carry it."""
        return f"{self.at:%Y-%m-%dT%H:%M:%S}.000Z"


def make_short_link(random: Random) -> str:
    """Make a t.co address that leads nowhere."""
    letters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
    return "https://t.co/" + "".join(random.choices(letters, k=10))


def make_tweet(moment: Moment, text: str, entities: Entities | None = None, *, lang: str = "en") -> Row:
    """Make a tweet as it is inside {"tweet": …}; `text` is plain and gets X's three escapes."""
    full_text = html.escape(text, quote=False)
    row: Row = {
        "retweeted": False,
        "source": '<a href="https://mobile.twitter.com" rel="nofollow">Twitter Web App</a>',
        "entities": _build_entities(full_text, entities or Entities()),
        "display_text_range": ["0", str(len(full_text))],
        "favorite_count": str(moment.sequence % 7),
        "id_str": moment.id,
        "truncated": False,
        "retweet_count": "0",
        "id": moment.id,
        "created_at": moment.v1,
        "favorited": False,
        "full_text": full_text,
        "lang": lang,
    }
    if entities and entities.media:
        row["extended_entities"] = {"media": row["entities"]["media"]}
    if moment.at.year >= 2023:  # edits exist since late 2022
        row["edit_info"] = _build_edit_info([moment.id], "5")
    return row


def make_retweet(moment: Moment, random: Random) -> Row:
    """Make a native retweet: no field says so, only `RT @name:` with that name as the first mention, cut at 140."""
    friend = random.choice(grammar.FRIENDS)
    text = f"RT @{friend}: {grammar.make_sentence(random)}, {grammar.make_sentence(random)}"
    cut = text if len(text) <= OLD_LENGTH else text[: OLD_LENGTH - 1] + "…"
    return make_tweet(moment, cut, Entities(mentions=[friend]))


def make_reply(moment: Moment, random: Random, text: str) -> Row:
    """Make a reply to one of the account's friends, whose name display_text_range hides."""
    friend = random.choice(grammar.FRIENDS)
    row = make_tweet(moment, f"@{friend} {text}", Entities(mentions=[friend]))
    row["display_text_range"][0] = str(len(friend) + 2)
    row["in_reply_to_status_id_str"] = row["in_reply_to_status_id"] = str(int(moment.id) - 4_000_000_000)
    row["in_reply_to_user_id_str"] = row["in_reply_to_user_id"] = _make_account_id(friend)
    row["in_reply_to_screen_name"] = friend
    return row


def make_link_tweet(moment: Moment, random: Random, text: str, expanded: str) -> Row:
    """Make a post that ends with a link: a t.co address, expanded in the entities."""
    link = make_short_link(random)
    return make_tweet(moment, f"{text} {link}", Entities(links=[(link, expanded)]))


def make_media_tweet(moment: Moment, random: Random, text: str) -> Row:
    """Make a post with a photo, whose t.co address is in the text although the author wrote no link."""
    link = make_short_link(random)
    return make_tweet(moment, f"{text} {link}".strip(), Entities(media=[link]))


def make_edited_tweets(moment: Moment, later: Moment, text: str) -> tuple[Row, Row]:
    """Make both versions of an edited post; each has both ids, oldest first."""
    first, second = make_tweet(moment, text.replace("the", "teh", 1)), make_tweet(later, text)
    for row in (first, second):
        row["edit_info"] = _build_edit_info([first["id"], second["id"]], "4")
    return first, second


def make_note_tweet(moment: Moment, random: Random, text: str) -> tuple[Row, Row]:
    """Make a long post twice: cut for tweets.js, and whole for note-tweet.js, which has no tweet id."""
    link = make_short_link(random)
    cut = make_tweet(
        moment, f"{text[:NOTE_VISIBLE]}… {link}", Entities(links=[(link, f"https://x.com/i/web/{link[-4:]}")])
    )
    note = {
        "noteTweetId": str(int(moment.id) + 1),
        "createdAt": moment.iso,
        "updatedAt": moment.iso,
        "lifecycle": {"value": "0", "name": "Normal", "originalName": "Normal", "annotations": {}},
        "core": {"styletags": [], "urls": [], "text": text, "mentions": [], "cashtags": [], "hashtags": []},
    }
    return cut, note


def _build_entities(text: str, entities: Entities) -> Row:
    found: Row = {
        "hashtags": [{"text": tag, "indices": _find_indices(text, f"#{tag}")} for tag in entities.tags],
        "symbols": [],
        "user_mentions": [_build_mention(text, name) for name in entities.mentions],
        "urls": [
            {"url": url, "expanded_url": to, "display_url": to[8:28], "indices": _find_indices(text, url)}
            for url, to in entities.links
        ],
    }
    if entities.media:
        found["media"] = [_build_photo(text, url) for url in entities.media]
    return found


def _build_mention(text: str, name: str) -> Row:
    return {
        "name": name.replace("_", " ").title(),
        "screen_name": name,
        "indices": _find_indices(text, f"@{name}"),
        "id_str": _make_account_id(name),
        "id": _make_account_id(name),
    }


def _build_photo(text: str, url: str) -> Row:
    return {
        "url": url,
        "expanded_url": "https://twitter.com/harbour_gull/status/1/photo/1",
        "media_url_https": "https://pbs.example/photo.jpg",
        "indices": _find_indices(text, url),
        "type": "photo",
        "display_url": "pic.twitter.com/photo",
    }


def _find_indices(text: str, part: str) -> list[str]:
    start = max(text.find(part), 0)
    return [str(start), str(start + len(part))]


def _make_account_id(name: str) -> str:
    return str(1_000_000 + sum(name.encode()))


def _build_edit_info(ids: list[str], left: str) -> Row:
    return {
        "initial": {
            "editTweetIds": ids,
            "editableUntil": "2024-01-01T00:00:00.000Z",
            "editsRemaining": left,
            "isEditEligible": True,
        }
    }


Maker = Callable[[Moment, Random], Row]

#: Kinds that need one row and no memory of earlier ones; the rest are made in tweetbot_demo.archive.
MAKERS: dict[str, Maker] = {
    "plain": lambda moment, random: make_tweet(moment, grammar.make_post(random)),
    "retweet": make_retweet,
    "short": lambda moment, random: make_tweet(moment, random.choice(grammar.SHORT)),
    "reply": lambda moment, random: make_reply(moment, random, grammar.make_post(random)),
    "quote": lambda moment, random: make_link_tweet(
        moment, random, grammar.make_sentence(random), f"https://twitter.com/{random.choice(grammar.FRIENDS)}/status/20"
    ),
    "link": lambda moment, random: make_link_tweet(
        moment, random, grammar.make_sentence(random), "https://harbour.example/tides?day=1&sea=calm"
    ),
    "media": lambda moment, random: make_media_tweet(moment, random, grammar.make_sentence(random)),
    "photo": lambda moment, random: make_media_tweet(moment, random, ""),
    "lines": lambda moment, random: make_tweet(moment, grammar.make_two_lines(random)),
    "japanese": lambda moment, random: make_tweet(moment, random.choice(grammar.JAPANESE), lang="ja"),
    "personal": lambda moment, random: make_tweet(moment, grammar.make_personal_post(random)),
    "marker": lambda moment, random: make_tweet(moment, f"{grammar.make_sentence(random)} <|endoftext|> the end"),
    "old_retweet": lambda moment, random: make_tweet(moment, f"RT @nobody_at_all: {grammar.make_sentence(random)}"),
}
