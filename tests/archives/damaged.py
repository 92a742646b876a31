"""Zips that are no whole export, made from whole ones."""

import struct

from archives import ytd
from archives.writing import Members, private, script, zipped

#: Where the flags stand behind a member's two signatures in a zip.
_FLAGS = ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8))


def cut_short() -> bytes:
    """Return an upload that broke off."""
    whole = zipped(ytd.of_today())
    return whole[: len(whole) * 2 // 3]


def encrypted() -> bytes:
    """Return a zip whose members say that a password is needed."""
    content = bytearray(zipped({"data/tweets.js": script("YTD.tweets.part0", [])}))
    for signature, offset in _FLAGS:
        at = content.index(signature) + offset
        content[at : at + 2] = struct.pack("<H", 1)
    return bytes(content)


def in_a_zip() -> bytes:
    """Return an export that was zipped once more, as some file services do."""
    return zipped({"twitter-2026-11-01.zip": zipped(ytd.of_today())})


def one_of_several() -> bytes:
    """Return the second zip of an export that X split: the manifest is in it, the posts' first part is not."""
    members = ytd.of_today(partial=True)
    del members["data/tweets.js"]
    return zipped(members)


def without_its_manifest() -> bytes:
    """Return a zip that holds the second part of the posts only."""
    return zipped({"data/tweets-part1.js": ytd.of_today()["data/tweets-part1.js"]})


def piece() -> bytes:
    """Return the last piece of a zip that was split by a packer: its end says that it is on another disk."""
    content = bytearray(zipped(ytd.of_today()))
    at = content.rindex(b"PK\x05\x06") + 4
    content[at : at + 4] = struct.pack("<HH", 3, 3)
    return bytes(content)


def bomb() -> bytes:
    """Return a zip whose posts pack a thousandfold."""
    return zipped({"data/tweets.js": b"window.YTD.tweets.part0 = [" + b" " * (8 * 1024**2) + b"]"})


def huge() -> bytes:
    """Return a zip whose posts claim to unpack to 3 GiB."""
    content = bytearray(zipped({"data/tweets.js": script("YTD.tweets.part0", [])}))
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", 3 * 1024**3)
    return bytes(content)


def crowded() -> bytes:
    """Return a zip that is nothing but a table of contents of 200,001 members."""
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"x"
    directory = entry * 200_001
    return directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, 0)


def pages_only() -> bytes:
    """Return an export that was saved as pages."""
    return zipped({"Your archive.html": b"<!doctype html>", "assets/js/main.js": b"", "assets/fonts/a.woff": b""})


def of_another_kind() -> bytes:
    """Return a zip that has nothing to do with X."""
    return zipped({"holiday.jpg": b"\xff\xd8\xff", "notes.txt": b"buy fish"})


def of_mastodon() -> bytes:
    """Return an export of Mastodon."""
    return zipped({"actor.json": b"{}", "outbox.json": b"{}", "likes.json": b"{}"})


def two_exports() -> bytes:
    """Return two exports in one zip."""
    members: Members = {}
    for folder in ("old/", "new/"):
        members |= {folder + name: content for name, content in ytd.of_2021().items()}
    return zipped(members)


def without_posts() -> bytes:
    """Return an export from which everything but the private members was taken."""
    return zipped(private(*ytd.PRIVATE))
