"""What people upload as an export of X or Mastodon. docs/sources has a table with the sentence that each gets."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable

from archives import damaged, grailbird
from archives.writing import Members, make_zip
from builders.mastodon import a_boost, a_note, an_outbox, members_of, tarred
from builders.trainer import a_tweet, manifest_js, script, tweets_js

Upload = Callable[[], bytes]
NAME = "data/tweets.js"
THREE = tweets_js(*(a_tweet(f"post {number}", number=number) for number in range(3)))
TWO = tweets_js(*(a_tweet(f"post {number}", number=number) for number in (3, 4)), part=1)
EMPTY = "window.YTD.{}.part0 = [ ]"
CUT = a_tweet("The tide came back with soup, and nobody noticed, " * 5 + "… https://t.co/abc", number=9)
LISTED: Members = {"data/manifest.js": manifest_js(NAME, counts=[3]), NAME: THREE}
PAGE = b"<!DOCTYPE html>\n<html><head><title>Log in</title>"
S3_ERROR = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Request has expired</Message>'
)
ICLOUD = b"bplist00\xd3\x01\x02\x03\x04\x05\x06YNSURLName"
SHORTCUT = b"[InternetShortcut]\r\nURL=https://x.com/settings/download_your_data\r\n"
CAR = b"\x3a\xa2eroots\x81\xd8*X%\x00\x01q\x12 " + bytes(range(32)) + b"gversion\x01"
SEVEN_ZIP, RAR = b"7z\xbc\xaf\x27\x1c\0\4", b"Rar!\x1a\x07\x01\0"
ZSTANDARD = b"\x28\xb5\x2f\xfd\x04\x58"


def zip_of(**changes: bytes | None) -> bytes:
    """Make a zip of the small export with members changed (`tweets_part1` is data/tweets-part1.js) or left out."""
    named = {f"data/{name.replace('_', '-')}.js": content for name, content in changes.items()}
    return make_zip({name: content for name, content in (LISTED | named).items() if content is not None})


def plain_tar(members: Members) -> bytes:
    """Make a tar that is not packed, with `./` before names, as `tar cf x.tar .` does."""
    return gzip.decompress(tarred({f"./{name}": content for name, content in members.items()}))


def by_finder(members: Members) -> bytes:
    """Pack a folder as Finder does: the folder above, and what belongs to macOS beside each file."""
    forks = {f"__MACOSX/me/._{name}": b"\0\5\x16\7" for name in members}
    return make_zip({"me/.DS_Store": b"\0", **{f"me/{name}": content for name, content in members.items()}, **forks})


def by_windows(members: Members) -> bytes:
    """Pack a folder as PowerShell 5 does."""
    return make_zip({f"me\\{name}".replace("/", "\\"): content for name, content in members.items()})


def in_another_method(members: Members) -> bytes:
    """Pack by bzip2 inside the zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_BZIP2) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def half_of(content: bytes) -> bytes:
    """Cut a file in the middle."""
    return content[: len(content) // 2]


EITHER: dict[str, Upload] = {
    "nothing: a file of 0 bytes": lambda: b"",
    "a download that was interrupted (`.part`, `.crdownload`)": lambda: half_of(make_zip(LISTED)),
    "a file that a cloud drive has not downloaded (iCloud)": lambda: ICLOUD,
    "the zip inside another zip": lambda: make_zip({"export.zip": make_zip(LISTED)}),
    "a zip of several zips": lambda: make_zip({"export-1.zip": make_zip(LISTED), "export-2.zip": b"PK"}),
    "a zip packed again as `.zip.gz`": lambda: gzip.compress(make_zip(LISTED)),
    "an empty zip": lambda: make_zip({}),
    "some other zip": lambda: make_zip({"holiday.jpg": b"\xff\xd8\xff", "notes.txt": b"buy fish"}),
    "a `.7z`": lambda: SEVEN_ZIP,
    "a `.rar`": lambda: RAR,
    "a `.tar.zst`": lambda: ZSTANDARD,
    "a `.tar.xz`": lambda: lzma.compress(plain_tar(LISTED)),
    "a `.tar.bz2`": lambda: bz2.compress(plain_tar(LISTED)),
    "one piece of a split zip": damaged.piece,
    "a web page": lambda: PAGE,
    "an error that was saved in place of the file": lambda: S3_ERROR,
    "a shortcut to the file": lambda: SHORTCUT,
    "a repository of Bluesky (`.car`)": lambda: CAR,
}
X_UPLOADS: dict[str, Upload] = {
    "the zip as X gave it": lambda: make_zip(LISTED),
    "the same, packed again by Finder": lambda: by_finder(LISTED),
    "the same, packed again by Windows PowerShell": lambda: by_windows(LISTED),
    "the same as a `.tar.gz`": lambda: tarred(LISTED),
    "the same as a `.tar`": lambda: plain_tar(LISTED),
    "`tweets.js` alone": lambda: THREE,
    "`tweets.js.gz`": lambda: gzip.compress(THREE),
    "`tweets-part1.js` alone": lambda: TWO,
    "`tweets.csv` of an old export": lambda: grailbird.make_table_export()["tweets.csv"],
    "a zip of `tweets.js` alone": lambda: zip_of(manifest=None),
    "the zip, with a part that `manifest.js` does not list": lambda: zip_of(tweets_part1=TWO),
    "the zip, with more posts than `manifest.js` counts": lambda: zip_of(manifest=manifest_js(NAME, counts=[2])),
    "the zip, with a copy named `tweets (1).js`": lambda: make_zip(LISTED | {"data/tweets (1).js": TWO}),
    "the zip without `note-tweet.js`, which `manifest.js` lists": lambda: zip_of(
        manifest=manifest_js(NAME, "data/note-tweet.js", counts=[3, 2])
    ),
    "the same without `manifest.js`, with a post that is cut": lambda: zip_of(manifest=None, tweets=tweets_js(CUT)),
    "the zip without `community-tweet.js`, which `manifest.js` lists": lambda: zip_of(
        manifest=manifest_js(NAME, "data/community-tweet.js", counts=[3, 1])
    ),
    "the zip without a part that `manifest.js` lists": lambda: zip_of(
        manifest=manifest_js(NAME, "data/tweets-part1.js", counts=[3, 2])
    ),
    "`tweets-part1.js` in a zip without `tweets.js`": lambda: zip_of(manifest=None, tweets=None, tweets_part1=TWO),
    "one of the zips into which X splits a large export": lambda: zip_of(
        manifest=manifest_js(NAME, counts=[3], partial=True)
    ),
    "another one of these, without posts": lambda: zip_of(manifest=manifest_js(partial=True), tweets=None),
    "the export of an account without posts": lambda: zip_of(
        manifest=manifest_js(NAME, counts=[0]), tweets=EMPTY.format("tweets").encode()
    ),
    "the zip from which the posts were taken out": lambda: zip_of(manifest=manifest_js(), tweets=None),
    "`like.js` alone": lambda: script("YTD.like.part0", [{"like": {}}]),
    "`direct-messages.js` alone": lambda: script("YTD.direct_messages.part0", [{"dmConversation": {}}]),
    "`tweet-headers.js` alone": lambda: script("YTD.tweet_headers.part0", [{"tweet": {}}]),
    "`note-tweet.js` alone": lambda: script("YTD.note_tweet.part0", [{"noteTweet": {}}]),
    "`manifest.js` alone": lambda: manifest_js(NAME),
    "the export's web pages alone": damaged.pages_only,
    "the export's private files alone": damaged.without_posts,
    "two exports in one zip": damaged.two_exports,
    "the zip with a password": damaged.encrypted,
    "a zip by another method (bzip2)": lambda: in_another_method(LISTED),
    "a `tweets.js` that was cut before it was packed": lambda: make_zip({NAME: THREE[:-120]}),
    "a `tweets.js` that an editor saved in UTF-16": lambda: THREE.decode().encode("utf-16"),
    "an export of Mastodon": lambda: make_zip(members_of(a_note())),
    "`outbox.json` of Mastodon": lambda: an_outbox(a_note()),
    "the JSON of another program": lambda: b'{"posts": []}',
}
MASTODON_UPLOADS: dict[str, Upload] = {
    "the zip as the server gave it": lambda: make_zip(members_of(a_note(), a_boost(2))),
    "the `.tar.gz` of an older server": lambda: tarred(members_of(a_note(), a_boost(2))),
    "the same, packed again by Finder": lambda: by_finder(members_of(a_note(), a_boost(2))),
    "the same, packed again by Windows PowerShell": lambda: by_windows(members_of(a_note(), a_boost(2))),
    "the same as a `.tar`": lambda: plain_tar(members_of(a_note(), a_boost(2))),
    "`outbox.json` alone": lambda: an_outbox(a_note(), a_boost(2)),
    "`outbox.json.gz`": lambda: gzip.compress(an_outbox(a_note(), a_boost(2))),
    "the export of an account without posts": lambda: make_zip(members_of()),
    "`likes.json` alone": lambda: an_outbox(id="likes.json"),
    "`actor.json` alone": lambda: members_of()["actor.json"],
    "a list of followed accounts (CSV)": lambda: b"Account address,Show boosts\ncrab@mastodon.example,true\n",
    "what the server shows at the outbox's address": lambda: (
        b'{"id":"https://m.example/users/gull/outbox","type":"OrderedCollection","totalItems":9,'
        b'"first":"https://m.example/users/gull/outbox?page=true"}'
    ),
    "one page of that": lambda: an_outbox(
        a_note(), id="https://m.example/users/gull/outbox?page=true", type="OrderedCollectionPage"
    ),
    "a `.tar.gz` that was cut": lambda: half_of(tarred(members_of(a_note(), a_boost(2)))),
    "two different exports in one zip": lambda: make_zip(
        {"a/outbox.json": an_outbox(), "b/outbox.json": an_outbox(a_note())}
    ),
    "an export of X": lambda: make_zip(LISTED),
    "`tweets.js` of X": lambda: THREE,
    "an export of Threads": lambda: make_zip({"threads/threads_and_replies.json": b"{}"}),
}
