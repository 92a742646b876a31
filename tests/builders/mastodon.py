"""Mastodon exports for tests: activities as Mastodon writes them, and the archives that hold them."""

import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

from builders.trainer import zipped
from tweetbot_trainer.data.posts import Json

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
ME = "https://mastodon.example/users/gull"
PNG = b"\x89PNG\r\n\x1a\n of a gull"
ACTOR = {"id": ME, "type": "Person", "preferredUsername": "gull", "name": "Harbour Gull", "icon": {"url": "avatar.png"}}


def a_note(content: str = "<p>the tide came back with soup</p>", *, number: int = 1, **fields: Any) -> Json:
    """Return an activity that made a public post; `to` and `cc` are set on activity and post."""
    place = {"to": fields.pop("to", [PUBLIC]), "cc": fields.pop("cc", [f"{ME}/followers"])}
    note = {
        "id": f"{ME}/statuses/{number}",
        "type": "Note",
        "summary": None,
        "inReplyTo": None,
        "published": f"2024-01-{number:02}T12:00:00Z",
        "content": content,
        "contentMap": {"en": content},
        **place,
    }
    return {"id": f"{note['id']}/activity", "type": "Create", "actor": ME, **place, "object": note | fields}


def a_boost(number: int = 1, **fields: Any) -> Json:
    """Return an activity that passed another's post on."""
    address = f"{ME}/statuses/{number}/activity"
    boost = {"id": address, "type": "Announce", "published": f"2024-01-{number:02}T12:00:00Z", "to": [PUBLIC]}
    return boost | {"object": "https://elsewhere.example/1"} | fields


def an_outbox(*items: Any, **fields: Any) -> bytes:
    """Return outbox.json."""
    head = {"@context": ["https://www.w3.org/ns/activitystreams", {}], "id": "outbox.json", "type": "OrderedCollection"}
    return json.dumps(head | {"totalItems": len(items), "orderedItems": items} | fields, ensure_ascii=False).encode()


def members_of(*items: Any) -> dict[str, bytes]:
    """Return the members of an export, in the order in which Mastodon packed them into tar archives."""
    return {
        "media_attachments/files/1/original/film.mp4": b"\0" * 5000,
        "outbox.json": an_outbox(*items),
        "likes.json": b"{}",
        "bookmarks.json": b"{}",
        "avatar.png": PNG,
        "header.png": PNG,
        "actor.json": json.dumps(ACTOR).encode(),
    }


def tarred(members: dict[str, bytes], *, format: int = tarfile.USTAR_FORMAT) -> bytes:
    """Return a .tar.gz of these members."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", format=format) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


EXPORTS: dict[str, Callable[..., bytes]] = {
    "zip": lambda *items: zipped(members_of(*items)),
    "tar.gz": lambda *items: tarred(members_of(*items)),
    "json": an_outbox,
}
