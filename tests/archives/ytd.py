"""The exports since 2019, `window.YTD.…`: those of 2019, of 2021, and today's, each with what only it has."""

from datetime import UTC, datetime
from typing import Any

from archives.writing import Members, manifest, private, script
from tweetbot_demo.archive import avatar_png
from tweetbot_demo.archive_rows import Entities, Moment, Row, tweet_row

ACCOUNT = {"accountId": "1000000007", "userName": "harbour_gull", "displayName": "Harbour Gull 🐦"}
NOTE = "The tide came back with soup, and nobody on the pier had asked for any. " * 6
SPOKEN = "Second long thought: the ferry waits for no one but the captain's cat, which is late again. " * 4
FORGOTTEN = "Third long thought: the fog has read all of my letters, and now it writes to me in return. " * 4
JAPANESE = "港の灯台は今夜も海を見ている。" * 12
PRIVATE = (
    "direct-messages", "direct-messages-group", "like", "ip-audit", "phone-number", "deleted-tweets",
    "twitter-circle-tweet", "tweet-headers", "follower", "ad-engagements", "email-address-change",
)  # fmt: skip


def moment(number: int, year: int = 2021) -> Moment:
    """Return a moment; `number` is its day in March."""
    return Moment(datetime(year, 3, number, 12, 30, number, tzinfo=UTC), number)


def linked(number: int, text: str, target: str, *, year: int = 2021) -> Row:
    """Return a tweet that ends with a link."""
    short = f"https://t.co/link{number:06}"
    return tweet_row(moment(number, year), f"{text} {short}", Entities(links=[(short, target)]))


def with_photo(number: int, text: str, *, year: int = 2021) -> Row:
    """Return a tweet with a photo."""
    short = f"https://t.co/foto{number:06}"
    return tweet_row(moment(number, year), f"{text} {short}".strip(), Entities(media=[short]))


def answering(row: Row, name: str) -> Row:
    """Return the tweet as a reply, whose visible part begins behind the name; the screen name may be absent."""
    row["in_reply_to_status_id_str"], row["in_reply_to_user_id_str"] = "1367000000000000000", "77"
    row["display_text_range"][0] = str(len(name) + 2)
    return row


def usual_rows(year: int) -> list[Row]:
    """Return a tweet of each kind that every form since 2019 has."""
    crab = Entities(mentions=["very_small_crab"])
    return [
        tweet_row(moment(1, year), "Fish & chips > soup, and <b>that</b> is that 🐟"),
        tweet_row(
            moment(2, year), "RT @very_small_crab: the tide said no, again and again, until the pier was d…", crab
        ),
        tweet_row(moment(3, year), "RT @nobody_at_all: typed by hand, mentions nobody"),
        answering(tweet_row(moment(4, year), "@very_small_crab not before noon", crab), "very_small_crab"),
        linked(5, "Look at this", "https://twitter.com/very_small_crab/status/20", year=year),
        linked(6, "Tide tables", "https://harbour.example/tides?day=1&sea=calm", year=year),
        with_photo(7, "", year=year),
        tweet_row(moment(8, year), "In HTML one writes &lt; for a less-than sign"),
        tweet_row(moment(9, year), "fin <|endoftext|> begin", lang="und"),
        tweet_row(moment(10, year), "今夜は霧が深い。", lang="ja"),
    ]


def of_2019() -> Members:
    """Return an export of 2019: no folder `data`, no manifest, rows without a wrapper, a phone number in account.js."""
    account = {
        "phoneNumber": "+15550143",
        "email": "gull@harbour.example",
        "username": ACCOUNT["userName"],
        "accountId": ACCOUNT["accountId"],
        "accountDisplayName": ACCOUNT["displayName"],
    }
    return {
        "README.txt": b"Your Twitter data.\n",
        "account.js": script("YTD.account.part0", [account]),
        "profile.js": _profile(".jpg"),
        "tweet.js": script("YTD.tweet.part0", usual_rows(2019)[::-1]),
        "profile_media/1000000007-Gull_400.jpg": b"\xff\xd8\xff\xe0 as good as a photo",
        "profile_media/1000000007-1550000000": b"\xff\xd8\xff\xe0 the banner",
        "tweet_media/1-photo.jpg": b"\xff\xd8\xff\xe0 not a photo",
        **private("direct-message", "direct-message-group", "like", "ip-audit", "phone-number", folder=""),
    }


def of_2021() -> Members:
    """Return an export of 2021: `data/tweet.js` in two parts that the manifest lists, rows in a wrapper."""
    rows = [{"tweet": row} for row in usual_rows(2021)[::-1]]
    scripts = {
        "data/tweet.js": script("YTD.tweet.part0", rows[:6]),
        "data/tweet-part1.js": script("YTD.tweet.part1", rows[6:]),
        "data/profile.js": _profile(".png"),
        **private(*PRIVATE[:5]),
    }
    return {
        "Your archive.html": b"<!doctype html><title>Your archive</title>",
        **scripts,
        "data/manifest.js": manifest(ACCOUNT, scripts),
        "data/profile_media/1000000007-Gull_400.png": avatar_png(),
        "data/tweet_media/1-photo.jpg": b"\xff\xd8\xff\xe0 not a photo",
    }


def of_today(*, partial: bool = False) -> Members:
    """Return today's export: parts from the manifest, notes of all three shapes, community tweets, edits, an avatar."""
    rows = [{"tweet": row} for row in (usual_rows(2023) + _edited() + _long())[::-1]]
    old = Moment(datetime(2009, 5, 4, 3, 2, 1, tzinfo=UTC), 0)
    ancient = tweet_row(old, "before t.co: http://harbour.example/news") | {"id_str": "1692834512", "id": "1692834512"}
    community = tweet_row(moment(28, 2023), "said among sailors")
    scripts = {
        "data/tweets.js": script("YTD.tweets.part0", rows[:8]),
        "data/tweets-part1.js": script("YTD.tweets.part1", [*rows[8:], {"tweet": ancient}]),
        "data/note-tweet.js": script("YTD.note_tweet.part0", [{"noteTweet": note} for note in _notes()]),
        "data/community-tweet.js": script("YTD.community_tweet.part0", [{"tweet": community}, rows[-1]]),
        "data/account.js": script("YTD.account.part0", [{"account": {"email": "gull@harbour.example"}}]),
        "data/profile.js": _profile(".png"),
        **private(*PRIVATE),
    }
    return {
        "Your archive.html": b"<!doctype html><title>Your archive</title>",
        "assets/js/main.js": b"not for reading",
        **scripts,
        "data/manifest.js": manifest(ACCOUNT, scripts, partial=partial),
        "data/README.txt": b"Your archive: one JavaScript file a kind of data.\n",
        "data/profile_media/1000000007-Gull_400.png": avatar_png(),
        "data/profile_media/1000000007-1550000000.jpg": b"\xff\xd8\xff\xe0 the banner",
        "data/tweets_media/1-photo.jpg": b"\xff\xd8\xff\xe0 not a photo",
        "data/community_tweet_media/1-photo.jpg": b"\xff\xd8\xff\xe0 not a photo",
        "__MACOSX/data/._tweets.js": b"\x00\x05\x16\x07 resource fork",
    }


def _profile(ending: str) -> bytes:
    picture = f"https://pbs.twimg.com/profile_images/1550000000000/Gull_400{ending}"
    profile = {"description": {"bio": "Fictional gull.", "website": "", "location": ""}, "avatarMediaUrl": picture}
    return script("YTD.profile.part0", [{"profile": profile | {"headerMediaUrl": "https://pbs.twimg.com/1550000000"}}])


def _edited() -> list[Row]:
    """Return three versions of a post; the first two name all ids, the last holds them one level deeper."""
    texts = ("teh seal won", "the seal one", "the seal won")
    rows = [tweet_row(moment(11 + number, 2023), text) for number, text in enumerate(texts)]
    control = rows[0]["edit_info"]["initial"] | {"editTweetIds": [row["id_str"] for row in rows]}
    for row in rows:
        row["edit_info"] = {"initial": control}
    rows[2]["edit_info"] = {"edit": {"initialTweetId": rows[0]["id_str"], "editControlInitial": control}}
    return rows


def _long() -> list[Row]:
    """Return posts that are cut: one a plain post, one a reply, one with a photo, one in Japanese."""
    crab = Entities(mentions=["very_small_crab"])
    reply = tweet_row(moment(21, 2023), f"@very_small_crab {SPOKEN[:250]}… https://t.co/whole21", crab)
    photo = f"{FORGOTTEN[:240]}… https://t.co/whole22 https://t.co/foto22"
    return [
        linked(20, f"{NOTE[:270]}…", "https://x.com/i/web/status/1", year=2023),
        answering(reply, "very_small_crab"),
        tweet_row(moment(22, 2023), photo, Entities(media=["https://t.co/foto22"])),
        tweet_row(moment(23, 2023), f"{JAPANESE[:130]}… https://t.co/whole23", lang="ja"),
    ]


def _notes() -> list[dict[str, Any]]:
    """Return their notes, one of no post that is still there among them."""
    return [
        _note(20, 959, core={"styletags": [], "urls": [], "text": NOTE, "mentions": [], "hashtags": []}),
        _note(21, 0, noteTweetContents={"text": SPOKEN}),
        _note(22, 0, noteTweetResults={"text": FORGOTTEN}, tweetId=moment(22, 2023).id),
        _note(23, 120, core={"text": JAPANESE}),
        _note(24, 0, core={"text": "A long post that was deleted since. " * 10}),
    ]


def _note(day: int, milliseconds: int, **text: Any) -> dict[str, Any]:
    at = f"{moment(day, 2023).at:%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z"
    return {"noteTweetId": str(day), "createdAt": at, "updatedAt": at, "lifecycle": {"value": "0"}, **text}
