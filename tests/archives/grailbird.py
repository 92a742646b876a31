"""The export of 2012 to 2018: one script per month, the same tweets as a table, and pages to read them with."""

import csv
import io
from typing import Any

from archives.writing import Members, render_grailbird_script

USER = {
    "screen_name": "harbour_gull",
    "location": "a pier",
    "full_name": "Harbour Gull",
    "bio": "Fictional gull.",
    "id": "1000000007",
    "created_at": "2009-02-11 13:04:14 +0000",
}
COLUMNS = (
    "tweet_id", "in_reply_to_status_id", "in_reply_to_user_id", "timestamp", "source", "text", "retweeted_status_id",
    "retweeted_status_user_id", "retweeted_status_timestamp", "expanded_urls",
)  # fmt: skip
Tweet = dict[str, Any]


def make_tweet(tweet_id: int, at: str, text: str, **fields: Any) -> Tweet:
    """Make a tweet as the API returned it then: ids also as numbers, `text` with X's escapes, no language."""
    return {
        "source": '<a href="http://twitter.com" rel="nofollow">Web</a>',
        "entities": build_entities(),
        "geo": {},
        "id_str": str(tweet_id),
        "text": text,
        "id": tweet_id,
        "created_at": at,
        "user": {"name": USER["full_name"], "screen_name": USER["screen_name"], "id_str": USER["id"]},
        **fields,
    }


def make_tweets() -> dict[str, list[Tweet]]:
    """Make the tweets by month."""
    return {"2010_10": _make_october_tweets(), "2013_02": _make_february_tweets()}


def _make_october_tweets() -> list[Tweet]:
    """Make tweets of which the export has only the day, and whose ids contain no time."""
    return [
        make_tweet(29257269016, "2010-10-31 00:00:00 +0000", "only the day is known of this one"),
        make_tweet(29149710979, "2010-10-30 00:00:00 +0000", "App $4.99-&gt;Free http://harbour.example/app"),
    ]


def _make_february_tweets() -> list[Tweet]:
    """Make a plain tweet, a reply, a quote, a photo, a retweet with its original, and one typed by hand."""
    crab = {"name": "Crab", "screen_name": "very_small_crab", "indices": [3, 19], "id_str": "77", "id": 77}
    status = {
        "url": "http://t.co/q",
        "expanded_url": "http://twitter.com/very_small_crab/status/20",
        "indices": [5, 20],
    }
    photo = {
        "url": "http://t.co/p",
        "expanded_url": "http://twitter.com/harbour_gull/status/307068274556940300/photo/1",
    }
    original = make_tweet(307060000000000000, "2013-02-28 09:00:00 +0000", "the tide said no")
    by_hand = "RT @very_small_crab: the tide said no // typed by hand"
    reply = {"in_reply_to_status_id": 307059859654844416, "in_reply_to_user_id": 77}
    first = 307068274556940287
    return [
        make_tweet(first + 17, "2013-02-28 10:02:40 +0000", "the fog has eyes 👀, and they are “mine”"),
        make_tweet(
            first + 16, "2013-02-28 10:02:39 +0000", "@very_small_crab no", entities=build_entities(crab), **reply
        ),
        make_tweet(
            first + 15, "2013-02-28 10:02:38 +0000", "Read http://t.co/q", entities=build_entities(urls=[status])
        ),
        make_tweet(
            first + 13, "2013-02-28 10:02:37 +0000", "sea http://t.co/p", entities=build_entities(media=[photo])
        ),
        make_tweet(
            first + 1,
            "2013-02-28 10:02:36 +0000",
            "RT @very_small_crab: the tide said no",
            retweeted_status=original,
            entities=build_entities(crab),
        ),
        make_tweet(first, "Thu Feb 28 10:02:35 +0000 2013", by_hand, entities=build_entities(crab)),
    ]


def build_entities(*mentions: Tweet, **others: Any) -> Tweet:
    """Build a tweet's entities."""
    return {"user_mentions": list(mentions), "media": [], "hashtags": [], "urls": []} | others


def make_2013_export() -> Members:
    """Make a complete Grailbird export; one tweet is only in its table."""
    months = make_tweets()
    index = [
        {"file_name": f"data/js/tweets/{month}.js", "year": int(month[:4]), "tweet_count": len(tweets), "month": 1}
        for month, tweets in months.items()
    ]
    scripts = {
        f"data/js/tweets/{month}.js": render_grailbird_script(f"Grailbird.data.tweets_{month}", rows)
        for month, rows in months.items()
    }
    return {
        "README.txt": b"Your Twitter archive.\n",
        "index.html": b"<!doctype html><title>Your tweets</title>",
        "tweets.csv": _render_table([*months["2013_02"], *months["2010_10"], _make_table_only_tweet()]),
        "js/grailbird.js": b"not for reading",
        "lib/bootstrap/bootstrap.js": b"not for reading",
        "data/js/tweet_index.js": render_grailbird_script("var tweet_index", index),
        "data/js/user_details.js": render_grailbird_script("var user_details", USER),
        "data/js/payload_details.js": render_grailbird_script("var payload_details", {"tweets": 9, "lang": "en"}),
        "data/csv/2013_02.csv": b"not for reading",
        **scripts,
    }


def make_table_export() -> Members:
    """Make an export of which only the table was kept."""
    return {"tweets.csv": make_2013_export()["tweets.csv"]}


def _make_table_only_tweet() -> Tweet:
    return make_tweet(29257269000, "2010-10-31 00:00:00 +0000", 'she said "no",\nand left')


def _render_table(rows: list[Tweet]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        original = row.get("retweeted_status", {})
        links = [link["expanded_url"] for kind in ("urls", "media") for link in row["entities"][kind]]
        writer.writerow(
            {
                "tweet_id": row["id_str"],
                "in_reply_to_status_id": row.get("in_reply_to_status_id", ""),
                "in_reply_to_user_id": row.get("in_reply_to_user_id", ""),
                "timestamp": row["created_at"],
                "source": row["source"],
                "text": row["text"],
                "retweeted_status_id": original.get("id_str", ""),
                "retweeted_status_user_id": "77" if original else "",
                "retweeted_status_timestamp": original.get("created_at", ""),
                "expanded_urls": ",".join(links),
            }
        )
    return text.getvalue().encode()
