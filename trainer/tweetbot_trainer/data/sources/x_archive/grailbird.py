"""The export of 2012 to 2018: one script per month with the API's tweets, and the same tweets in one table.

data/js/tweets/2013_02.js   Grailbird.data.tweets_2013_02 = [ {"id_str", "text", "created_at", "retweeted_status", …} ]
tweets.csv                  tweet_id, timestamp, text, in_reply_to_…, retweeted_status_…, expanded_urls
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import replace

from tweetbot_contract import reasons
from tweetbot_trainer.data.lines import decode_lines
from tweetbot_trainer.data.posts import BadPost, Json, Post
from tweetbot_trainer.data.sources.archive_files import BROKEN, Member, build_refusal
from tweetbot_trainer.data.sources.json_array import Entry
from tweetbot_trainer.data.sources.x_archive.members import build_damage_refusal
from tweetbot_trainer.data.sources.x_archive.replies import Author
from tweetbot_trainer.data.sources.x_archive.tweets import parse_tweet

#: `2013-02-28 10:02:36 +0000`; of tweets before November 2010 the export knows only the day.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)", re.ASCII)
_COLUMNS = ("tweet_id", "timestamp", "text")
#: The table lists a tweet's own photos among its links.
_OWN_MEDIA = re.compile(r"/status/\d+/(?:photo|video)/\d+$")


def parse_month_tweet(record: Json, source: int, author: Author) -> Post:
    """Parse a row of a month's script. Raises BadPost."""
    return _parse_post(record, source, author, retweet=bool(record.get("retweeted_status")))


def iter_table(member: Member) -> Iterator[Entry]:
    """Yield the rows of the table.

    Raises SpecRefused: SourceNotAnExport if it is another table, SourceUnreadable if it is damaged.
    """
    try:
        with member.open() as raw:
            table = csv.DictReader(decode_lines(raw), strict=True)
            if missing := [column for column in _COLUMNS if column not in (table.fieldnames or ())]:
                message = f"{member.label} is no table of tweets: it has no column {missing[0]}"
                raise build_refusal(message, reasons.SOURCE_NOT_AN_EXPORT)
            for number, record in enumerate(table, start=1):
                yield Entry(record, number, table.reader.line_num)
    except (*BROKEN, csv.Error) as error:
        raise build_damage_refusal(member, error) from error


def parse_table_tweet(record: Json, source: int, author: Author) -> Post:
    """Parse a row of the table. Raises BadPost."""
    if None in record:
        raise BadPost("it has more cells than the header names")
    return _parse_post(_convert_line(record), source, author, retweet=bool(record.get("retweeted_status_id")))


def _parse_post(record: Json, source: int, author: Author, *, retweet: bool) -> Post:
    """Parse a row; unlike later forms, this one says itself what is a retweet."""
    at = _TIME.sub(r"\1\2:\3", str(record.get("created_at")))
    return replace(parse_tweet(record | {"created_at": at}, source, author), retweet=retweet)


def _convert_line(line: Json) -> Json:
    """Convert a line of the table to the form of the scripts."""
    links = [link for link in (line.get("expanded_urls") or "").split(",") if not _OWN_MEDIA.search(link)]
    return {
        "id_str": line["tweet_id"],
        "text": line["text"],
        "created_at": line["timestamp"],
        "truncated": line.get("truncated"),
        "in_reply_to_status_id": line.get("in_reply_to_status_id"),
        "in_reply_to_user_id": line.get("in_reply_to_user_id"),
        "entities": {"urls": [{"expanded_url": link} for link in links]},
    }
