"""The members of a Mastodon export that are read: the outbox, the account and its picture.

.zip      from today's servers
.tar.gz   from older ones
.json     outbox.json alone

The outbox holds direct messages too, which source.py skips; likes.json and bookmarks.json are never opened.
"""

import re
from dataclasses import dataclass
from typing import BinaryIO

from tweetbot_contract import reasons
from tweetbot_trainer.data.sources.archive_files import (
    ExportFile,
    Member,
    build_empty_refusal,
    build_refusal,
    open_export,
)
from tweetbot_trainer.data.sources.archive_files.refusals import AS_DOWNLOADED
from tweetbot_trainer.runtime.errors import SpecRefused

#: Archives that were packed again may have folders above.
_ALLOWED = re.compile(r"(?:[^/]+/){0,4}?(?P<file>outbox\.json|actor\.json|avatar\.(?:png|jpe?g))")
OUTBOX, ACTOR = "outbox.json", "actor.json"
#: A post takes some 3 KB: half a million posts fit.
OUTBOX_LIMIT = 2 * 1024**3
AVATAR_LIMIT, ACTOR_LIMIT = 2 * 1024**2, 1024**2
_WHAT_TO_DO = f"{AS_DOWNLOADED} from Mastodon, or its outbox.json alone"
_OBJECT = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{")
#: Files of an export that look like an outbox.
_OTHER_FILE = re.compile(
    rb'"(?:id|type)"\s*:\s*"(?:(likes|bookmarks)\.json|Person|Service|Application|Group|Organization)"'
)
#: What a server shows at the address of an account's outbox: where its pages are, or one of them.
_PAGED = re.compile(rb'"first"\s*:\s*"https?:|"OrderedCollectionPage"')


@dataclass(frozen=True, slots=True)
class MastodonExport:
    """The parts of an export; an outbox that was uploaded by itself has neither account nor picture."""

    outbox: Member
    account: bytes | None = None
    picture: bytes | None = None


def open_mastodon_export(file: BinaryIO, *, largest: int = OUTBOX_LIMIT) -> MastodonExport:
    """Open an export; its first bytes decide what it is.

    Raises SpecRefused: SourceNotAnExport, SourceTooLarge, and what open_export raises.
    """
    opened = open_export(file, _ALLOWED)
    outbox = opened.members.get(OUTBOX) or _find_single(opened)
    if outbox is None:
        raise build_empty_refusal(opened, kind="mastodon", wanted=OUTBOX, advice=_WHAT_TO_DO)
    if outbox.problem:
        raise outbox.problem
    if outbox.size > largest:
        message = f"{outbox.label} has {outbox.size} bytes; at most {largest} are read"
        raise SpecRefused(reasons.SOURCE_TOO_LARGE, message)
    actor = opened.members.get(ACTOR)
    pictures = (member.read(AVATAR_LIMIT) for file, member in opened.members.items() if file.startswith("avatar."))
    return MastodonExport(outbox, actor.read(ACTOR_LIMIT) if actor else None, next(pictures, None))


def _find_single(opened: ExportFile) -> Member | None:
    """Return an outbox that was uploaded by itself. Raises SpecRefused for another file of an export."""
    if opened.single is None or not _OBJECT.match(opened.head):
        return None
    before_items = opened.head.partition(b'"orderedItems"')[0]  # posts have pages of replies
    if other := _OTHER_FILE.search(before_items):
        name = f"{other[1].decode()}.json" if other[1] else ACTOR
        message = f"it is {name} of a Mastodon export, which holds no posts"
        raise build_refusal(
            message, reasons.SOURCE_NOT_AN_EXPORT, advice="upload its outbox.json, or the whole archive"
        )
    if _PAGED.search(before_items):
        message = "it is what the server shows at the outbox's address, not the outbox of an export"
        raise build_refusal(message, reasons.SOURCE_NOT_AN_EXPORT, advice=_WHAT_TO_DO)
    return opened.single
