"""Where an export has what is read of it. Nothing else is ever opened: no direct messages, likes, addresses."""

import json
import re
from typing import Any

from tweetbot_trainer.data.sources.archive_files import BROKEN, Member

#: Exports that were packed again may have folders above `data`, and those of 2019 have no `data`. The folders of an
#: export's own web pages hold no posts.
_FOLDER = r"(?:(?:[^/]+/){0,4}?data/|(?:(?!(?:assets|js|lib|css|img)/)[^/]+/){0,4}?)"
#: The allow-list, for paths in lower case.
ALLOWED = re.compile(
    _FOLDER + r"(?P<file>(?P<kind>tweets?|note-tweet|community-tweet)(?:-part(?P<part>[0-9]{1,4}))?\.js"
    r"|(?P<month>js/tweets/[0-9]{4}_[0-9]{2}\.js)|tweets\.csv|js/tweet_index\.js|manifest\.js"
    r"|(?:account|profile|js/user_details)\.js|profile_media/[a-z0-9_.-]{1,200})"
)
MANIFEST, INDEX, TABLE, MONTHS = "manifest.js", "js/tweet_index.js", "tweets.csv", "js/tweets/"
#: Files that are named almost like those with posts: copies, downloads of the same name.
MISNAMED = re.compile(_FOLDER + r"(?:tweets?|note-tweet|community-tweet)(?!-headers|deck)[^/]*\.js")
WHAT_TO_UPLOAD = "upload the zip as X gave it, or its tweets.js"
SCRIPT_LIMIT = 16 * 1024**2


def parse_part(file: str) -> tuple[str, int]:
    """Return a file's kind in today's form, "" for none, and its part's number."""
    match = ALLOWED.fullmatch(file)
    return (match["kind"] or "", int(match["part"] or 0)) if match else ("", 0)


def read_script(member: Member | None) -> Any:
    """Parse the JSON that a small member assigns; None if it is missing or damaged."""
    content = member.read(SCRIPT_LIMIT) if member else None
    try:
        return json.loads(content.decode("utf-8-sig").partition("=")[2].strip().rstrip(";")) if content else None
    except BROKEN:
        return None
