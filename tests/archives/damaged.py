"""Zips that are not complete exports, made from complete ones."""

import struct

from archives import ytd
from archives.writing import Members, make_private_members, make_zip, render_script

#: Offsets of the flags after a member's two signatures in a zip.
_FLAGS = ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8))


def cut_short() -> bytes:
    """Make an interrupted upload."""
    whole = make_zip(ytd.make_current_export())
    return whole[: len(whole) * 2 // 3]


def encrypted() -> bytes:
    """Make a zip whose members need a password."""
    content = bytearray(make_zip({"data/tweets.js": render_script("YTD.tweets.part0", [])}))
    for signature, offset in _FLAGS:
        at = content.index(signature) + offset
        content[at : at + 2] = struct.pack("<H", 1)
    return bytes(content)


def in_a_zip() -> bytes:
    """Make an export that was zipped again, as some file services do."""
    return make_zip({"twitter-2026-11-01.zip": make_zip(ytd.make_current_export())})


def one_of_several() -> bytes:
    """Make the second zip of an export that X split: with the manifest, without the posts' first part."""
    members = ytd.make_current_export(partial=True)
    del members["data/tweets.js"]
    return make_zip(members)


def without_its_manifest() -> bytes:
    """Make a zip with only the second part of the posts."""
    return make_zip({"data/tweets-part1.js": ytd.make_current_export()["data/tweets-part1.js"]})


def piece() -> bytes:
    """Make the last piece of a zip that was split by a packer: its end record says that it is on another disk."""
    content = bytearray(make_zip(ytd.make_current_export()))
    at = content.rindex(b"PK\x05\x06") + 4
    content[at : at + 4] = struct.pack("<HH", 3, 3)
    return bytes(content)


def bomb() -> bytes:
    """Make a zip whose posts unpack to a thousand times their size."""
    return make_zip({"data/tweets.js": b"window.YTD.tweets.part0 = [" + b" " * (8 * 1024**2) + b"]"})


def huge() -> bytes:
    """Make a zip whose posts claim to unpack to 3 GiB."""
    content = bytearray(make_zip({"data/tweets.js": render_script("YTD.tweets.part0", [])}))
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", 3 * 1024**3)
    return bytes(content)


def crowded() -> bytes:
    """Make a zip that is only a directory of 200,001 members."""
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"x"
    directory = entry * 200_001
    return directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, 0)


def with_a_long_directory() -> bytes:
    """Make a zip whose table of contents alone has 33 MiB, of few members with long comments."""
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<3H", 1, 0, 0xFFFF) + bytes(12) + b"x" + bytes(0xFFFF)
    directory = entry * (33 * 1024**2 // len(entry) + 1)
    return directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, 0)


def pages_only() -> bytes:
    """Make an export that was saved as web pages."""
    return make_zip({"Your archive.html": b"<!doctype html>", "assets/js/main.js": b"", "assets/fonts/a.woff": b""})


def of_another_kind() -> bytes:
    """Make a zip that has nothing to do with X."""
    return make_zip({"holiday.jpg": b"\xff\xd8\xff", "notes.txt": b"buy fish"})


def of_mastodon() -> bytes:
    """Make a Mastodon export."""
    return make_zip({"actor.json": b"{}", "outbox.json": b"{}", "likes.json": b"{}"})


def two_exports() -> bytes:
    """Make one zip of two exports."""
    members: Members = {}
    for folder in ("old/", "new/"):
        members |= {folder + name: content for name, content in ytd.make_2021_export().items()}
    members["old/data/tweet.js"] = members["old/data/tweet-part1.js"]
    return make_zip(members)


def without_posts() -> bytes:
    """Make an export with only the private members."""
    return make_zip(make_private_members(*ytd.PRIVATE))
