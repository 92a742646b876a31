"""A made-up X export with every wart of the real format, to test readers with."""

import json
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from tweetbot_demo import grammar
from tweetbot_demo.archive_rows import MAKERS, Moment, Row, make_edited_tweets, make_note_tweet, make_tweet

HANDLE, DISPLAY_NAME, ACCOUNT_ID = "harbour_gull", "Harbour Gull", "1000000007"
AVATAR = "gull_400x400.png"
POSTS = 1800
SEED = 20210409
FIRST_POST = datetime(2019, 3, 1, 6, 0, tzinfo=UTC)
#: The zip format's first day: one fixed time for all members, so that a seed always gives the same bytes.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
#: How many of 1,000 posts are of a kind; the rest are plain.
PER_THOUSAND = {
    "retweet": 90, "short": 45, "near_duplicate": 20, "reply": 90, "quote": 25, "link": 50, "media": 35, "photo": 10,
    "lines": 15, "japanese": 6, "personal": 5, "marker": 1, "old_retweet": 2, "note": 5, "edited": 6, "community": 8,
}  # fmt: skip
#: Members that a reader must never open.
PRIVATE = (
    "data/direct-messages.js",
    "data/direct-messages-group.js",
    "data/like.js",
    "data/ip-audit.js",
    "data/phone-number.js",
    "data/deleted-tweets.js",
)


@dataclass(frozen=True, slots=True)
class WrittenArchive:
    """What was written: `kinds` counts the posts of each kind; an edited post counts once, though it has two rows."""

    path: Path
    posts: int
    kinds: dict[str, int]


@dataclass(slots=True)
class _Members:
    tweets: list[Row] = field(default_factory=list)
    notes: list[Row] = field(default_factory=list)
    community: list[Row] = field(default_factory=list)
    plain_texts: list[str] = field(default_factory=list)


def write_archive(path: Path | str, *, seed: int = SEED, posts: int = POSTS) -> WrittenArchive:
    """Write an export zip of the fictional account @harbour_gull; the same seed gives the same bytes."""
    kinds = _draw_kinds(posts, Random(seed))
    members = _build_files(_make_members(kinds, Random(seed + 1)))
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return WrittenArchive(Path(path), posts, {kind: kinds.count(kind) for kind in sorted(set(kinds))})


def _draw_kinds(posts: int, random: Random) -> list[str]:
    kinds = [kind for kind, share in PER_THOUSAND.items() for _ in range(round(posts * share / 1000))]
    kinds += ["plain"] * (posts - len(kinds))
    random.shuffle(kinds)
    return kinds


def _make_members(kinds: list[str], random: Random) -> _Members:
    rows, at = _Members(), FIRST_POST
    for sequence, kind in enumerate(kinds):
        at += timedelta(minutes=random.randint(20, 2400))
        _add_post(rows, kind, Moment(at, sequence), random)
    return rows


def _add_post(rows: _Members, kind: str, moment: Moment, random: Random) -> None:
    match kind:
        case "near_duplicate":
            earlier = random.choice(rows.plain_texts or [grammar.make_sentence(random)])
            rows.tweets.append(make_tweet(moment, grammar.make_near_duplicate(random, earlier)))
        case "edited":
            later = Moment(moment.at + timedelta(minutes=4), moment.sequence)
            rows.tweets.extend(make_edited_tweets(moment, later, grammar.make_sentence(random)))
        case "note":
            cut, note = make_note_tweet(moment, random, grammar.make_sentences(random, 320))
            rows.tweets.append(cut)
            rows.notes.append(note)
        case "community":
            rows.community.append(make_tweet(moment, grammar.make_post(random)))
        case _:
            rows.tweets.append(row := MAKERS[kind](moment, random))
            if kind == "plain":
                rows.plain_texts.append(row["full_text"])


def _build_files(rows: _Members) -> dict[str, bytes]:
    newest_first = rows.tweets[::-1]
    cut = len(newest_first) * 3 // 5
    parts = {
        "data/tweets.js": ("tweets", 0, [{"tweet": row} for row in newest_first[:cut]]),
        "data/tweets-part1.js": ("tweets", 1, [{"tweet": row} for row in newest_first[cut:]]),
        "data/note-tweet.js": ("note_tweet", 0, [{"noteTweet": row} for row in rows.notes]),
        "data/community-tweet.js": ("community_tweet", 0, [{"tweet": row} for row in rows.community]),
        "data/account.js": ("account", 0, [{"account": _build_account()}]),
        "data/profile.js": ("profile", 0, [{"profile": _build_profile()}]),
    }
    members = {name: _render_script(f"YTD.{kind}.part{number}", items) for name, (kind, number, items) in parts.items()}
    members["data/manifest.js"] = _build_manifest(parts)
    members["data/README.txt"] = b"Your archive: one JavaScript file a kind of data.\n"
    members["Your archive.html"] = b"<!doctype html><title>Your archive</title>"
    members[f"data/profile_media/{ACCOUNT_ID}-{AVATAR}"] = draw_avatar()
    members["data/tweets_media/1-photo.jpg"] = b"\xff\xd8\xff\xe0 not a photo"
    members["__MACOSX/data/._tweets.js"] = b"\x00\x05\x16\x07 resource fork"
    return members | {name: _build_private_file(name) for name in PRIVATE}


def _render_script(global_name: str, content: object) -> bytes:
    return f"window.{global_name} = {json.dumps(content, ensure_ascii=False, indent=2)}".encode()


def _build_account() -> Row:
    return {
        "email": "gull@harbour.example",
        "createdVia": "web",
        "username": HANDLE,
        "accountId": ACCOUNT_ID,
        "createdAt": "2019-02-11T13:04:14.000Z",
        "accountDisplayName": DISPLAY_NAME,
    }


def _build_profile() -> Row:
    picture = f"https://pbs.twimg.com/profile_images/1100000000000/{AVATAR}"
    return {"description": {"bio": "Fictional gull.", "website": ""}, "avatarMediaUrl": picture}


def draw_avatar(size: int = 48) -> bytes:
    """Draw a square PNG: sky above, sea below, and a gull as a grey block."""
    sky, sea, gull = b"\xbf\xdd\xf0", b"\x2b\x5d\x7d", b"\xe8\xe8\xe8"
    empty, wing = size * 3 // 8, size // 4
    lines = [b"\0" + (sky if y < size * 2 // 3 else sea) * size for y in range(size)]
    for y in range(size // 3, size // 2):
        lines[y] = b"\0" + sky * empty + gull * wing + sky * (size - empty - wing)
    header = struct.pack(">2L5B", size, size, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(lines))), (b"IEND", b""))
    chunks = (
        struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body)) for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _build_manifest(parts: dict[str, tuple[str, int, list[Row]]]) -> bytes:
    types: dict[str, Row] = {}
    for name, (kind, number, items) in parts.items():
        pascal = "".join(word.title() for word in kind.split("_"))
        key = pascal[0].lower() + pascal[1:]
        file = {"fileName": name, "globalName": f"YTD.{kind}.part{number}", "count": str(len(items))}
        types.setdefault(key, {"files": []})["files"].append(file)
    for name in PRIVATE:
        kind = Path(name).stem.replace("-", "_")
        file = {"fileName": name, "globalName": f"YTD.{kind}.part0", "count": "1"}
        types[kind] = {"files": [file]}
    return _render_script(
        "__THAR_CONFIG",
        {
            "userInfo": {"accountId": ACCOUNT_ID, "userName": HANDLE, "displayName": DISPLAY_NAME},
            "archiveInfo": {
                "sizeBytes": "1048576",
                "generationDate": "2026-11-01T00:00:00.000Z",
                "isPartialArchive": False,
                "maxPartSizeBytes": "53687091200",
            },
            "dataTypes": types,
        },
    )


def _build_private_file(name: str) -> bytes:
    return _render_script(f"YTD.{Path(name).stem.replace('-', '_')}.part0", [{"secret": "nobody may read this"}])
