"""The exports since 2019, `window.YTD.…`: those of 2019, of 2021, and today's, each with what is special to it."""

from datetime import UTC, datetime
from typing import Any

from archives.writing import Members, build_manifest, make_private_members, render_script
from tweetbot_demo.archive import draw_avatar
from tweetbot_demo.archive_rows import Entities, Moment, Row, make_tweet

ACCOUNT = {"accountId": "1000000007", "userName": "harbour_gull", "displayName": "Harbour Gull 🐦"}
NOTE = "The tide came back with soup, and nobody on the pier had asked for any. " * 6
SPOKEN = "Second long thought: the ferry waits for no one but the captain's cat, which is late again. " * 4
FORGOTTEN = "Third long thought: the fog has read all of my letters, and now it writes to me in return. " * 4
JAPANESE = "港の灯台は今夜も海を見ている。" * 12
PRIVATE = (
    "direct-messages", "direct-messages-group", "like", "ip-audit", "phone-number", "deleted-tweets",
    "twitter-circle-tweet", "tweet-headers", "follower", "ad-engagements", "email-address-change",
)  # fmt: skip


def make_moment(number: int, year: int = 2021) -> Moment:
    """Make a moment; `number` is its day in March."""
    return Moment(datetime(year, 3, number, 12, 30, number, tzinfo=UTC), number)


def make_link_tweet(number: int, text: str, target: str, *, year: int = 2021) -> Row:
    """Make a tweet that ends with a link."""
    short = f"https://t.co/link{number:06}"
    return make_tweet(make_moment(number, year), f"{text} {short}", Entities(links=[(short, target)]))


def make_photo_tweet(number: int, text: str, *, year: int = 2021) -> Row:
    """Make a tweet with a photo."""
    short = f"https://t.co/foto{number:06}"
    return make_tweet(make_moment(number, year), f"{text} {short}".strip(), Entities(media=[short]))


def as_reply(row: Row, name: str) -> Row:
    """Turn a tweet into a reply, whose visible part begins after the name; its screen name is absent."""
    row["in_reply_to_status_id_str"], row["in_reply_to_user_id_str"] = "1367000000000000000", "77"
    row["display_text_range"][0] = str(len(name) + 2)
    return row


def make_usual_tweets(year: int) -> list[Row]:
    """Make a tweet of each kind that all exports since 2019 have."""
    crab = Entities(mentions=["very_small_crab"])
    return [
        make_tweet(make_moment(1, year), "Fish & chips > soup, and <b>that</b> is that 🐟"),
        make_tweet(
            make_moment(2, year), "RT @very_small_crab: the tide said no, again and again, until the pier was d…", crab
        ),
        make_tweet(make_moment(3, year), "RT @nobody_at_all: typed by hand, mentions nobody"),
        as_reply(make_tweet(make_moment(4, year), "@very_small_crab not before noon", crab), "very_small_crab"),
        make_link_tweet(5, "Look at this", "https://twitter.com/very_small_crab/status/20", year=year),
        make_link_tweet(6, "Tide tables", "https://harbour.example/tides?day=1&sea=calm", year=year),
        make_photo_tweet(7, "", year=year),
        make_tweet(make_moment(8, year), "In HTML one writes &lt; for a less-than sign"),
        make_tweet(make_moment(9, year), "fin <|endoftext|> begin", lang="und"),
        make_tweet(make_moment(10, year), "今夜は霧が深い。", lang="ja"),
    ]


def make_2019_export() -> Members:
    """Make an export of 2019: no folder `data`, no manifest, rows without a wrapper, a phone number in account.js."""
    account = {
        "phoneNumber": "+15550143",
        "email": "gull@harbour.example",
        "username": ACCOUNT["userName"],
        "accountId": ACCOUNT["accountId"],
        "accountDisplayName": ACCOUNT["displayName"],
    }
    return {
        "README.txt": b"Your Twitter data.\n",
        "account.js": render_script("YTD.account.part0", [account]),
        "profile.js": _build_profile(".jpg"),
        "tweet.js": render_script("YTD.tweet.part0", make_usual_tweets(2019)[::-1]),
        "profile_media/1000000007-Gull_400.jpg": b"\xff\xd8\xff\xe0 as good as a photo",
        "profile_media/1000000007-1550000000": b"\xff\xd8\xff\xe0 the banner",
        "tweet_media/1-photo.jpg": b"\xff\xd8\xff\xe0 not a photo",
        **make_private_members("direct-message", "direct-message-group", "like", "ip-audit", "phone-number", folder=""),
    }


def make_2021_export() -> Members:
    """Make an export of 2021: `data/tweet.js` in two parts that the manifest lists, rows in a wrapper."""
    rows = [{"tweet": row} for row in make_usual_tweets(2021)[::-1]]
    scripts = {
        "data/tweet.js": render_script("YTD.tweet.part0", rows[:6]),
        "data/tweet-part1.js": render_script("YTD.tweet.part1", rows[6:]),
        "data/profile.js": _build_profile(".png"),
        **make_private_members(*PRIVATE[:5]),
    }
    return {
        "Your archive.html": b"<!doctype html><title>Your archive</title>",
        **scripts,
        "data/manifest.js": build_manifest(ACCOUNT, scripts),
        "data/profile_media/1000000007-Gull_400.png": draw_avatar(),
        "data/tweet_media/1-photo.jpg": b"\xff\xd8\xff\xe0 not a photo",
    }


def make_current_export(*, partial: bool = False) -> Members:
    """Make today's export: parts from the manifest, notes of all three shapes, community tweets, edits, an avatar."""
    rows = [{"tweet": row} for row in (make_usual_tweets(2023) + _make_edited_tweets() + _make_long_tweets())[::-1]]
    old = Moment(datetime(2009, 5, 4, 3, 2, 1, tzinfo=UTC), 0)
    ancient = make_tweet(old, "before t.co: http://harbour.example/news") | {"id_str": "1692834512", "id": "1692834512"}
    community = make_tweet(make_moment(28, 2023), "said among sailors")
    scripts = {
        "data/tweets.js": render_script("YTD.tweets.part0", rows[:8]),
        "data/tweets-part1.js": render_script("YTD.tweets.part1", [*rows[8:], {"tweet": ancient}]),
        "data/note-tweet.js": render_script("YTD.note_tweet.part0", [{"noteTweet": note} for note in _build_notes()]),
        "data/community-tweet.js": render_script("YTD.community_tweet.part0", [{"tweet": community}, rows[-1]]),
        "data/account.js": render_script("YTD.account.part0", [{"account": {"email": "gull@harbour.example"}}]),
        "data/profile.js": _build_profile(".png"),
        **make_private_members(*PRIVATE),
    }
    return {
        "Your archive.html": b"<!doctype html><title>Your archive</title>",
        "assets/js/main.js": b"not for reading",
        **scripts,
        "data/manifest.js": build_manifest(ACCOUNT, scripts, partial=partial),
        "data/README.txt": b"Your archive: one JavaScript file a kind of data.\n",
        "data/profile_media/1000000007-Gull_400.png": draw_avatar(),
        "data/profile_media/1000000007-1550000000.jpg": b"\xff\xd8\xff\xe0 the banner",
        "data/tweets_media/1-photo.jpg": b"\xff\xd8\xff\xe0 not a photo",
        "data/community_tweet_media/1-photo.jpg": b"\xff\xd8\xff\xe0 not a photo",
        "__MACOSX/data/._tweets.js": b"\x00\x05\x16\x07 resource fork",
    }


def _build_profile(ending: str) -> bytes:
    picture = f"https://pbs.twimg.com/profile_images/1550000000000/Gull_400{ending}"
    profile = {"description": {"bio": "Fictional gull.", "website": "", "location": ""}, "avatarMediaUrl": picture}
    return render_script(
        "YTD.profile.part0", [{"profile": profile | {"headerMediaUrl": "https://pbs.twimg.com/1550000000"}}]
    )


def _make_edited_tweets() -> list[Row]:
    """Make three versions of a post; the first two name all ids, the last has them one level deeper."""
    texts = ("teh seal won", "the seal one", "the seal won")
    rows = [make_tweet(make_moment(11 + number, 2023), text) for number, text in enumerate(texts)]
    control = rows[0]["edit_info"]["initial"] | {"editTweetIds": [row["id_str"] for row in rows]}
    for row in rows:
        row["edit_info"] = {"initial": control}
    rows[2]["edit_info"] = {"edit": {"initialTweetId": rows[0]["id_str"], "editControlInitial": control}}
    return rows


def _make_long_tweets() -> list[Row]:
    """Make posts that are cut: one a plain post, one a reply, one with a photo, one in Japanese."""
    crab = Entities(mentions=["very_small_crab"])
    reply = make_tweet(make_moment(21, 2023), f"@very_small_crab {SPOKEN[:250]}… https://t.co/whole21", crab)
    photo = f"{FORGOTTEN[:240]}… https://t.co/whole22 https://t.co/foto22"
    return [
        make_link_tweet(20, f"{NOTE[:270]}…", "https://x.com/i/web/status/1", year=2023),
        as_reply(reply, "very_small_crab"),
        make_tweet(make_moment(22, 2023), photo, Entities(media=["https://t.co/foto22"])),
        make_tweet(make_moment(23, 2023), f"{JAPANESE[:130]}… https://t.co/whole23", lang="ja"),
    ]


def _build_notes() -> list[dict[str, Any]]:
    """Build the notes of the long tweets, and one whose tweet was deleted."""
    return [
        _build_note(20, 959, core={"styletags": [], "urls": [], "text": NOTE, "mentions": [], "hashtags": []}),
        _build_note(21, 0, noteTweetContents={"text": SPOKEN}),
        _build_note(22, 0, noteTweetResults={"text": FORGOTTEN}, tweetId=make_moment(22, 2023).id),
        _build_note(23, 120, core={"text": JAPANESE}),
        _build_note(24, 0, core={"text": "A long post that was deleted since. " * 10}),
    ]


def _build_note(day: int, milliseconds: int, **text: Any) -> dict[str, Any]:
    at = f"{make_moment(day, 2023).at:%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z"
    return {"noteTweetId": str(day), "createdAt": at, "updatedAt": at, "lifecycle": {"value": "0"}, **text}
