"""The rows of an X export, in the form X writes them: every number a string, every link a t.co, entities escaped."""

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
    """What an export says about a text: mentions, links, media, tags."""

    mentions: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a row was posted, and the id that follows from it."""

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


def short_link(random: Random) -> str:
    """Return a t.co address that leads nowhere."""
    letters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
    return "https://t.co/" + "".join(random.choices(letters, k=10))


def tweet_row(moment: Moment, text: str, entities: Entities | None = None, *, lang: str = "en") -> Row:
    """Return one tweet as it stands inside {"tweet": …}; `text` is plain and gets X's three escapes."""
    full_text = html.escape(text, quote=False)
    row: Row = {
        "retweeted": False,
        "source": '<a href="https://mobile.twitter.com" rel="nofollow">Twitter Web App</a>',
        "entities": _entities(full_text, entities or Entities()),
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
        row["edit_info"] = _edit_info([moment.id], "5")
    return row


def retweet_row(moment: Moment, random: Random) -> Row:
    """Return a native retweet: no field says so, only `RT @name:` with that name as the first mention, cut at 140."""
    friend = random.choice(grammar.FRIENDS)
    text = f"RT @{friend}: {grammar.sentence(random)}, {grammar.sentence(random)}"
    cut = text if len(text) <= OLD_LENGTH else text[: OLD_LENGTH - 1] + "…"
    return tweet_row(moment, cut, Entities(mentions=[friend]))


def reply_row(moment: Moment, random: Random, text: str) -> Row:
    """Return a reply to one of the account's friends; the reply's name is hidden by display_text_range."""
    friend = random.choice(grammar.FRIENDS)
    row = tweet_row(moment, f"@{friend} {text}", Entities(mentions=[friend]))
    row["display_text_range"][0] = str(len(friend) + 2)
    row["in_reply_to_status_id_str"] = row["in_reply_to_status_id"] = str(int(moment.id) - 4_000_000_000)
    row["in_reply_to_user_id_str"] = row["in_reply_to_user_id"] = _account(friend)
    row["in_reply_to_screen_name"] = friend
    return row


def link_row(moment: Moment, random: Random, text: str, expanded: str) -> Row:
    """Return a post that ends with a link, as a t.co address with its expansion in the entities."""
    link = short_link(random)
    return tweet_row(moment, f"{text} {link}", Entities(links=[(link, expanded)]))


def media_row(moment: Moment, random: Random, text: str) -> Row:
    """Return a post with a photo, whose t.co address stands in the text without being a link of the author's."""
    link = short_link(random)
    return tweet_row(moment, f"{text} {link}".strip(), Entities(media=[link]))


def edited_rows(moment: Moment, later: Moment, text: str) -> tuple[Row, Row]:
    """Return both versions of an edited post; both name both ids, oldest first."""
    first, second = tweet_row(moment, text.replace("the", "teh", 1)), tweet_row(later, text)
    for row in (first, second):
        row["edit_info"] = _edit_info([first["id"], second["id"]], "4")
    return first, second


def note_rows(moment: Moment, random: Random, text: str) -> tuple[Row, Row]:
    """Return a long post twice: cut in tweets.js, whole in note-tweet.js, where no tweet id stands."""
    link = short_link(random)
    cut = tweet_row(
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


def _entities(text: str, entities: Entities) -> Row:
    found: Row = {
        "hashtags": [{"text": tag, "indices": _indices(text, f"#{tag}")} for tag in entities.tags],
        "symbols": [],
        "user_mentions": [_mention(text, name) for name in entities.mentions],
        "urls": [
            {"url": url, "expanded_url": to, "display_url": to[8:28], "indices": _indices(text, url)}
            for url, to in entities.links
        ],
    }
    if entities.media:
        found["media"] = [_photo(text, url) for url in entities.media]
    return found


def _mention(text: str, name: str) -> Row:
    return {
        "name": name.replace("_", " ").title(),
        "screen_name": name,
        "indices": _indices(text, f"@{name}"),
        "id_str": _account(name),
        "id": _account(name),
    }


def _photo(text: str, url: str) -> Row:
    return {
        "url": url,
        "expanded_url": "https://twitter.com/harbour_gull/status/1/photo/1",
        "media_url_https": "https://pbs.example/photo.jpg",
        "indices": _indices(text, url),
        "type": "photo",
        "display_url": "pic.twitter.com/photo",
    }


def _indices(text: str, part: str) -> list[str]:
    start = max(text.find(part), 0)
    return [str(start), str(start + len(part))]


def _account(name: str) -> str:
    return str(1_000_000 + sum(name.encode()))


def _edit_info(ids: list[str], left: str) -> Row:
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
    "plain": lambda moment, random: tweet_row(moment, grammar.decorated(random)),
    "retweet": retweet_row,
    "short": lambda moment, random: tweet_row(moment, random.choice(grammar.SHORT)),
    "reply": lambda moment, random: reply_row(moment, random, grammar.decorated(random)),
    "quote": lambda moment, random: link_row(
        moment, random, grammar.sentence(random), f"https://twitter.com/{random.choice(grammar.FRIENDS)}/status/20"
    ),
    "link": lambda moment, random: link_row(
        moment, random, grammar.sentence(random), "https://harbour.example/tides?day=1&sea=calm"
    ),
    "media": lambda moment, random: media_row(moment, random, grammar.sentence(random)),
    "photo": lambda moment, random: media_row(moment, random, ""),
    "lines": lambda moment, random: tweet_row(moment, grammar.two_lines(random)),
    "japanese": lambda moment, random: tweet_row(moment, random.choice(grammar.JAPANESE), lang="ja"),
    "personal": lambda moment, random: tweet_row(moment, grammar.personal(random)),
    "marker": lambda moment, random: tweet_row(moment, f"{grammar.sentence(random)} <|endoftext|> the end"),
    "old_retweet": lambda moment, random: tweet_row(moment, f"RT @nobody_at_all: {grammar.sentence(random)}"),
}
