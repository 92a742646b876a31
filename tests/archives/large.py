"""A large export, written as a stream: so many posts, padded as tweets with videos are, in parts like X's own."""

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archives import ytd
from archives.writing import Members, manifest, script
from tweetbot_demo.archive_rows import Moment, tweet_row

FIRST = datetime(2023, 1, 1, tzinfo=UTC)
PART_BYTES = 128 * 1024**2
#: One in so many posts is long, with a note of 4,000 characters.
LONG_EVERY = 50


def write_large(path: Path, *, posts: int, unpacked: int) -> int:
    """Write an export of so many posts, a photo to each tenth; return to how many bytes its posts unpack.

    They are at least as many as asked for.
    """
    frame = _frame(unpacked // posts)
    a_part = PART_BYTES // len(frame)
    scripts: Members = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for part, first in enumerate(range(0, posts, a_part)):
            name = f"data/tweets-part{part}.js" if part else "data/tweets.js"
            scripts[name] = f"window.YTD.tweets.part{part} = ".encode()
            with archive.open(name, "w") as member:
                member.write(scripts[name] + b"[")
                for number in range(first, min(posts, first + a_part)):
                    member.write(b"," * (number > first) + _row(frame, number))
                member.write(b"]")
        scripts["data/note-tweet.js"] = script("YTD.note_tweet.part0", list(_notes(posts)))
        archive.writestr("data/note-tweet.js", scripts["data/note-tweet.js"])
        archive.writestr("data/manifest.js", manifest(ytd.ACCOUNT, scripts))
        for number in range(0, posts, 10):
            archive.writestr(f"data/tweets_media/{_moment(number).id}-photo.jpg", b"\xff\xd8")
        return sum(archive.getinfo(name).file_size for name in scripts)


def _moment(number: int) -> Moment:
    return Moment(FIRST + timedelta(minutes=number), number % 4096)


def _text(number: int) -> str:
    return f"Post {number}: " + f"the tide came back {number * 7919} times, said gull {number % 97}. " * 100


def _notes(posts: int) -> Iterator[dict[str, object]]:
    for number in range(0, posts, LONG_EVERY):
        yield {"noteTweet": {"createdAt": _moment(number).iso, "core": {"text": _text(number)[:4000]}}}


def _row(frame: str, number: int) -> bytes:
    moment = _moment(number)
    filled = frame.replace("TEXT", _text(number)[:275] + "…" * (number % LONG_EVERY == 0))
    return filled.replace('"ID"', f'"{moment.id}"').replace('"AT"', f'"{moment.v1}"').encode()


def _frame(size: int) -> str:
    """Return a row of at least that many characters, a video with a long description, with places for what differs."""
    variants = [
        {
            "bitrate": str(rate),
            "content_type": "video/mp4",
            "url": f"https://video.example/amplify_video/{rate}/vid.mp4",
        }
        for rate in (256_000, 832_000, 2_176_000)
    ]
    described = "".join(f" frame {number * 7919}," for number in range(size // 12))[:size]
    media = {"type": "video", "ext_alt_text": described, "video_info": {"variants": variants}}
    row = tweet_row(_moment(0), "TEXT") | {"id_str": "ID", "created_at": "AT"}
    return json.dumps({"tweet": row | {"extended_entities": {"media": [media]}}})
