"""Refusals of files: what is wrong with them, and what to do."""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from tweetbot_contract import reasons
from tweetbot_contract.reasons import Reason
from tweetbot_trainer.runtime.errors import SpecRefused

AS_DOWNLOADED = "upload the export as it was downloaded"
UPLOAD_AGAIN = "try to open it on your computer: download it again if that fails, otherwise upload it again"
DOWNLOAD_AGAIN = "download the export again, and upload it as it comes"
PACK_AGAIN = "unpack it, and upload the folder packed as a .zip or .tar.gz"
#: An export has one member per photo, and 6,000 for its own pages.
MEMBERS_LIMIT = 200_000
#: What zipfile, zlib and our own readers raise for a damaged file or member; EOFError means that it ends too early.
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, tarfile.TarError, EOFError, NotImplementedError),
    *(RuntimeError, ValueError, IndexError),
)


class TooLarge(ValueError):
    """A file unpacks to more than is read."""


def build_refusal(
    message: str, reason: Reason = reasons.SOURCE_UNREADABLE, *, advice: str = AS_DOWNLOADED
) -> SpecRefused:
    """Return a refusal: what is wrong, and what to do."""
    return SpecRefused(reason, f"{message}; {advice}")


def translate_damage(error: Exception, label: str = "it") -> SpecRefused:
    """Turn one of BROKEN into a refusal that names the member or file.

    SourceTruncated, SourceTooLarge or SourceUnreadable.
    """
    if isinstance(error, EOFError):
        message = f"{label} ends too early ({str(error) or 'in the middle of its content'})"
        return build_refusal(message, reasons.SOURCE_TRUNCATED, advice=UPLOAD_AGAIN)
    if isinstance(error, TooLarge):
        return build_refusal(str(error), reasons.SOURCE_TOO_LARGE, advice="upload only its files with posts")
    return build_refusal(f"{label} is damaged ({str(error)[:120]})", advice=DOWNLOAD_AGAIN)


@contextmanager
def put_address(uri: str) -> Iterator[None]:
    """Put the address of the file before refusals of what it holds."""
    try:
        yield
    except SpecRefused as refusal:
        raise SpecRefused(refusal.reason, f"{uri}: {refusal.message}") from refusal
