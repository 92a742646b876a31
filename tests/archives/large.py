"""A large export, written as a stream: posts padded like tweets with videos, in parts like X's own."""

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archives import ytd
from archives.writing import Members, build_manifest, render_script
from tweetbot_demo.archive_rows import Moment, make_tweet

FIRST = datetime(2023, 1, 1, tzinfo=UTC)
PART_BYTES = 128 * 1024**2
#: One post in this many is long, with a note of 4,000 characters.
LONG_EVERY = 50


def write_large(path: Path, *, posts: int, unpacked: int) -> int:
    """Write an export, every tenth post with a photo; return the unpacked bytes of its posts, at least `unpacked`."""
    frame = _build_frame(unpacked // posts)
    per_part = PART_BYTES // len(frame)
    scripts: Members = {}
    counts: dict[str, int] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for part, first in enumerate(range(0, posts, per_part)):
            name = f"data/tweets-part{part}.js" if part else "data/tweets.js"
            scripts[name] = f"window.YTD.tweets.part{part} = ".encode()
            with archive.open(name, "w") as member:
                member.write(scripts[name] + b"[")
                counts[name] = min(per_part, posts - first)
                for number in range(first, min(posts, first + per_part)):
                    member.write(b"," * (number > first) + _render_tweet(frame, number))
                member.write(b"]")
        scripts["data/note-tweet.js"] = render_script("YTD.note_tweet.part0", list(_make_notes(posts)))
        archive.writestr("data/note-tweet.js", scripts["data/note-tweet.js"])
        archive.writestr("data/manifest.js", build_manifest(ytd.ACCOUNT, scripts, counts=counts))
        for number in range(0, posts, 10):
            archive.writestr(f"data/tweets_media/{_make_moment(number).id}-photo.jpg", b"\xff\xd8")
        return sum(archive.getinfo(name).file_size for name in scripts)


def _make_moment(number: int) -> Moment:
    return Moment(FIRST + timedelta(minutes=number), number % 4096)


def _make_text(number: int) -> str:
    return f"Post {number}: " + f"the tide came back {number * 7919} times, said gull {number % 97}. " * 100


def _make_notes(posts: int) -> Iterator[dict[str, object]]:
    for number in range(0, posts, LONG_EVERY):
        yield {"noteTweet": {"createdAt": _make_moment(number).iso, "core": {"text": _make_text(number)[:4000]}}}


def _render_tweet(frame: str, number: int) -> bytes:
    moment = _make_moment(number)
    filled = frame.replace("TEXT", _make_text(number)[:275] + "…" * (number % LONG_EVERY == 0))
    return filled.replace('"ID"', f'"{moment.id}"').replace('"AT"', f'"{moment.v1}"').encode()


def _build_frame(size: int) -> str:
    """Build a tweet of at least `size` characters, a video with a long description, with TEXT, ID and AT to replace."""
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
    row = make_tweet(_make_moment(0), "TEXT") | {"id_str": "ID", "created_at": "AT"}
    return json.dumps({"tweet": row | {"extended_entities": {"media": [media]}}})
