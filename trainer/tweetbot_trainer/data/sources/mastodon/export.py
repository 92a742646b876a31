"""The members of a Mastodon export that are read: the outbox, the account and its picture.

.zip      from today's servers
.tar.gz   from older ones; photos and videos come first, and are skipped
.json     outbox.json alone

The outbox holds direct messages too, which source.py skips; likes.json and bookmarks.json are never opened.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

from tweetbot_contract import reasons
from tweetbot_trainer.data.sources.mastodon import tar_gz
from tweetbot_trainer.data.sources.x_archive import zip_file
from tweetbot_trainer.runtime.errors import SpecRefused

#: Archives that were packed again may have a folder above.
_ALLOWED = re.compile(r"(?:\./)?(?!__MACOSX/)(?:[^/]+/)?(?P<file>outbox\.json|actor\.json|avatar\.(?:png|jpe?g))")
OUTBOX, ACTOR = "outbox.json", "actor.json"
#: A post takes some 3 KB: half a million posts fit.
OUTBOX_LIMIT = 2 * 1024**3
_WHAT_TO_DO = "upload the archive as it was downloaded from Mastodon, or its outbox.json alone"

Member = tuple[str, int, BinaryIO]


def iter_members(file: BinaryIO, *, largest: int = OUTBOX_LIMIT) -> Iterator[Member]:
    """Yield name, size and content of the allowed members; read a content before asking for the next member.

    The file's first bytes decide what it is. Raises SpecRefused, or one of BROKEN.
    """
    head = file.read(2)
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if head == b"PK":
        found = _iter_zip(file)
    elif head == b"\x1f\x8b":
        found = _iter_tar(file)
    else:
        found = iter([(OUTBOX, size, file)])
    seen: set[str] = set()
    for name, length, content in found:
        if name in seen:
            raise build_refusal(f"it holds {name} twice")
        seen.add(name)
        if name == OUTBOX and length > largest:
            message = f"its {OUTBOX} has {length} bytes; at most {largest} are read"
            raise SpecRefused(reasons.SOURCE_TOO_LARGE, message)
        yield name, length, content
    if OUTBOX not in seen:
        raise SpecRefused(reasons.SOURCE_NOT_AN_EXPORT, f"it holds no {OUTBOX}; {_WHAT_TO_DO}")


def build_refusal(what: str) -> SpecRefused:
    """Return the refusal of a damaged file."""
    return SpecRefused(reasons.SOURCE_UNREADABLE, f"it is no readable Mastodon export: {what}; {_WHAT_TO_DO}")


def translate_error(error: Exception) -> SpecRefused:
    """Turn one of BROKEN into a refusal: SourceTruncated, SourceTooLarge or SourceUnreadable."""
    if isinstance(error, EOFError):
        return SpecRefused(reasons.SOURCE_TRUNCATED, f"it ends too early. {reasons.SOURCE_TRUNCATED.advice}")
    if isinstance(error, tar_gz.TooLarge):
        return SpecRefused(reasons.SOURCE_TOO_LARGE, f"{error}; upload its {OUTBOX} alone")
    return build_refusal(str(error)[:120])


#: What readers raise for a damaged file.
BROKEN = (*zip_file.BROKEN, *tar_gz.BROKEN)


def _iter_zip(file: BinaryIO) -> Iterator[Member]:
    with zip_file.open_zip(file, "it") as archive:  # source.py puts the address before each refusal
        for info in archive.infolist():
            if match := _ALLOWED.fullmatch(info.filename):
                yield match["file"], info.file_size, _open_member(archive, info)


def _open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> BinaryIO:
    if info.flag_bits & 0x1:
        message = f"{info.filename} is locked with a password. {reasons.SOURCE_ENCRYPTED.advice}"
        raise SpecRefused(reasons.SOURCE_ENCRYPTED, message)
    return archive.open(info)  # type: ignore[return-value]  # typeshed: IO[bytes]


def _iter_tar(file: BinaryIO) -> Iterator[Member]:
    for name, size, content in tar_gz.iter_files(file):
        if match := _ALLOWED.fullmatch(name):
            yield match["file"], size, content
