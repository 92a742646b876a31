"""The export of 2012 to 2018: a script a month with all that the API said of a tweet, and the same as one table.

data/js/tweets/2013_02.js   Grailbird.data.tweets_2013_02 = [ {"id_str", "text", "created_at", "retweeted_status", …} ]
tweets.csv                  tweet_id, timestamp, text, in_reply_to_…, retweeted_status_…, expanded_urls
"""

import csv
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace

from tweetbot_contract import reasons
from tweetbot_trainer.data.posts import Post, decoded_lines
from tweetbot_trainer.data.sources.x_archive.members import Row, damaged, rows
from tweetbot_trainer.data.sources.x_archive.tweets import post_of
from tweetbot_trainer.data.sources.x_archive.zip_file import BROKEN, refused

#: `2013-02-28 10:02:36 +0000`; before November 2010 the export knows only the day.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)", re.ASCII)
_COLUMNS = ("tweet_id", "timestamp", "text")
#: The table lists a post's own photos among its links.
_OWN_MEDIA = re.compile(r"/status/\d+/(?:photo|video)/\d+$")


def posts_of_month(archive: zipfile.ZipFile, name: str, source: int) -> Iterator[Post]:
    """Yield the posts of a month's script. Raises SpecRefused (SourceUnreadable) naming it."""
    for row in rows(archive, name):
        yield _post(row, name, source, retweet=bool(row.get("retweeted_status")))


def posts_of_table(archive: zipfile.ZipFile, name: str, source: int) -> Iterator[Post]:
    """Yield the posts of the table.

    Raises SpecRefused: SourceNotAnExport where it is another table, SourceUnreadable where it is damaged.
    """
    try:
        with archive.open(name) as raw:
            table = csv.DictReader(decoded_lines(raw), strict=True)
            if missing := [column for column in _COLUMNS if column not in (table.fieldnames or ())]:
                message = f"{name} in the zip is no table of tweets: it has no column {missing[0]}"
                raise refused(message, reasons.SOURCE_NOT_AN_EXPORT)
            for line in table:
                yield _post(_row(line), name, source, retweet=bool(line.get("retweeted_status_id")))
    except (*BROKEN, csv.Error) as error:
        raise damaged(name, error) from error


def _post(row: Row, name: str, source: int, *, retweet: bool) -> Post:
    """Return the post of a row; unlike later forms this one says itself what was retweeted."""
    at = _TIME.sub(r"\1\2:\3", str(row.get("created_at")))
    return replace(post_of(row | {"created_at": at}, name, source), retweet=retweet)


def _row(line: dict[str, str]) -> Row:
    """Return a line of the table as the scripts write it."""
    links = [link for link in (line.get("expanded_urls") or "").split(",") if not _OWN_MEDIA.search(link)]
    return {
        "id_str": line["tweet_id"],
        "text": line["text"],
        "created_at": line["timestamp"],
        "in_reply_to_status_id": line.get("in_reply_to_status_id"),
        "in_reply_to_user_id": line.get("in_reply_to_user_id"),
        "entities": {"urls": [{"expanded_url": link} for link in links]},
    }
